"""A folder run with a journal: what is done is left out, and the table is made of the journal at the end."""

import array
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from osscl.audio.candidate import Candidate
from osscl.audio.recorded_at import RecordingTimes, TimesOfWalk
from osscl.detector import Detector
from osscl.errors import MachineError, OutputError
from osscl.journal.contents import check_usable
from osscl.journal.journal import Journal, journal_of
from osscl.journal.rows import Place
from osscl.runs.deciding import Decider
from osscl.runs.explaining import Explainer
from osscl.runs.exporting import Wanted, current_export, export_table, refuse_foreign
from osscl.runs.run import how_scored, write_run_record
from osscl.runs.tables import check_format, record_of
from osscl.runs.tally import Tally
from osscl.scoring.record import Record
from osscl.support.outputs import check_output, refuse_inputs
from osscl.support.regular_file import read_regular
from osscl.support.utc import utc_now

Scores = Callable[[Iterable[Candidate], RecordingTimes], Iterator[Record]]
"""Gives the records of files, in their order."""


def check_place(
    output: Path, *, overwrite: bool, inputs: Iterable[str | os.PathLike[str] | None] = ()
) -> None:
    """Refuse a place for a table and its journal, before a model is so much as read.

    Parameters
    ----------
    output : Path
        Table to write.
    overwrite : bool
        Begin anew, whatever an earlier run left.
    inputs : iterable of path-like or None
        What the run reads, which is never replaced.

    Raises
    ------
    ConfigError
        The ending names no format.
    MissingExtraError
        The format needs a package that is not installed.
    OutputError
        The place cannot be written to, or is taken by something else than an earlier run with this journal.
    """
    check_format(output)
    inputs, journal = tuple(inputs), journal_of(output)
    for beside in (journal, record_of(output)):
        refuse_inputs(beside, inputs)
    is_resumed = os.path.lexists(journal) and not overwrite
    check_output(output, overwrite=overwrite or is_resumed, inputs=inputs)
    check_output(journal, overwrite=True)
    if is_resumed:
        with check_usable(journal) as contents:
            if contents is not None:
                refuse_foreign(contents, output)
            elif os.path.lexists(output):  # the journal of a run that was ended before it had begun
                check_output(output, overwrite=False)


def is_finished(output: Path) -> bool:
    """Whether the journal of an output is there, and its last run met all files; raises `JournalError`."""
    journal = journal_of(output)
    if not os.path.lexists(journal):
        return False
    with check_usable(journal) as contents:
        sessions = [] if contents is None else contents.sessions()
    return bool(sessions) and sessions[-1].is_whole


