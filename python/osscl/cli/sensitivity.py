"""``osscl sensitivity``: normal recordings in, from which size on changes of the sound are found."""

from pathlib import Path
from typing import Annotated

import typer

from osscl.audio.reading import AS_THEY_ARE, Fit
from osscl.backends import DEFAULT_OPTIONS, ComputeOptions
from osscl.cli import signals
from osscl.cli.completion import models
from osscl.cli.console import MAX_NAMED, WorkProgress, as_json, say_unusable, wide_console
from osscl.cli.limit_lines import heading, in_one_line, table_of
from osscl.cli.messages import EXIT_SOME_UNSCORED, emit, say, say_interrupted
from osscl.cli.naming_options import MachineOfAll, PatternOfAll, RecordingPattern
from osscl.cli.options import BY_DEFAULT, DecisionOptions, takes_shared_options
from osscl.scoring.judge_making import AUTO
from osscl.sensitivity import SensitivityOptions, SensitivityReport, measure_limits
from osscl.sensitivity.report import WHAT_IT_IS
from osscl.support.atomic import write_atomically
from osscl.support.links import missing
from osscl.support.listing import listed, listed_by_reason
from osscl.support.outputs import cannot_be_written, check_output
from osscl.support.paths import printable
from osscl.support.plurals import plural

EXAMPLES = """[bold]Examples[/bold]\n
  osscl sensitivity press.onnx press_recordings --machine press/id_09\n
  osscl sensitivity enrolled.onnx normals --false-alarm-rate 0.01 --output limits.json\n
  osscl sensitivity enrolled.onnx normals --store with_limits.onnx\n
  osscl sensitivity calibrated.onnx normals --rule network\n
\n
Exit code: 0 all measured, 1 failed, 2 wrong usage, 3 done but some recordings or machines could not be used;
interrupted, with nothing written: 130.
"""


@takes_shared_options()
def sensitivity(
    model: Annotated[
        Path,
        typer.Argument(
            help="Model file with memories or calibrations; it stays as it is.",
            metavar="MODEL",
            autocompletion=models,
        ),
    ],
    normals: Annotated[
        list[str],
        typer.Argument(
            help="Folders of normal recordings, searched at any depth, or files: those that were enrolled or "
            "calibrated with, or others of these machines.",
            metavar="NORMALS",
        ),
    ],
    decide: DecisionOptions = BY_DEFAULT,
    machine: MachineOfAll = None,
    machine_pattern: PatternOfAll = None,
    recording: RecordingPattern = None,
    coarse: Annotated[
        bool,
        typer.Option(
            "--coarse",
            help="Fewer bands and rates, a quarter of the time; with a network always.",
        ),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="JSON file to write the limits to.", metavar="JSON", readable=False
        ),
    ] = None,
    store: Annotated[
        Path | None,
        typer.Option(
            help="Model file to write that holds the limits too.", metavar="NEW_MODEL", readable=False
        ),
    ] = None,
    fit: Fit = AS_THEY_ARE,
    compute: ComputeOptions = DEFAULT_OPTIONS,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace what is at JSON and NEW_MODEL.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="The limits as JSON on stdout.")] = False,
) -> None:
    """Measure which changes of a machine's sound are found, and from which size on."""
    for path in normals:
        if (problem := missing(path)) is not None:
            raise typer.BadParameter(problem)
    if output is not None:
        check_output(output, overwrite=overwrite, inputs=[model, *normals])
        if store is not None and output.absolute() == store.absolute():
            raise typer.BadParameter("--output and --store name the same file; give each its own")
    if decide.domain != AUTO:
        raise typer.BadParameter(
            "--domain chooses among memories by domain, and limits are measured of machines with one memory"
        )
    options = SensitivityOptions(
        rule=decide.rule,
        false_alarm_rate=decide.false_alarm_rate,
        machine=machine,
        machine_pattern=machine_pattern,
        recording=recording,
        fit=fit,
        coarse=coarse,
    )
    try:
        with WorkProgress("recordings") as progress:
            report = measure_limits(
                model,
                normals,
                options,
                compute,
                store=store,
                overwrite=overwrite,
                on_total=progress.set_total,
                on_clip=progress.advance,
                on_note=say,
            )
    except KeyboardInterrupt:
        say_interrupted("interrupted; nothing was written")
        raise typer.Exit(signals.exit_code()) from None
    if output is not None:
        _write(output, report)
    _tell(report, json=json)
    for written in (output, store):
        if written is not None:
            n = len(report.machines)
            say(f"limits of {n} {plural(n, 'machine')} -> {printable(written)}")
    raise typer.Exit(EXIT_SOME_UNSCORED if report.unusable or report.refused else 0)


def _write(output: Path, report: SensitivityReport) -> None:
    try:
        write_atomically(output, [f"{as_json(report)}\n".encode()])
    except OSError as error:
        raise cannot_be_written(output, error) from error


def _tell(report: SensitivityReport, *, json: bool) -> None:
    for warning in report.warnings:
        say(f"warning: {warning}")
    if report.left_out:
        say(f"left out, said to be anomalous: {listed(report.left_out, MAX_NAMED)}")
    say_unusable("not used", [(each.path, each.reason) for each in report.unusable])
    for refusal in listed_by_reason(report.refused.items(), MAX_NAMED):
        say(f"not measured: {refusal}")
    if json:
        emit(as_json(report))
        return
    stdout = wide_console()
    for each in report.machines:
        stdout.print(f"\n{heading(each)}\n", markup=False, highlight=False)
        stdout.print(table_of(each.limits))
    for each in report.machines:
        say(in_one_line(each))
    say(WHAT_IT_IS)
