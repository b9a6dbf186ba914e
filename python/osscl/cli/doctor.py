"""``osscl doctor``: what works on this machine, what does not, and the remedy."""

from typing import Annotated

import typer

from osscl.cli.console import EXIT_FAILED, as_json, emit
from osscl.health import check_health

EXAMPLES = """[bold]Examples[/bold]\n
  osscl doctor\n
  osscl doctor --json
"""
_MARKS = {"ok": "ok     ", "missing": "missing", "broken": "BROKEN "}


def doctor(
    json: Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")] = False,
) -> None:
    """Check this installation: one line a finding, with the remedy where something is missing or broken."""
    findings = check_health()
    if json:
        emit(as_json(findings))
    else:
        for finding in findings:
            remedy = f" -> {finding.remedy}" if finding.remedy else ""
            emit(f"{_MARKS[finding.state]}  {finding.what}: {finding.found}{remedy}")
    if any(finding.state == "broken" for finding in findings):
        raise typer.Exit(EXIT_FAILED)
