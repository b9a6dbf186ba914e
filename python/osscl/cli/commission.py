"""``osscl commission``: normal recordings of a new site in, a model file and a page about it out."""

from pathlib import Path
from typing import Annotated

import typer

from osscl.audio.reading import AS_THEY_ARE, Fit
from osscl.backends import DEFAULT_OPTIONS, ComputeOptions
from osscl.cli import signals
from osscl.cli.completion import models
from osscl.cli.console import StagedProgress, as_json, say_unusable
from osscl.cli.messages import EXIT_SOME_UNSCORED, emit, say, say_interrupted
from osscl.cli.naming_options import LabelsOfAll, MachineOfAll, PatternOfAll, RecordingPattern
from osscl.cli.options import RequiredRate, takes_shared_options
from osscl.cli.surveyed import say_survey
from osscl.commissioning.commissioned import Commissioned
from osscl.commissioning.commissioning import commission as commission_site
from osscl.commissioning.place import PAGE
from osscl.enrolment import EnrolOptions
from osscl.model_file.bundle import DEMO
from osscl.support.links import missing
from osscl.support.paths import printable

EXAMPLES = """[bold]Examples[/bold]\n
  osscl commission normal_recordings --output site\n
  osscl commission press_recordings --machine press/id_09 --output press --false-alarm-rate 0.02\n
  osscl commission sessions --recording folder --output site\n
  osscl commission normal_recordings --model model.onnx --output site\n
\n
Exit code: 0 all done, 1 failed, 2 wrong usage, 3 done but some files could not be used; interrupted, with
nothing written: 130 by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP.
"""


@takes_shared_options()
def commission(
    normals: Annotated[
        list[str],
        typer.Argument(
            help="Folders of normal recordings, searched at any depth; or files.", metavar="NORMALS"
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="Folder to write: model.onnx, report.html and normals.csv.",
            metavar="FOLDER",
            readable=False,
        ),
    ],
    model: Annotated[
        Path | None,
        typer.Option(
            help="Model file of a trained network that the memories go into, or demo.",
            metavar="MODEL",
            autocompletion=models,
        ),
    ] = None,
    machine: MachineOfAll = None,
    labels: LabelsOfAll = None,
    machine_pattern: PatternOfAll = None,
    recording: RecordingPattern = None,
    false_alarm_rate: RequiredRate = None,
    fit: Fit = AS_THEY_ARE,
    compute: ComputeOptions = DEFAULT_OPTIONS,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace what an earlier run left in FOLDER.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,
) -> None:
    """Make all that a new site needs from normal recordings: a model file, and a page to judge it by."""
    for path in (*normals, model, labels):
        if path is not None and str(path) != DEMO and (problem := missing(path)) is not None:
            raise typer.BadParameter(problem)
    options = EnrolOptions(
        machine=machine,
        recording=recording,
        fit=fit,
        false_alarm_rate=false_alarm_rate,
        labels=labels,
        machine_pattern=machine_pattern,
    )
    try:
        with StagedProgress() as progress:
            done = commission_site(
                normals,
                output,
                model,
                options,
                compute,
                overwrite=overwrite,
                on_survey=say_survey,
                on_stage=progress.begin,
                on_total=progress.set_total,
                on_clip=progress.advance,
            )
    except KeyboardInterrupt:
        say_interrupted("interrupted; nothing was written")
        raise typer.Exit(signals.exit_code()) from None
    _tell(done, output, json=json)
    raise typer.Exit(EXIT_SOME_UNSCORED if done.enrolment.unusable else 0)


def _tell(done: Commissioned, output: Path, *, json: bool) -> None:
    for doubt in done.doubts:
        say(f"warning: {doubt}")
    say_unusable("not enrolled", [(each.path, each.reason) for each in done.enrolment.unusable])
    if json:
        emit(as_json({"output": str(output), "commissioned": done}))
        return
    emit(done.headline)
    for name, text in done.points:
        emit(f"{name}: {text}")
    emit(done.trust)
    emit(f"\nOpen {printable(output / PAGE)}, then run:")
    for command in done.next_commands:
        emit(f"  {command}")
