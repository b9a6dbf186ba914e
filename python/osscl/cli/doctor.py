"""``osscl doctor``: what works on this machine, what does not, and the remedy."""

import dataclasses
from json import dumps
from typing import Annotated

import typer

from osscl.cli.messages import EXIT_FAILED, emit
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
        emit(dumps([dataclasses.asdict(finding) for finding in findings], indent=2, ensure_ascii=False))
    else:
        for finding in findings:
            remedy = f" -> {finding.remedy}" if finding.remedy else ""
            emit(f"{_MARKS[finding.state]}  {finding.what}: {finding.found}{remedy}")
    if any(finding.state == "broken" for finding in findings):
        raise typer.Exit(EXIT_FAILED)
