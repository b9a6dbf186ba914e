"""``osscl monitor``: whether machines still sound like their calibration, and when they raised alarms."""

from pathlib import Path
from typing import Annotated, Any

import rich.markup
import rich.table
import typer

from osscl.cli import signals
from osscl.cli.completion import models
from osscl.cli.console import MAX_NAMED, WorkProgress, as_json, percent, wide_console
from osscl.cli.folders import check_listable
from osscl.cli.messages import EXIT_ANOMALY, EXIT_SOME_UNSCORED, emit, say, say_interrupted
from osscl.cli.options import window_of_alarm
from osscl.decisions.alarms import AlarmRule
from osscl.model_file.bundle import read_bundle
from osscl.monitoring import AlarmBudget, AlarmFacts, Watched, Watching, WatchOptions, watch
from osscl.monitoring.report import document_of
from osscl.monitoring.sentences import budget_sentence
from osscl.runs.deciding import run_beside, scored_by
from osscl.runs.score_table import read_records
from osscl.support.atomic import write_atomically
from osscl.support.durations import parse_duration
from osscl.support.links import missing
from osscl.support.listing import first_of
from osscl.support.outputs import cannot_be_written, check_output
from osscl.support.paths import printable
from osscl.support.plurals import counted

EXAMPLES = """[bold]Examples[/bold]\n
  osscl monitor scores.csv --model model.onnx\n
  osscl monitor scores.csv --model model.onnx --false-alarms 1/week --every 10s\n
  osscl monitor scores.csv --model model.onnx --alarm 4/6 --hold 10 --cool-down 60 --fail-on-alarm\n
  osscl monitor scores.parquet --model model.onnx --audio-root recordings --json\n
\n
Exit code: 0 done, 1 failed, 2 wrong usage, 3 done but some machines cannot be watched, 4 a machine has
drifted or raised an alarm with --fail-on-alarm; interrupted: 130 by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP.
"""


