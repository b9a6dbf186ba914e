"""``osscl journal``: how far a run has come, and its table so far, also while it writes."""

import shlex
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from osscl.cli import signals
from osscl.cli.completion import models
from osscl.cli.console import WorkProgress, as_json, print_facts
from osscl.cli.messages import emit, say, say_interrupted
from osscl.errors import JournalError
from osscl.events.outbox import find_event
from osscl.journal.contents import Contents, noting_in, reading
from osscl.journal.journal import journal_of
from osscl.runs.deciding import Decider
from osscl.runs.exporting import export_table, refuse_foreign
from osscl.runs.journal_state import State, deciding_bundle, record_of_run, state_of, wanted_of
from osscl.runs.tables import check_format
from osscl.runs.tally import Tally
from osscl.support.listing import listed
from osscl.support.outputs import check_output
from osscl.support.paths import brief, printable
from osscl.support.plurals import plural

_MAX_NAMED = 3

EXAMPLES = """[bold]Examples[/bold]\n
  osscl journal scores.csv.journal\n
  osscl journal scores.csv.journal --output so_far.csv\n
  osscl journal scores.csv.journal --model model.onnx --output scores.parquet --overwrite\n
  osscl journal scores.csv.journal --json\n
  osscl journal watch.csv.journal --event 3f2a9c0d1e4b5f60718293a4b5c6d7e8\n
\n
Exit code: 0 done, 1 failed, 2 wrong usage; interrupted: 130 by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP.
"""


def journal(
    journal: Annotated[
        Path, typer.Argument(help="Journal that a run keeps beside its output.", metavar="JOURNAL")
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Table to make of it: .csv, .jsonl or .parquet.",
            readable=False,
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            help="Model file that decides; by default the one that the run was given.",
            metavar="MODEL",
            autocompletion=models,
        ),
    ] = None,
    event: Annotated[
        str | None,
        typer.Option(help="Tell of which recording an event is, and what is heard there.", metavar="ID"),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="The state, or the event, as one JSON document on stdout.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a table that is there already.")
    ] = False,
) -> None:
    """Show how far a run has come, and make the table of what it has done, also while it goes on."""
    if model is not None and output is None:
        raise typer.BadParameter("--model decides the rows of a table: add --output")
    if event is not None:
        if output is not None:
            raise typer.BadParameter("--event tells of one event, --output makes a table: choose one")
        with reading(journal) as contents:
            _tell_event(contents, event, json=json)
        return
    with reading(journal) as contents:
        state = state_of(contents)
        tally = None if output is None else _export(contents, output, model, overwrite=overwrite)
    if json:
        emit(as_json(state))
    elif output is None:
        print_facts(_facts(state))
    if tally is not None:
        say(f"{tally}, of a run that is {state.state} -> {printable(output or '')}")


def _tell_event(contents: Contents, known_by: str, *, json: bool) -> None:
    found = find_event(contents.connection, known_by)
    if found is None:
        raise JournalError(f"{printable(contents.path)} holds no event {brief(known_by)}")
    if json:
        emit(as_json(found))
        return
    facts = {name: value for name, value in msgspec.structs.asdict(found).items() if value is not None}
    print_facts(facts)
    if found.score is not None and found.explanation is None and found.machine is not None:
        model = contents.sessions()[-1].how.get("model", "MODEL")
        place, machine = shlex.join([str(model), found.path]), shlex.quote(found.machine)
        say(f"what is heard there: osscl explain {place} --machine {machine} --start {found.start_s or 0:g}")


def _export(contents: Contents, output: Path, model: Path | None, *, overwrite: bool) -> Tally:
    check_format(output)
    is_its_own = _is_same(journal_of(output), contents.path)
    if is_its_own and not overwrite:
        refuse_foreign(contents, output)
    check_output(output, overwrite=overwrite or is_its_own, inputs=[contents.path, model])
    bundle = deciding_bundle(contents, model)
    wanted = wanted_of(contents, bundle)
    run = record_of_run(contents, bundle)
    decider = Decider(bundle, wanted.false_alarm_rate, run)
    with WorkProgress("lines") as progress, _noting(contents.path, is_its_own=is_its_own) as noting:
        try:
            tally = export_table(
                contents,
                output,
                decider,
                wanted,
                run,
                noting=noting,
                overwrite=True,
                on_record=progress.advance,
            )
        except KeyboardInterrupt:
            say_interrupted(f"interrupted; {printable(output)} was not written")
            raise typer.Exit(signals.exit_code()) from None
    for note in decider.notes():
        say(note)
    return tally


def _noting(path: Path, *, is_its_own: bool) -> AbstractContextManager[Contents | None]:
    """What notes the table that the next run is to replace: none else is known by the journal."""
    return noting_in(path) if is_its_own else nullcontext()


def _facts(state: State) -> dict[str, Any]:
    done = ", ".join(f"{count:,} {status}" for status, count in state.counts.items())
    return {
        "journal": state.journal,
        "state": state.state if state.held_by is None else f"{state.state}: {state.held_by}",
        "started": state.started,
        "ended": state.ended or "-",
        "runs": state.sessions,
        "files": f"{state.n_files:,}" + (f": {done}" if done else ""),
        "model": state.model or "-",
        "rule": _rules(state.rules),
        "false-alarm rate": "by default" if state.false_alarm_rate is None else f"{state.false_alarm_rate:g}",
        **{
            name: value
            for name, value in state.settings.items()
            if name != "machines" and value not in (None, False)
        },
    }


def _rules(rules: Mapping[str, str]) -> str:
    """Such as "memory (3 machines)"; machines are named where there are two rules or more."""
    by_rule: dict[str, list[str]] = {}
    for machine, rule in rules.items():
        by_rule.setdefault(rule, []).append(machine)
    if len(by_rule) < 2:
        counted = (f"{rule} ({len(on)} {plural(len(on), 'machine')})" for rule, on in by_rule.items())
        return "".join(counted) or "-"
    return "; ".join(f"{rule} ({listed(on, _MAX_NAMED)})" for rule, on in by_rule.items())


def _is_same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return False
