"""A walk meets what the journal holds: which files are to be scored, and where each of them will stand."""

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from osscl.audio.candidate import Candidate
from osscl.errors import JournalError
from osscl.journal.awaiting import Awaited, Awaiting
from osscl.journal.keys import key_of
from osscl.journal.known import KnownFiles
from osscl.journal.order import Order
from osscl.support.paths import printable


class Meeting:
    """One walk, or some of what arrives.

    Parameters
    ----------
    connection : Connection
        The journal.
    order : Order
        Gives positions to new files.
    awaiting : Awaiting
        Takes what is to be scored.
    as_they_come : bool
        Whether files arrive one by one, and new and changed ones stand behind all others.

    Attributes
    ----------
    n_done : int
        Files that are done, and were left out.
    n_before : int
        Files of the walk before the one that was met last.
    unmet : set of int
        Positions of problems that were not met yet, such as folders that could not be listed.
    """

    def __init__(
        self, connection: sqlite3.Connection, order: Order, awaiting: Awaiting, *, as_they_come: bool
    ) -> None:
        self._known = KnownFiles(connection, as_walked=not as_they_come)
        self._order, self._awaiting, self._as_they_come = order, awaiting, as_they_come
        self._before = 0  # position of the file of the walk that was met last
        self.n_done = 0
        self.n_before = -1
        self.unmet: set[int] = set()
        if not as_they_come:
            found = connection.execute("SELECT position FROM files WHERE is_problem")
            self.unmet.update(position for (position,) in found)

    def undone(self, walk: Iterator[Candidate], *, retry_failed: bool) -> Iterator[Candidate]:
        """Give what is to be scored, once it is awaited."""
        known = self._known
        while True:
            if known.is_behind:
                candidate = next(walk, None)
            else:
                passed = known.pass_over(walk, with_failed=not retry_failed)
                self.n_done += passed.n_files
                self.n_before += passed.n_files
                self._before = passed.position or self._before
                candidate = passed.candidate
            if candidate is None:
                return
            if self._is_undone(candidate, retry_failed=retry_failed):
                yield candidate

    def undone_in_fixed_places(
        self, walk: Iterable[Candidate], path: Path, *, retry_failed: bool
    ) -> Iterator[Candidate]:
        """Give what is to be scored; refuse a file that has another place in the walk than it had."""
        for candidate in walk:
            n_before = self.n_before
            is_undone = self._is_undone(candidate, retry_failed=retry_failed, are_placed=True)
            if self.n_before > n_before and self._before != self._order.of_place(self.n_before):
                raise self._is_elsewhere(candidate, path)
            if is_undone:
                yield candidate

    def _is_undone(self, candidate: Candidate, *, retry_failed: bool, are_placed: bool = False) -> bool:
        key = key_of(candidate)
        given = self._awaiting.newest(key.path)
        if given == key:
            return False
        file = self._known.meet(key.path)
        if file is None:
            if not self._as_they_come:
                self._before = self._order.after(self._before)
        elif are_placed and file.position <= self._before:
            return False  # named twice
        else:
            self.unmet.discard(file.position)
            self._before = file.position
        self.n_before += 1
        if file is not None and file.is_as(key) and not (retry_failed and file.is_failed):
            self.n_done += 1
            return False
        if self._as_they_come:
            self._before = self._order.at_the_end()
        is_replacing = file is not None or given is not None
        self._awaiting.put(Awaited(self._before, key, candidate.problem is not None, is_replacing))
        return True

    def _is_elsewhere(self, candidate: Candidate, path: Path) -> JournalError:
        return JournalError(
            f"{printable(candidate.path)} is file {self.n_before + 1} of the walk and was another one "
            f"when {printable(path)} was written: files came or went before it, and with --every the "
            "times of all behind them would be others; score anew with --overwrite, or into another output"
        )