@dataclass(slots=True)
class JournaledRun:
    """A run over the recordings of some folders, with a journal beside its table.

    Attributes
    ----------
    detector : Detector
        The model.
    journal : Journal
        Open for writing.
    output : Path
        The table.
    wanted : Wanted
        How the table is made.
    options : dict
        What the user asked for, for the record of the run.
    explainer : Explainer or None
        Explains flagged clips.
    overwrite : bool
        Replace a file that stands in the table's place, whatever it is.
    n_scored : int
        Files that were scored by this run.
    n_known : int
        Files of the journal before it.
    """

    detector: Detector
    journal: Journal
    output: Path
    wanted: Wanted
    options: dict[str, Any]
    explainer: Explainer | None = None
    overwrite: bool = False
    n_scored: int = 0
    n_known: int = 0

    def score(
        self,
        candidates: Iterable[Candidate],
        scores: Scores,
        times: RecordingTimes,
        on_record: Callable[[Record], None],
        *,
        retry_failed: bool = False,
    ) -> None:
        """Score what is not done yet into the journal.

        Parameters
        ----------
        candidates : iterable of Candidate
            All files, in the order of the walk.
        scores : callable
            Scores some of them.
        times : RecordingTimes
            When they began, where neither names nor headers tell.
        on_record : callable
            Called after each new line.
        retry_failed : bool
            Score files again that could not be scored.

        Raises
        ------
        KeyboardInterrupt
            The run was interrupted; what came before is kept.
        JournalError
            The journal cannot be written.
        """
        self.n_known = sum(self.journal.counts().values())
        numbers = array.array("q")  # of each file that is scored: how many of the walk come before it
        by_number = times.every_s is not None

        def undone() -> Iterator[Candidate]:
            for candidate in self.journal.undone(candidates, retry_failed, in_fixed_places=by_number):
                if by_number:
                    numbers.append(self.journal.n_before)
                self.n_scored += 1
                yield candidate

        counted = TimesOfWalk(times, numbers) if by_number else times
        for record in scores(undone(), counted):
            self.journal.add(record if self.explainer is None else self.explainer.explained(record))
            on_record(record)
        self.journal.commit()
        self.journal.note_whole()

    @property
    def n_gone(self) -> int:
        """Files of the journal that this run, once it scored all there is, did not meet."""
        return sum(self.journal.counts().values()) - self.journal.n_done_before - self.n_scored

    @property
    def n_again(self) -> int:
        """Files of the journal that this run scored again: they were changed, or had failed."""
        return max(0, min(self.n_scored, self.n_known - self.journal.n_done_before - self.n_gone))

    def export(self, on_record: Callable[[], object] = lambda: None) -> tuple[Tally, bool]:
        """Make the table, unless it is there and holds everything.

        Returns
        -------
        tally : Tally
            What is in the journal.
        is_made : bool
            Whether the table was not there as it is wanted.
        """
        there = current_export(self.journal, self.output)
        if there is not None and there.wanted == self.wanted:
            if not os.path.lexists(record_of(self.output)):
                write_run_record(self.output, there.run)
            return there.tally(), False
        self._meet_machines()
        tally = export_table(
            self.journal,
            self.output,
            Decider(self.detector.bundle, self.wanted.false_alarm_rate, {"options": self.options}),
            self.wanted,
            self._record(completed=True),
            explains=None if self.explainer is None else self._explained,
            noting=self.journal,
            is_up_to_date=True,
            overwrite=self.overwrite,
            on_record=on_record,
        )
        return tally, True

    def note_overwriting(self) -> None:
        """Say beside a table that is given up that it is, for as long as none of this run is there."""
        place = record_of(self.output)
        if not self.overwrite or not place.is_file():
            return
        try:
            given_up = msgspec.json.decode(read_regular(place), type=dict[str, Any])
        except (OSError, msgspec.MsgspecError):  # not ours: the new record replaces it
            return
        write_run_record(self.output, given_up | {"completed": False, "given_up": True})

    def note_interruption(self) -> None:
        """Say beside the output that its run was interrupted, where no earlier table stands there."""
        if not os.path.lexists(self.output):
            self._meet_machines()
            counts = self.journal.counts()
            facts = {"ended": utc_now(), "n_files": sum(counts.values()), "counts": counts}
            with suppress(OutputError):  # the journal has it all
                write_run_record(self.output, self._record(completed=False) | facts)

    def _record(self, *, completed: bool) -> dict[str, Any]:
        sessions = self.journal.sessions()
        return {
            "completed": completed,
            "started": sessions[0].started,
            "ended": None,
            "sessions": len(sessions),
            **how_scored(self.detector, self.options),
            "scored_by": self.detector.judges.fingerprints(),
        }

    def _meet_machines(self) -> None:
        """Let the judges know the machines whose clips were scored before this run."""
        for machine in self.journal.machines():
            with suppress(MachineError):
                self.detector.judges.of(machine)

    def _explained(self, place: Place, record: Record) -> Record:
        assert self.explainer is not None
        if any(path == record.path for path, _ in self.explainer.unexplained):
            return record  # said already
        explained = self.explainer.explained(record)
        if explained.explanation is not None:
            self.journal.keep_explanation(place, explained.explanation)
        return explained
