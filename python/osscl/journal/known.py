"""The files of a journal, met by a walk in the order that they were met in before."""

import sqlite3
from collections import deque
from typing import NamedTuple

from osscl.journal.keys import FileKey

_COLUMNS = "position, path, size, mtime_ns, is_failed, is_problem"
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
        self._ahead: deque[KnownFile] = deque()
        self._read_up_to = 0
        self._is_read = not as_walked

    def meet(self, path: bytes) -> KnownFile | None:
        """Give what is known of a file; None where nothing is."""
        ahead = self._ahead
        if not ahead and not self._is_read:
            self._read()
        if ahead and ahead[0].path == path:
            return ahead.popleft()
        found = self._connection.execute(f"SELECT {_COLUMNS} FROM files WHERE path = ?", [path])  # noqa: S608
        row = found.fetchone()
        if row is None:
            return None
        file = KnownFile(*row)
        if self._ahead and file.position > self._ahead[0].position:
            self._go_on_behind(file.position)
        return file

    def _go_on_behind(self, position: int) -> None:
        """Leave files out that the walk did not meet where they were: they are gone, or come later."""
        while self._ahead and self._ahead[0].position <= position:
            self._ahead.popleft()
        if not self._ahead:
            self._read_up_to = max(self._read_up_to, position)

    def _read(self) -> None:
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM files WHERE position > ? ORDER BY position LIMIT ?",  # noqa: S608
            [self._read_up_to, _AT_ONCE],
        ).fetchall()
        self._ahead.extend(map(KnownFile._make, rows))
        # once: what is added behind the last one is this run's own
        self._is_read = len(rows) < _AT_ONCE
        if rows:
            self._read_up_to = self._ahead[-1].position
