"""The files of a journal, met by a walk in the order that they were met in before."""

import os
import sqlite3
from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple

from osscl.audio.candidate import Candidate
from osscl.journal.keys import FileKey, size_and_date_of

_SELECT = "SELECT position, path, size, mtime_ns, is_failed, is_problem FROM files WHERE"
_OF_PATH = f"{_SELECT} path = ?"
_BEHIND = f"{_SELECT} position > ? ORDER BY position LIMIT ?"
_AT_ONCE = 4096


class KnownFile(NamedTuple):
    """A file that the journal holds rows of."""

    position: int
    path: bytes
    size: int | None
    mtime_ns: int | None
    is_failed: int
    is_problem: int

    def is_as(self, key: FileKey) -> bool:
        """Whether it is still what it was when it was scored."""
        return self.mtime_ns == key.mtime_ns and self.size == key.size


class Passed(NamedTuple):
    """Files of a walk that were passed over, since they stand in the journal as they are.

    Attributes
    ----------
    n_files : int
        How many.
    position : int
        Of the last one; 0 where there is none.
    candidate : Candidate or None
        The one behind them, of which that has to be found out yet; None where the walk is at its end.
    """

    n_files: int
    position: int
    candidate: Candidate | None


class KnownFiles:
    """Looks up files. Those that come in the order of their positions cost no look-up of their own.

    Parameters
    ----------
    connection : Connection
        A journal.
    as_walked : bool
        Whether files come in about that order, and it is worth reading ahead.
    """

    def __init__(self, connection: sqlite3.Connection, *, as_walked: bool = True) -> None:
        self._connection = connection
        self._ahead: deque[tuple[Any, ...]] = deque()  # rows: an object each would cost more
        self._read_up_to = 0
        self._is_read = not as_walked

    @property
    def is_behind(self) -> bool:
        """Whether the walk is behind all that the journal holds in its order."""
        return self._is_read and not self._ahead

    def pass_over(self, candidates: Iterator[Candidate], *, with_failed: bool) -> Passed:
        """Go on through a walk as long as it meets, unchanged, what the journal holds next.

        That is what nearly all files of a run are that goes on, so that it is told of each with one look.

        Parameters
        ----------
        candidates : iterator of Candidate
            The rest of the walk.
        with_failed : bool
            Whether files that could not be scored are passed over as well.

        Returns
        -------
        Passed
            Those that are told already, and the next one.
        """
        ahead, n_files, position = self._ahead, 0, 0
        for candidate in candidates:
            if not ahead and not self._is_read:
                self._read()
            if not ahead:
                return Passed(n_files, position, candidate)
            at, path, size, mtime_ns, is_failed, is_problem = ahead[0]
            if is_problem or candidate.problem is not None or (is_failed and not with_failed):
                return Passed(n_files, position, candidate)
            if path != os.fsencode(candidate.path) or (size, mtime_ns) != size_and_date_of(candidate):
                return Passed(n_files, position, candidate)
            ahead.popleft()
            n_files += 1
            position = at
        return Passed(n_files, position, None)

    def meet(self, path: bytes) -> KnownFile | None:
        """Give what is known of a file; None where nothing is."""
        ahead = self._ahead
        if not ahead and not self._is_read:
            self._read()
        if ahead and ahead[0][1] == path:
            return KnownFile(*ahead.popleft())
        row = self._connection.execute(_OF_PATH, (path,)).fetchone()
        if row is None:
            return None
        if ahead and row[0] > ahead[0][0]:
            self._go_on_behind(row[0])
        return KnownFile(*row)

    def _go_on_behind(self, position: int) -> None:
        """Leave files out that the walk did not meet where they were: they are gone, or come later."""
        while self._ahead and self._ahead[0][0] <= position:
            self._ahead.popleft()
        if not self._ahead:
            self._read_up_to = max(self._read_up_to, position)

    def _read(self) -> None:
        rows = self._connection.execute(_BEHIND, (self._read_up_to, _AT_ONCE)).fetchall()
        self._ahead.extend(rows)
        # once: what is added behind the last one is this run's own
        self._is_read = len(rows) < _AT_ONCE
        if rows:
            self._read_up_to = rows[-1][0]