def monitor(
    scores: Annotated[
        Path,
        typer.Argument(help="Table that osscl score wrote: .csv, .jsonl or .parquet.", metavar="SCORES"),
    ],
    model: Annotated[
        Path,
        typer.Option(
            help="Model file with the memories and calibrations that decided.",
            metavar="MODEL",
            autocompletion=models,
        ),
    ],
    audio_root: Annotated[
        Path | None,
        typer.Option(
            help="Folder that the paths of the table begin at, so that changed bands can be told from the "
            "sound; by default the folder that the command runs in.",
            metavar="DIR",
            readable=False,
        ),
    ] = None,
    drift_rate: Annotated[
        float,
        typer.Option(
            help="Share of machines that may ever be called changed although they are not.", metavar="RATE"
        ),
    ] = 0.001,
    alarm: Annotated[
        str, typer.Option(help="Raise an alarm when N of the last M clips are flagged.", metavar="N/M")
    ] = "3/5",
    false_alarms: Annotated[
        str | None,
        typer.Option(
            help="False alarms of a machine that may be raised, such as 1/week: N of M is chosen for it.",
            metavar="COUNT/TIME",
        ),
    ] = None,
    every: Annotated[
        str | None,
        typer.Option(
            help="How often a clip comes, such as 10s, 10 or 5min; by default as their times say.",
            metavar="TIME",
        ),
    ] = None,
    hold: Annotated[int, typer.Option(help="Clips for which an alarm stands at least.", metavar="N")] = 0,
    cool_down: Annotated[
        int, typer.Option(help="Clips after an alarm in which none is raised.", metavar="N")
    ] = 0,
    distance: Annotated[
        int | None,
        typer.Option(
            help="Take every N-th clip to tell drift; by default the distance at which clips are no longer "
            "alike is estimated.",
            metavar="N",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File for the report as JSON.", metavar="JSON", readable=False),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Report as JSON on stdout.")] = False,
    fail_on_alarm: Annotated[
        bool,
        typer.Option("--fail-on-alarm", help="Exit with 4 where a machine has drifted or raised an alarm."),
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier report.")] = False,
) -> None:
    """Tell whether machines still sound like their calibration, and when they raised alarms."""
    if (problem := missing(scores)) is not None:
        raise typer.BadParameter(problem)
    if audio_root is not None:
        check_listable(audio_root)
    if false_alarms is not None and alarm != "3/5":
        raise typer.BadParameter("--false-alarms chooses N/M, and --alarm names it: choose one")
    options = WatchOptions(
        drift_rate=drift_rate,
        alarm=AlarmRule(*window_of_alarm(alarm), hold, cool_down),
        false_alarms=None if false_alarms is None else AlarmBudget.parse(false_alarms),
        every_s=None if every is None else parse_duration(every, "--every"),
        distance=distance,
        audio_root=audio_root,
    )
    if output is not None:
        check_output(output, overwrite=overwrite, inputs=[scores, model])
    bundle = read_bundle(model)
    run = run_beside(scores)
    try:
        with WorkProgress("lines") as progress:
            watching = watch(read_records(scores), bundle, options, run, on_lines=progress.show)
    except KeyboardInterrupt:
        say_interrupted("interrupted; nothing was written")
        raise typer.Exit(signals.exit_code()) from None
    if scored_by(run) is None:
        say(f"{printable(scores)} has no record of its run beside it: taken as scored by {printable(model)}")
    document = document_of(watching, options, scores, model)
    if output is not None:
        _write(output, document)
    _tell(watching, document, options.false_alarms, json=json)
    is_changed = any(each.drift or each.alarms for each in watching.machines)
    if fail_on_alarm and is_changed:
        raise typer.Exit(EXIT_ANOMALY)
    raise typer.Exit(EXIT_SOME_UNSCORED if any(each.note for each in watching.machines) else 0)


def _write(output: Path, document: dict[str, Any]) -> None:
    try:
        write_atomically(output, [as_json(document).encode(), b"\n"])
    except OSError as error:
        raise cannot_be_written(output, error) from error


def _tell(watching: Watching, document: dict[str, Any], budget: AlarmBudget | None, *, json: bool) -> None:
    notes, n_left = first_of(watching.notes, MAX_NAMED)
    for note in notes:
        say(note)
    if n_left:
        say(f"{counted(n_left, 'more note')}; --json has all")
    for each in watching.machines:
        if each.note is not None:
            say(f"not watched: {each.machine or 'clips without a machine'}: {each.note}")
    if json:
        emit(as_json(document))
        return
    watched = [each for each in watching.machines if each.note is None]
    if not watched:
        return
    stdout = wide_console()
    stdout.print(_table(watched, watching.alarm_facts))
    for each in watched:
        facts = watching.alarm_facts.get(each.machine)
        told = [] if each.drift is None else [each.drift.sentence]
        if budget is not None and facts is not None:
            told.append(f"{each.machine}: {budget_sentence(facts, budget)}")
        told += _alarms(each)
        if told:
            emit("\n" + "\n".join(told))


def _table(watched: list[Watched], facts: dict[str, AlarmFacts]) -> rich.table.Table:
    table = rich.table.Table(box=None, pad_edge=False)
    table.add_column("machine", overflow="fold")
    for name in (
        "clips",
        "normals",
        "every",
        "evidence",
        "drift",
        "alarms",
        "N/M",
        "at",
        "false alarms",
        "at most",
    ):
        table.add_column(name, justify="right", no_wrap=True)
    for each in watched:
        of_machine = facts.get(each.machine)
        evidence = max(each.log10_martingale, default=0.0)
        cells = (
            each.machine,
            each.n_clips,
            each.n_calibration,
            each.distance,
            f"{10**evidence:.2g}" if evidence < 3 else f"10^{evidence:.0f}",
            "yes" if each.drift else "no",
            len(each.alarms) if of_machine else "-",
            f"{of_machine.n}/{of_machine.m}" if of_machine else "-",
            percent(of_machine.false_alarm_rate) if of_machine else "-",
            _expected(of_machine) if of_machine else "-",
            percent(of_machine.bound) if of_machine else "-",
        )
        table.add_row(*(rich.markup.escape(str(cell)) for cell in cells))
    return table


def _expected(facts: AlarmFacts) -> str:
    if facts.raised_a_week is None:
        return f"{facts.raised:.2g}/clip"
    return f"{facts.raised_a_week:.2g}/week"


def _alarms(watched: Watched) -> list[str]:
    shown, n_left = first_of(watched.alarms, MAX_NAMED)
    texts = []
    for alarm in shown:
        begun = alarm.raised or f"clip {alarm.raised_at + 1}"
        ended = (
            "still raised"
            if alarm.released_at is None
            else f"released {alarm.released or f'at clip {alarm.released_at + 1}'}"
        )
        texts.append(f"alarm of {watched.machine}: {begun}, {ended}")
    if n_left:
        texts.append(f"alarm of {watched.machine}: {n_left} more; --json has all")
    return texts
