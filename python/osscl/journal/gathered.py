"""Files of one row, gathered in memory and written together: by far the most there are, and so the cheapest."""

import sqlite3
from collections.abc import Iterator
from typing import Any

from osscl.journal.awaiting import Coming
from osscl.journal.keys import FileKey
from osscl.journal.rows import cells_of, insert_rows
from osscl.scoring.record import SCORED_STATUSES, Record

_INSERT = "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?)"


class Gathered:
    """What is to be written yet; the caller writes it at latest with the next commit.

    Writing it twice changes nothing: an interruption may come between writing and forgetting it.
    """

    def __init__(self) -> None:
        self._rows: list[tuple[Any, ...]] = []
        self._files: list[tuple[Any, ...]] = []

    def __len__(self) -> int:
        return len(self._files)

    def put(self, coming: Coming, record: Record) -> None:
        """Take a file with its only row."""
        self._rows.append(cells_of(coming.file.position, 0, record))
        self._files.append(_cells(coming))

    def write(self, connection: sqlite3.Connection) -> None:
        """Write all of it."""
        insert_rows(connection, self._rows)
        connection.executemany(_INSERT, self._files)

    def written(self) -> Iterator[tuple[int, FileKey]]:
        """Give positions and keys of what was written, and forget it."""
        files, self._files, self._rows = self._files, [], []
        for position, path, size, mtime_ns, *_ in files:
            yield position, FileKey(path, size, mtime_ns)


def write_file(connection: sqlite3.Connection, coming: Coming) -> None:
    """Write a file whose rows are all there."""
    connection.execute(_INSERT, _cells(coming))


def _cells(coming: Coming) -> tuple[Any, ...]:
    file, status = coming.file, coming.status
    return (file.position, *file.key, status, status not in SCORED_STATUSES, file.is_problem)
