"""What each process of a run does with a batch that it gets: scores it, or says in words why it cannot."""

import os
from collections.abc import Sequence
from typing import Any

from osscl.audio.candidate import Candidate
from osscl.distributed.ledger import AskedLedger
from osscl.distributed.letters import Told, answer_table, opened_letter
from osscl.distributed.work import Work, opened
from osscl.errors import DistributedError, MachineError, OssclError
from osscl.scoring.left_out import LeftOut
from osscl.scoring.record import Record
from osscl.support.listing import and_more, first_of
from osscl.support.paths import printable
from osscl.support.urls import is_url

_MAX_ENDS_OF_A_BATCH = 2
_MAX_ENDS_OF_A_FILE = 2
_MAX_NAMED = 3


class Worker:
    """Scores batches, each of its recordings once, whatever became of those who tried before.

    A batch that ended two workers is scored file by file; a file that then ends two more is not tried again.

    Parameters
    ----------
    work : Work
        What to do.
    ledger : AskedLedger
        Knows who tried before.
    folder : str
        Where the run began, which names that are no whole paths count from: this process, which is the run's
        alone, goes there.
    """

    def __init__(self, work: Work, ledger: AskedLedger, folder: str) -> None:
        self._work, self._ledger, self._folder = work, ledger, folder

    def __call__(self, letter: Any) -> Any:
        """Score a batch.

        Parameters
        ----------
        letter : pyarrow.Table
            One that `letters` made.

        Returns
        -------
        pyarrow.Table
            As `answer_table` makes it.
        """
        first, candidates = opened_letter(letter)
        n_ended, may_go_on = self._ledger.begin(first)
        try:
            if not may_go_on:
                raise _hopeless(candidates)
            self._go_to_folder(candidates)
            records, left_out = self._scored(candidates, first, n_ended)
            told = Told(opened(self._work)[0].facts, left_out)
        except OssclError as error:
            return answer_table([], first, Told(error=(type(error).__name__, str(error))))
        self._ledger.end(first)
        return answer_table(records, first, told)

    def _go_to_folder(self, candidates: Sequence[Candidate]) -> None:
        try:
            os.chdir(self._folder)
        except OSError as error:
            counted = [each.path for each in candidates if not _is_whole(each.path)]
            if counted:
                raise DistributedError(
                    f"{printable(counted[0])} counts from {printable(self._folder)}, which a worker does "
                    f"not find ({error.strerror}): name recordings by whole paths that all machines have"
                ) from error

    def _scored(
        self, candidates: Sequence[Candidate], first: int, n_ended: int
    ) -> tuple[list[Record], LeftOut]:
        if n_ended < _MAX_ENDS_OF_A_BATCH:
            try:
                return self._work.scored(candidates, first)
            except MemoryError:  # one by one they need less
                pass
        records: list[Record] = []
        left_out = LeftOut()
        for number, candidate in enumerate(candidates, first):
            records += self._one(candidate, number, left_out)
        return records, left_out

    def _one(self, candidate: Candidate, number: int, left_out: LeftOut) -> list[Record]:
        n_ended = self._ledger.try_one(number)
        if n_ended >= _MAX_ENDS_OF_A_FILE:
            why = f"{n_ended} worker processes ended while they scored it, as they do where memory runs out"
            return [self._not_scored(candidate, why)]
        try:
            records, alone = self._work.scored([candidate], number)
        except MemoryError:
            records, alone = (
                [self._not_scored(candidate, "the worker's memory does not suffice for it")],
                LeftOut(),
            )
        left_out.add(alone)
        self._ledger.done_one(number)
        return records

    def _not_scored(self, candidate: Candidate, why: str) -> Record:
        try:
            machine = opened(self._work)[1](candidate.path)
        except MachineError:
            machine = None
        remedy = "fewer --workers leave each more memory, and osscl score without --runner scores it alone"
        return Record(path=candidate.path, machine=machine, status="no_score", reason=f"{why}: {remedy}")


def _is_whole(path: str) -> bool:
    return is_url(path) or os.path.isabs(path)  # noqa: PTH117 - a str


def _hopeless(candidates: Sequence[Candidate]) -> DistributedError:
    first, n_left = first_of(candidates, _MAX_NAMED)
    named = ", ".join(printable(each.path) for each in first) + and_more(n_left, "file")
    return DistributedError(
        f"worker processes end one after the other, and nothing gets done, the last with {named}: "
        "their memory may not suffice; start fewer by --workers, or on machines that have more"
    )
