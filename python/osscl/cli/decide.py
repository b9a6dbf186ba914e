"""``osscl decide``: a table of scores decided at another false-alarm rate, without scoring again."""

from pathlib import Path
from typing import Annotated

import typer

from osscl.cli import signals
from osscl.cli.completion import models
from osscl.cli.messages import EXIT_ANOMALY, EXIT_SOME_UNSCORED, complain, result_stream, say, say_interrupted
from osscl.cli.options import FailOnAnomaly, FalseAlarmRate, JsonLines, refuse_two_outputs
from osscl.cli.places import ResultTable
from osscl.model_file.bundle import read_bundle
from osscl.runs.deciding import Decider, NothingDecidedError, decide_table, describe, run_beside, scored_by
from osscl.runs.score_table import read_records
from osscl.runs.tables import OutputTable
from osscl.runs.tally import Tally
from osscl.support.links import missing
from osscl.support.paths import printable

EXAMPLES = """[bold]Examples[/bold]\n
  osscl decide scores.csv --model model.onnx --false-alarm-rate 0.01 --output strict.csv\n
  osscl decide scores.parquet --model model.onnx --json\n
\n
Exit code: 0 done, 1 failed, 2 wrong usage, 3 nothing could be decided and no table is written, 4 clips were
flagged with --fail-on-anomaly; interrupted: 130 by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP.
"""


def decide(
    scores: Annotated[
        Path,
        typer.Argument(help="Table that osscl score wrote: .csv, .jsonl or .parquet.", metavar="SCORES"),
    ],
    model: Annotated[
        Path,
        typer.Option(
            help="Model file with the memories and calibrations that decide.",
            metavar="MODEL",
            autocompletion=models,
        ),
    ],
    false_alarm_rate: FalseAlarmRate = None,
    output: ResultTable = None,
    json: JsonLines = False,
    fail_on_anomaly: FailOnAnomaly = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the output of an earlier run.")
    ] = False,
) -> None:
    """Decide a table of scores anew, at another false-alarm rate: nothing is scored again."""
    refuse_two_outputs(output, json)
    if (problem := missing(scores)) is not None:
        raise typer.BadParameter(problem)
    bundle = read_bundle(model)
    scored = run_beside(scores)
    decider = Decider(bundle, false_alarm_rate, scored)
    table = OutputTable(
        output,
        overwrite=overwrite,
        inputs=[model, scores],
        suffix=".jsonl" if json else ".csv",
        stream=result_stream(),
    )
    tally = Tally()
    try:
        run = describe(scores, bundle, scored, false_alarm_rate)
        decide_table(decider, read_records(scores), table, run, tally, refuses_undecided=True)
    except NothingDecidedError as error:
        complain(str(error))
        raise typer.Exit(EXIT_SOME_UNSCORED) from None
    except KeyboardInterrupt:
        say_interrupted(f"interrupted; {printable(output or 'stdout')} was not written")
        raise typer.Exit(signals.exit_code()) from None
    if scored_by(scored) is None:
        say(f"{printable(scores)} has no record of its run beside it: taken as scored by {printable(model)}")
    for note in decider.notes():
        say(note)
    where = "" if output is None else f" -> {printable(output)}"
    say((tally.flagged() if tally.n_decided else "the table is empty") + where)
    raise typer.Exit(EXIT_ANOMALY if fail_on_anomaly and tally.anomalies else 0)
