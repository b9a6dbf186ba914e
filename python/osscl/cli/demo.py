"""``osscl demo``: the product's first minute."""

import time
from pathlib import Path
from typing import Annotated

import rich.table
import typer

from osscl.cli import signals
from osscl.cli.console import WorkProgress, as_json, print_facts, stdout
from osscl.cli.messages import emit, say
from osscl.demo import PLAN, RECORDINGS, REPORT, SCORES, run_demo
from osscl.evaluation.figures import Evaluation, Figure
from osscl.scoring.record import Record
from osscl.support.outputs import check_output_folder

EXAMPLES = """[bold]Examples[/bold]\n
  osscl demo\n
  osscl demo --output /tmp/osscl-demo --overwrite --json\n
\n
Then: osscl score demo osscl-demo/recordings, osscl inspect demo, osscl evaluate osscl-demo/scores.csv
"""


def demo(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for recordings, scores and report.", readable=False)
    ] = Path("osscl-demo"),
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace what an earlier demo left there.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="The evaluation as JSON.")] = False,
) -> None:
    """Make sounds of healthy and faulty machines, score them, and say how well they are told apart."""
    check_output_folder(output)
    started = time.monotonic()
    say(
        f"{PLAN.n_clips} recordings of {PLAN.machines} machines from osscl's own generator, scored by a "
        "demonstration model trained on such sounds alone"
    )
    try:
        with WorkProgress("steps", 2 * PLAN.n_clips) as progress:

            def show(_: Record | None = None) -> None:
                progress.advance()

            evaluation = run_demo(output, on_clip=show, on_record=show, overwrite=overwrite)
    except KeyboardInterrupt:
        say(f"interrupted; what was done is kept in {output}")
        raise typer.Exit(signals.exit_code()) from None
    if json:
        emit(as_json(evaluation))
        return
    stdout.print(_table(evaluation))
    stdout.print(f"pooled over a type's IDs; pAUC up to a false-positive rate of {evaluation.max_fpr:g}\n")
    print_facts(
        {
            "recordings": output / RECORDINGS,
            "scores": output / SCORES,
            "report": output / REPORT,
            "took": f"{time.monotonic() - started:.1f} s",
        }
    )


def _table(evaluation: Evaluation) -> rich.table.Table:
    table = rich.table.Table("machine type", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("normal", "faulty", "AUC %", "pAUC %"):
        table.add_column(name, justify="right")
    for kind in evaluation.types:
        figures = kind.figures
        areas = map(_percent, (figures.pooled_auc, figures.pooled_pauc))
        table.add_row(kind.machine_type, str(kind.n_normal), str(kind.n_anomalous), *areas)
    mean = map(_percent, (evaluation.total.pooled_auc, evaluation.total.pooled_pauc))
    counts = str(evaluation.n_normal), str(evaluation.n_anomalous)
    table.add_row("mean of types", *counts, *mean, style="bold")
    return table


def _percent(figure: Figure | None) -> str:
    return "undefined" if figure is None else f"{100 * figure.value:.1f}"
