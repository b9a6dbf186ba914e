"""``osscl score``: recordings in, a table of anomaly scores out."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from osscl.audio.reading import Fit
from osscl.backends import DEFAULT_OPTIONS, ComputeOptions
from osscl.cli import signals
from osscl.cli.console import (
    EXIT_SOME_UNSCORED,
    BuildProgress,
    FileProgress,
    as_json,
    result_stream,
    say,
)
from osscl.cli.options import takes_compute_options
from osscl.cli.streams import reader_is_gone
from osscl.detector import Detector
from osscl.errors import ConfigError
from osscl.machines.labels import MachineOf, machine_source
from osscl.runs.folder import find_recordings
from osscl.runs.run import Tally, score_to_table
from osscl.runs.tables import OutputTable
from osscl.scoring.record import Record
from osscl.support.paths import is_there, printable

EXAMPLES = """[bold]Examples[/bold]\n
  osscl score demo osscl-demo/recordings\n
  osscl score model.onnx dcase2020 --output scores.csv\n
  osscl score model.onnx pump_recordings --machine pump/id_02 --output scores.parquet\n
  osscl score model.onnx recordings --labels machines.csv --resample --channel 0 --json\n
  osscl score model.onnx recordings --device cuda:all --output scores.csv\n
\n
Exit code: 0 all scored, 1 failed, 2 wrong usage, 3 done but some files could not be scored; interrupted, with
what is scored kept: 130 by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP.
"""


@takes_compute_options
def score(
    model: Annotated[
        Path, typer.Argument(help="Model file that osscl-export wrote, or demo.", metavar="MODEL")
    ],
    paths: Annotated[
        list[str],
        typer.Argument(
            help="Folders, searched for .wav and .flac files at any depth; or files.", metavar="FOLDER"
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Table to write: .csv, .jsonl or .parquet. Without it: CSV on stdout.",
            readable=False,
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON Lines on stdout instead of CSV.")] = False,
    machine: Annotated[
        str | None,
        typer.Option(
            help="Machine ID of all files, such as fan/id_00. By default folder and file name say it, as in "
            "fan/test/normal_id_00_00000000.wav."
        ),
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="CSV table with the columns path and machine that names each file's.")
    ] = None,
    resample: Annotated[
        bool, typer.Option("--resample", help="Convert other sample rates to the model's.")
    ] = False,
    channel: Annotated[
        str | None,
        typer.Option(help="Channel to take of several, counted from 0, or 'mean' of all.", metavar="N|mean"),
    ] = None,
    pad: Annotated[
        str | None,
        typer.Option(help="Fill up short recordings: 'repeat' them or add 'zero's.", metavar="repeat|zero"),
    ] = None,
    compute: ComputeOptions = DEFAULT_OPTIONS,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the output of an earlier run.")
    ] = False,
) -> None:
    """Score recordings for anomalies: one line a file, also for those that cannot be scored."""
    if output is not None and json:
        raise typer.BadParameter(
            "--json writes to stdout; use --output with a name that ends in .jsonl instead"
        )
    if machine is not None and labels is not None:
        raise typer.BadParameter(
            "--machine names one machine for all files, --labels one for each: choose one"
        )
    fit = Fit(resample, _channel(channel), pad)  # type: ignore[arg-type]  # Fit itself checks the word
    _check_roots(paths)
    table = OutputTable(
        output,
        overwrite=overwrite,
        inputs=[model, labels, *paths],
        suffix=".jsonl" if json else ".csv",
        stream=result_stream(),
    )
    try:
        with BuildProgress() as building:
            detector = Detector(model, replace(compute, on_build=building.show_phase))
        machine_of = machine_source(detector.machines, machine, labels)
    except BaseException:  # Ctrl-C too: an empty table would stand in the way of the next run
        table.abandon()
        raise
    options = {
        "paths": list(map(printable, paths)),
        "machine": machine,
        "labels": None if labels is None else printable(labels),
        "resample": resample,
        "channel": channel,
        "pad": pad,
        **compute.record(),
    }
    raise typer.Exit(_run(detector, paths, table, machine_of, fit, options))


def _run(
    detector: Detector,
    paths: list[str],
    table: OutputTable,
    machine_of: MachineOf,
    fit: Fit,
    options: dict[str, Any],
) -> int:
    tally = Tally()

    with detector, FileProgress(paths) as progress:

        def show(_: Record) -> None:
            progress.advance(f"{tally.n_failed} not scored" if tally.n_failed else "")

        try:
            score_to_table(
                detector,
                find_recordings(paths),
                table,
                machine_of=machine_of,
                fit=fit,
                options=options,
                tally=tally,
                on_record=show,
                on_run=_tell,
            )
        except KeyboardInterrupt:
            interrupted = True
        else:
            interrupted = False
    where = table.kept if interrupted else printable(table.output or "")
    say(f"{'interrupted after ' if interrupted else ''}{tally}" + (f" -> {where}" if where else ""))
    if interrupted:
        return signals.exit_code()
    return EXIT_SOME_UNSCORED if tally.n_failed else 0


def _tell(run: dict[str, Any]) -> None:
    """The record of a run goes to stderr where no file has it beside itself, unless nobody read the rows."""
    if not reader_is_gone():
        say(as_json(run))


def _channel(text: str | None) -> int | Literal["mean"] | None:
    if text is None or text == "mean":
        return text  # type: ignore[return-value]
    if not text.isdecimal():
        raise ConfigError(f"--channel is '{text}'; expected a number from 0, or 'mean'")
    return int(text)


def _check_roots(paths: list[str]) -> None:
    for path in paths:
        if not is_there(path):
            raise typer.BadParameter(f"there is no file or folder {printable(path)}")
