"""``osscl doctor``: what works on this machine, and the remedy; or what a folder of recordings holds."""

import dataclasses
from json import dumps
from pathlib import Path
from typing import Annotated

import typer

from osscl.cli.messages import EXIT_FAILED, EXIT_SOME_UNSCORED, emit
from osscl.cli.naming_options import LabelsOfAll, MachineOfAll, PatternOfAll, naming_options
from osscl.health import Finding, check_health
from osscl.health.concern import by_concern
from osscl.machines.labels import BY_PATHS, MachineNames
from osscl.support.plurals import are

EXAMPLES = """[bold]Examples[/bold]\n
  osscl doctor\n
  osscl doctor --all\n
  osscl doctor --json\n
  osscl doctor --recordings pump_recordings\n
  osscl doctor --recordings site --json > site.json\n
  osscl doctor --recordings normal --machine-pattern '{machine}_{time}.wav'\n
\n
Exit code: 0 all is well, 1 something is broken or failed, 2 wrong usage, 3 osscl enroll would not take
some of the recordings as they are.
"""
_MARKS = {"ok": "ok     ", "missing": "missing", "broken": "BROKEN "}


def doctor(
    recordings: Annotated[
        Path | None,
        typer.Option(
            "--recordings",
            help="Sum up the recordings in this folder instead, by machine: what they are, their quality, "
            "and what osscl enroll would refuse.",
            metavar="FOLDER",
        ),
    ] = None,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Show also what is not installed and need not be on this machine."),
    ] = False,
    machine: MachineOfAll = None,
    labels: LabelsOfAll = None,
    machine_pattern: PatternOfAll = None,
    json: Annotated[bool, typer.Option("--json", help="All of it as one JSON document.")] = False,
) -> None:
    """Check this installation, or a folder of recordings: what is well, and what to do where it is not."""
    names = naming_options(machine, labels, machine_pattern)
    if recordings is not None:
        _check_folder(recordings, names, json)
        return
    if names != BY_PATHS:
        raise typer.BadParameter(
            "--machine, --labels and --machine-pattern name the machines of recordings: give --recordings "
            "FOLDER"
        )
    findings = check_health()
    if json:
        emit(dumps([dataclasses.asdict(finding) for finding in findings], indent=2, ensure_ascii=False))
    else:
        _show(findings, everything=everything)
    if any(finding.state == "broken" for finding in findings):
        raise typer.Exit(EXIT_FAILED)


def _show(findings: list[Finding], *, everything: bool) -> None:
    concerning, others = by_concern(findings)
    for finding in [*concerning, *(others if everything else ())]:
        remedy = f" -> {finding.remedy}" if finding.remedy else ""
        emit(f"{_MARKS[finding.state]}  {finding.what}: {finding.found}{remedy}")
    if others and not everything:
        names = ", ".join(dict.fromkeys(each.what for each in others))
        emit(
            f"{are(len(others), 'other part')} not there and need not be ({names}): osscl doctor --all tells "
            "what for"
        )


def _check_folder(folder: Path, names: MachineNames, json: bool) -> None:
    # here, because the check of an installation needs nothing that may be broken
    from osscl.cli.console import WorkProgress, as_json
    from osscl.cli.recordings_lines import lines_of
    from osscl.health.recordings_report import check_recordings
    from osscl.support.links import missing

    for path in (folder, names.labels):
        if path is not None and (problem := missing(path)) is not None:
            raise typer.BadParameter(problem)
    with WorkProgress("recordings") as progress:
        report = check_recordings([folder], names, on_total=progress.set_total, on_recording=progress.advance)
    if json:
        emit(as_json(dataclasses.asdict(report)))
    else:
        for line in lines_of(report):
            emit(line)
    if not report.is_well:
        raise typer.Exit(EXIT_SOME_UNSCORED)
