"""What ``osscl score`` does and says where its table is a file: it resumes, and tells what it did."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from osscl.audio.candidate import Candidate
from osscl.audio.recorded_at import RecordingTimes
from osscl.cli import signals
from osscl.cli.console import FileProgress, WorkProgress
from osscl.cli.messages import EXIT_SOME_UNSCORED, say, say_interrupted
from osscl.detector import Detector
from osscl.journal.journal import Journal, journal_of
from osscl.journal.settings import Settings
from osscl.live.alarms import are_kept
from osscl.runs.explaining import Explainer
from osscl.runs.exporting import Wanted
from osscl.runs.journaled import JournaledRun, Scores
from osscl.runs.run import how_scored
from osscl.runs.tally import Tally
from osscl.scoring.record import SCORED_STATUSES, Record
from osscl.support.paths import printable
from osscl.support.plurals import plural


@dataclass(frozen=True, slots=True)
class Journaling:
    """What a run with a journal was asked for.

    Attributes
    ----------
    output : Path
        The table.
    settings : mapping
        What the scores depend on.
    wanted : Wanted
        How the table is made of them.
    options : dict
        All that was asked for, for the record of the run.
    retry_failed, overwrite : bool
        As on the command line.
    """

    output: Path
    settings: Settings
    wanted: Wanted
    options: dict[str, Any]
    retry_failed: bool = False
    overwrite: bool = False


def score_with_journal(
    detector: Detector,
    paths: list[str],
    candidates: Iterable[Candidate],
    scores: Scores,
    times: RecordingTimes,
    asked: Journaling,
    explainer: Explainer | None,
) -> tuple[int, Tally]:
    """Score what is not done yet, make the table, and say so.

    Parameters
    ----------
    detector : Detector
        The model; it is closed at the end.
    paths : list of str
        Where the recordings are.
    candidates : iterable of Candidate
        The recordings.
    scores : callable
        Scores some of them.
    times : RecordingTimes
        When they began, where neither names nor headers tell.
    asked : Journaling
        What was asked for.
    explainer : Explainer or None
        Explains flagged clips.

    Returns
    -------
    exit_code : int
        As for `osscl score`, but for what was flagged.
    tally : Tally
        What is in the journal.
    """
    opening = Journal.open(
        journal_of(asked.output),
        asked.settings,
        asked.overwrite,
        how=how_scored(detector, asked.options),
        given_up=asked.output,
    )
    with detector, opening as journal:
        run = JournaledRun(
            detector, journal, asked.output, asked.wanted, asked.options, explainer, asked.overwrite
        )
        if journal.begun_anew is not None:
            say(f"nothing was scored by the run before, so this one begins anew: {journal.begun_anew}")
        run.note_overwriting()
        try:
            _score(run, paths, candidates, scores, times, retry_failed=asked.retry_failed)
            tally, is_made = _export(run)
        except KeyboardInterrupt:
            journal.commit()
            run.note_interruption()
            _say_how_to_go_on(journal, asked.output)
            return signals.exit_code(), Tally()
        _say_done(run, tally, is_made=is_made)
        journal.check_in_place()
    return EXIT_SOME_UNSCORED if tally.n_failed else 0, tally


def files(count: int) -> str:
    """Such as "1 file" or "2,000 files"."""
    return f"{count:,} {plural(count, 'file')}"


def _score(
    run: JournaledRun,
    paths: list[str],
    candidates: Iterable[Candidate],
    scores: Scores,
    times: RecordingTimes,
    *,
    retry_failed: bool,
) -> None:
    n_failed = 0
    with FileProgress(paths) as progress:

        def show(record: Record) -> None:
            nonlocal n_failed
            n_failed += record.status not in SCORED_STATUSES
            progress.show(
                run.journal.n_done_before + run.journal.n_kept, f"{n_failed} not scored" if n_failed else ""
            )

        run.score(candidates, scores, times, show, retry_failed=retry_failed)


def _export(run: JournaledRun) -> tuple[Tally, bool]:
    with WorkProgress("lines") as progress:
        return run.export(lambda: progress.advance("making the table"))


def _say_done(run: JournaledRun, tally: Tally, *, is_made: bool) -> None:
    journal, output = run.journal, printable(run.output)
    if not is_made:
        say(f"nothing to do: {tally} stand in {output}, and nothing is new or changed since")
    elif not run.n_scored:
        say(f"nothing was scored again, the table alone is made anew: {tally} -> {output}")
    else:
        say(f"{_what_it_did(run)}{tally} -> {output}")
    _say_gone(run)
    if run.n_scored and are_kept(journal.transaction):
        say(
            f"{printable(journal.path)} is a watch's: what osscl score adds to it raises no alarm, "
            f"and no receiver "
            "is told of it"
        )
    journal.commit()
    if journal.n_changed:
        say(
            f"{files(journal.n_changed)} changed while being scored: the same command scores what is "
            "there now"
        )


def _what_it_did(run: JournaledRun) -> str:
    """Of which files the table is: the numbers add up to all of them; nothing where all are new."""
    parts = [f"{files(run.journal.n_done_before)} done before"] if run.journal.n_done_before else []
    others = {"scored again": run.n_again, "new": run.n_scored - run.n_again, "gone": run.n_gone}
    parts += [f"{count:,} {what}" for what, count in others.items() if count]
    return f"{', '.join(parts)}; " if run.n_known else ""


def _say_gone(run: JournaledRun) -> None:
    if run.n_gone == 1:
        say("1 of them is gone from the folder; its line stays")
    elif run.n_gone:
        say(f"{run.n_gone:,} of them are gone from the folder; their lines stay")


def _say_how_to_go_on(journal: Journal, output: Path) -> None:
    n_files = sum(journal.counts().values())
    place = printable(journal.path)
    say_interrupted(
        f"interrupted after {files(n_files)}, which are kept in {place}: the same command (without "
        f"--overwrite) goes on; osscl journal {place} --output {printable(output)} makes a table of them"
    )
