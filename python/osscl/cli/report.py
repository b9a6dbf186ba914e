"""``osscl report``: a table of scores as a page that people open."""

import datetime
from pathlib import Path
from typing import Annotated

import typer

from osscl.cli import signals
from osscl.cli.completion import models
from osscl.cli.console import WorkProgress
from osscl.cli.folders import check_listable
from osscl.cli.messages import say, say_interrupted
from osscl.evaluation.ground_truth import GroundTruth
from osscl.evaluation.labelled import label_by_names
from osscl.page.gathering import N_WORST, PageOptions
from osscl.page.making import make_page
from osscl.page.since import Since
from osscl.support.links import missing
from osscl.support.paths import printable
from osscl.support.plurals import plural

EXAMPLES = """[bold]Examples[/bold]\n
  osscl report scores.csv --output report.html\n
  osscl report scores.csv --model model.onnx --audio-root recordings --output report.html\n
  osscl report scores.csv --since 24h --output tonight.html\n
  osscl report scores.parquet --ground-truth eval_data_list.csv --worst 50 --output report.html\n
\n
Exit code: 0 written, 1 failed, 2 wrong usage; interrupted, with nothing written: 130 by Ctrl-C, 143 by
SIGTERM, 129 by SIGHUP.
"""


def report(
    scores: Annotated[
        Path,
        typer.Argument(help="Table that osscl score wrote: .csv, .jsonl or .parquet.", metavar="SCORES"),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Page to write: .html.", metavar="PAGE", readable=False)
    ],
    model: Annotated[
        Path | None,
        typer.Option(
            help="Model file that gave the scores. By default the one that the record of the run beside "
            "SCORES names, where it is still there unchanged.",
            metavar="MODEL",
            autocompletion=models,
        ),
    ] = None,
    audio_root: Annotated[
        Path | None,
        typer.Option(
            help="Folder where the recordings lie now: paths of SCORES count from it, absolute ones from the "
            "folder that all of them have in common. By default paths are taken as they stand.",
            metavar="FOLDER",
        ),
    ] = None,
    ground_truth: Annotated[
        Path | None,
        typer.Option(
            help="The challenge's list of labels, or a folder with ground_truth_<type>.csv. Without it "
            "file names tell: normal_... or anomaly_...",
            metavar="FILE",
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            help="Recordings made from then on decide what needs attention, and are shown; histories hold "
            "all. A span such as 24h or 7d, or a date. Where no time is known, the end of the run counts.",
            metavar="24h|DATE",
        ),
    ] = None,
    worst: Annotated[
        int, typer.Option(min=0, max=200, help="Clips that are shown with picture and sound.")
    ] = N_WORST,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is at PAGE.")] = False,
) -> None:
    """Write one HTML page: which machine needs attention, whether to trust it, and the clips to listen to."""
    for path in (scores, ground_truth):
        if path is not None and (problem := missing(path)) is not None:
            raise typer.BadParameter(problem)
    if audio_root is not None:
        check_listable(audio_root)
    label = label_by_names if ground_truth is None else GroundTruth.read(ground_truth).label
    begin = None if since is None else Since.read(since, datetime.datetime.now().astimezone())
    options = PageOptions(model=model, audio_root=audio_root, label=label, n_worst=worst, since=begin)
    inputs = [scores, model, ground_truth]
    try:
        with WorkProgress("clips") as progress:
            made = make_page(
                scores,
                output,
                options,
                overwrite=overwrite,
                inputs=inputs,
                on_total=progress.set_total,
                on_clip=progress.advance,
            )
    except KeyboardInterrupt:
        say_interrupted("interrupted; nothing was written")
        raise typer.Exit(signals.exit_code()) from None
    for note in made.notes:
        say(note)
    say(made.headline)
    windows = f" in {made.n_windows:,} {plural(made.n_windows, 'window')}" if made.n_windows else ""
    size = f"({output.stat().st_size / 1e6:.1f} MB)"
    say(f"{made.n_files:,} {plural(made.n_files, 'file')}{windows} -> {printable(output)} {size}")
