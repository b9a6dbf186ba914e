"""``osscl demo``: the product's first minute."""

import time
from pathlib import Path
from typing import Annotated

import msgspec
import rich.table
import typer

from osscl.cli import signals
from osscl.cli.console import WorkProgress, as_json, print_facts, stdout
from osscl.cli.messages import emit, say, say_interrupted
from osscl.cli.streams import refuse_closed_stdout
from osscl.demo import MODEL, N_STEPS, PLAN, RECORDINGS, REPORT, SCORES, Demonstration, run_demo
from osscl.evaluation.figures import DecisionFigures, Figure
from osscl.scoring.judge import DEFAULT_RATE
from osscl.support.outputs import check_output_folder, refuse_used_folder
from osscl.support.paths import printable

EXAMPLES = """[bold]Examples[/bold]\n
  osscl demo\n
  osscl demo --output /tmp/osscl-demo --overwrite --json\n
\n
Then: osscl score osscl-demo/enrolled.onnx osscl-demo/recordings --only anomalies, osscl inspect demo,
osscl evaluate osscl-demo/enrolled.onnx osscl-demo/recordings --rule all
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
    """Enroll normal sounds of machines, then find the faulty ones among others."""
    check_output_folder(output)
    refuse_used_folder(output / RECORDINGS, overwrite=overwrite)  # before anything that takes its time
    refuse_closed_stdout()
    started = time.monotonic()
    try:
        say(
            f"{PLAN.train} normal recordings of {PLAN.machines} machines from osscl's own generator are "
            f"enrolled, then {PLAN.normal} healthy and {PLAN.anomalous} faulty ones are scored"
        )
        with WorkProgress("steps", N_STEPS) as progress:
            found = run_demo(output, on_step=progress.advance, overwrite=overwrite)
    except KeyboardInterrupt:
        is_begun = (output / RECORDINGS).is_dir()
        kept = f"what was done is kept in {printable(output)}" if is_begun else "nothing was written"
        say_interrupted(f"interrupted; {kept}")
        raise typer.Exit(signals.exit_code()) from None
    if json:
        emit(as_json(msgspec.to_builtins(found.memory) | {"by_rule": {"network": found.network}}))
        return
    print_demonstration(found, output, time.monotonic() - started)


def print_demonstration(found: Demonstration, output: Path, seconds: float) -> None:
    """Print what was found, where it lies and how long it took.

    Parameters
    ----------
    found : Demonstration
        What was found.
    output : Path
        Folder of the demonstration.
    seconds : float
        How long it took.
    """
    stdout.print(_table(found))
    stdout.print(
        f"decided by memory at {100 * DEFAULT_RATE:g} % false alarms; AUC of {PLAN.normal + PLAN.anomalous} "
        "clips, last line: mean of IDs\n"
    )
    print_facts(
        {
            "recordings": output / RECORDINGS,
            "model file": output / MODEL,
            "scores": output / SCORES,
            "report": output / REPORT,
            "took": f"{seconds:.1f} s",
        }
    )


def _table(found: Demonstration) -> rich.table.Table:
    table = rich.table.Table("machine", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("found", "missed", "false alarms", "AUC % network", "AUC % memory"):
        table.add_column(name, justify="right")
    decisions = found.memory.decisions
    assert decisions is not None
    auc_of = [{each.machine: each.auc for each in one.machines} for one in (found.network, found.memory)]
    for machine in decisions.machines:
        table.add_row(*_counts(machine), *(_percent(auc[machine.machine]) for auc in auc_of))
    mean = [_percent(one.total.mean_auc) for one in (found.network, found.memory)]
    table.add_row(*_counts(decisions.total), *mean, style="bold")
    return table


def _counts(decided: DecisionFigures) -> tuple[str, ...]:
    n_missed = decided.n_anomalous - decided.n_detected
    return decided.machine, *map(str, (decided.n_detected, n_missed, decided.n_false_alarms))


def _percent(figure: Figure | None) -> str:
    return "undefined" if figure is None else f"{100 * figure.value:.1f}"
