"""``osscl calibrate``: normal recordings in, so that what the network says can decide."""

from pathlib import Path
from typing import Annotated

import rich.markup
import rich.table
import typer

from osscl.audio.reading import AS_THEY_ARE, Fit
from osscl.backends import DEFAULT_OPTIONS, ComputeOptions
from osscl.cli import signals
from osscl.cli.completion import models
from osscl.cli.console import (
    MAX_NAMED,
    WorkProgress,
    as_json,
    percent,
    say_unusable,
    wide_console,
)
from osscl.cli.decision_facts import least_percent
from osscl.cli.messages import EXIT_SOME_UNSCORED, emit, say, say_interrupted
from osscl.cli.naming_options import LabelsOfAll, MachineOfAll, PatternOfAll, RecordingPattern
from osscl.cli.options import HopSeconds, takes_shared_options
from osscl.cli.places import refuse_model_among
from osscl.cli.surveyed import say_survey
from osscl.enrolment import (
    CalibratedMachine,
    CalibrateOptions,
    CalibrationReport,
)
from osscl.enrolment import (
    calibrate as calibrate_model,
)
from osscl.support.links import missing
from osscl.support.listing import listed, listed_by_reason
from osscl.support.paths import printable

EXAMPLES = """[bold]Examples[/bold]\n
  osscl calibrate model.onnx normals --output calibrated.onnx\n
  osscl calibrate model.onnx sessions --recording folder --output calibrated.onnx --false-alarm-rate 0.01\n
  osscl calibrate model.onnx sessions --recording '(session_[0-9]+)' --output calibrated.onnx --json\n
  osscl calibrate model.onnx recordings --skip-training-clips --output calibrated.onnx\n
  osscl calibrate enrolled.onnx normals --rule both --output calibrated.onnx\n
\n
Exit code: 0 all calibrated, 1 failed, 2 wrong usage, 3 done but some recordings or machines could not be
used; interrupted, with nothing written: 130.
"""


@takes_shared_options()
def calibrate(
    model: Annotated[
        Path,
        typer.Argument(
            help="Model file with a network, or demo; it stays as it is.",
            metavar="MODEL",
            autocompletion=models,
        ),
    ],
    normals: Annotated[
        list[str],
        typer.Argument(
            help="Folders of normal recordings that the network was not trained on, searched at any depth; "
            "or files.",
            metavar="NORMALS",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Model file to write.", metavar="NEW_MODEL", readable=False)
    ],
    rule: Annotated[
        str,
        typer.Option(
            help="Which score: network; or both, the larger of the network's and the memory's, for machines "
            "that were enrolled.",
            metavar="network|both",
        ),
    ] = "network",
    machine: MachineOfAll = None,
    labels: LabelsOfAll = None,
    machine_pattern: PatternOfAll = None,
    recording: RecordingPattern = None,
    hop: HopSeconds = None,
    false_alarm_rate: Annotated[
        float | None,
        typer.Option(
            help="Rate that every machine must be able to speak of; fails where recordings are missing.",
            metavar="RATE",
            show_default="0.05, or the smallest that a machine's recordings can speak of",
        ),
    ] = None,
    allow_training_clips: Annotated[
        bool,
        typer.Option(
            "--allow-training-clips",
            help="Take clips that the network was trained on: no false-alarm rate is guaranteed then.",
        ),
    ] = False,
    skip_training_clips: Annotated[
        bool,
        typer.Option(
            "--skip-training-clips",
            help="Leave out recordings that the network was trained on, and calibrate by the others.",
        ),
    ] = False,
    fit: Fit = AS_THEY_ARE,
    compute: ComputeOptions = DEFAULT_OPTIONS,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is at NEW_MODEL.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,
) -> None:
    """Calibrate what the network says on normal recordings, so that it can decide at a false-alarm rate."""
    refuse_model_among(normals)
    for path in (*normals, *(() if labels is None else (labels,))):
        if (problem := missing(path)) is not None:
            raise typer.BadParameter(problem)
    options = CalibrateOptions(
        rule=rule,  # type: ignore[arg-type]  # the options check the word
        machine=machine,
        machine_pattern=machine_pattern,
        recording=recording,
        fit=fit,
        hop_s=hop,
        false_alarm_rate=false_alarm_rate,
        allow_training_clips=allow_training_clips,
        skip_training_clips=skip_training_clips,
        labels=labels,
    )
    try:
        with WorkProgress("clips") as progress:
            report = calibrate_model(
                model,
                normals,
                output,
                options,
                compute,
                overwrite=overwrite,
                on_survey=say_survey,
                on_total=progress.set_total,
                on_clip=progress.advance,
            )
    except KeyboardInterrupt:
        say_interrupted("interrupted; nothing was written")
        raise typer.Exit(signals.exit_code()) from None
    _tell(report, output, json=json)
    raise typer.Exit(EXIT_SOME_UNSCORED if report.unusable or report.refused else 0)


def _tell(report: CalibrationReport, output: Path, *, json: bool) -> None:
    for warning in report.warnings:
        say(f"warning: {warning}")
    if report.left_out:
        say(f"left out, said to be anomalous: {listed(report.left_out, MAX_NAMED)}")
    say_unusable("not used", [(each.path, each.reason) for each in report.unusable])
    for refusal in listed_by_reason(report.refused.items(), MAX_NAMED):
        say(f"not calibrated: {refusal}")
    if json:
        emit(as_json({"output": str(output), "n_bytes": output.stat().st_size, "calibration": report}))
        return
    stdout = wide_console()
    stdout.print(_table(report.machines))
    if any(each.n_recordings < each.n_clips for each in report.machines):
        stdout.print("\nRecordings judged by a threshold from all others, the worst of each machine first")
        stdout.print(_table_of_recordings(report.machines))
    for sentence, machines in _worth(report).items():
        say(f"{listed(machines, MAX_NAMED)}: {sentence}")
    say(
        f"{len(report.machines)} calibrated for the rule {report.rule} in {report.precision} -> "
        f"{printable(output)}"
    )


def _table(machines: tuple[CalibratedMachine, ...]) -> rich.table.Table:
    columns = ("clips", "recordings", "smallest rate", "rate", "threshold", "left out")
    table = _empty("machine", *columns)
    for each in machines:
        cells = (
            each.machine,
            each.n_clips,
            each.n_recordings,
            least_percent(each.smallest_rate),
            percent(each.rate),
            f"{each.threshold:.4g}",
            percent(each.left_out_rate),
        )
        table.add_row(*(rich.markup.escape(str(cell)) for cell in cells))
    return table


def _table_of_recordings(machines: tuple[CalibratedMachine, ...]) -> rich.table.Table:
    table = _empty("machine", "clips", "flagged", "recording")
    for each in machines:
        for recording in each.left_out[:MAX_NAMED]:
            cells = (
                each.machine,
                recording.n_clips,
                percent(recording.false_alarm_rate),
                recording.recording,
            )
            table.add_row(*(rich.markup.escape(str(cell)) for cell in cells))
    return table


def _empty(*columns: str) -> rich.table.Table:
    table = rich.table.Table(box=None, pad_edge=False)
    for name in columns:
        is_name = name in ("machine", "recording")
        table.add_column(name, justify="left" if is_name else "right", overflow="fold")
    return table


def _worth(report: CalibrationReport) -> dict[str, list[str]]:
    """What rates are worth and which rule decides, each sentence with the machines that it holds for."""
    machines_of: dict[str, list[str]] = {}
    for each in report.machines:
        name = f"{each.machine} ({each.n_training_clips})" if each.n_training_clips else each.machine
        machines_of.setdefault(_sentence(each, report), []).append(name)
    return machines_of


def _sentence(each: CalibratedMachine, report: CalibrationReport) -> str:
    if each.n_training_clips is None:
        worth = "no false-alarm rate is guaranteed: these clips may have been trained on"
    elif each.n_training_clips:
        worth = "no false-alarm rate is guaranteed: so many of the clips were trained on"
    elif each.is_guaranteed:
        worth = "the false-alarm rate is guaranteed if recordings are exchangeable"
    else:
        worth = "the false-alarm rate is measured, not guaranteed"
    if each.decides == report.rule:
        return worth
    return f"{worth}; the {each.decides} decides, as before, unless --rule {report.rule} is said"
