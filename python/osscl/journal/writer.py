"""Rows of files become rows of the database: whole files alone, in a transaction that somebody else commits.

Files of one row that replace none are by far the most. They are gathered in memory and written together. All
others are written row by row, behind a savepoint: half of one can be taken back.
"""

import os
import sqlite3

from osscl.journal.awaiting import Awaited, Awaiting, Coming
from osscl.journal.keys import FileKey, size_and_date
from osscl.journal.order import Order
from osscl.journal.rows import Cells, cells_of, insert_files, insert_rows
from osscl.scoring.record import SCORED_STATUSES, Record
from osscl.support.paths import printable


class Writer:
    """Writes rows in the order that their files were given in.

    Each step may be interrupted by Ctrl-C, and is then done once more by the next one.

    Parameters
    ----------
    connection : Connection
        The journal.
    order : Order
        Told of files that are in the journal.
    awaiting : Awaiting
        Files that were given to be scored.

    Attributes
    ----------
    n_kept : int
        Files whose rows are complete.
    n_changed : int
        Files that are not as they were before they were read.
    """

    def __init__(self, connection: sqlite3.Connection, order: Order, awaiting: Awaiting) -> None:
        self._connection, self._order, self._awaiting = connection, order, awaiting
        self._gathered: list[tuple[Cells, Cells]] = []  # of each file: itself, and its row
        self._coming: Coming | None = None  # the file that is written row by row
        self._is_noted_as_changed = False
        self.n_kept = 0
        self.n_changed = 0

    @property
    def is_amid(self) -> bool:
        """Whether more rows are to come of a file."""
        return self._coming is not None and not self._coming.is_ended

    def add(self, record: Record) -> bool:
        """Take a row; tells whether it is the last one of its file.

        Raises
        ------
        ValueError
            It is not of the file whose turn it is.
        """
        path = os.fsencode(record.path)
        coming = self._coming
        if coming is not None and path != coming.file.key.path:
            self._end(coming)
            coming = None
        if coming is None:
            if not self._awaiting.is_next(path):
                raise ValueError(f"{printable(record.path)} is not the file that was given to be scored next")
            file = self._awaiting.take()
            if record.scope is None and not file.may_replace:
                self._gather(file, record)
                return True
            coming = self._begin_file(file)
        insert_rows(self._connection, [cells_of(coming.file.position, coming.n_rows, record)])
        coming.count(record)
        if coming.is_ended:
            self._end(coming)
        return coming.is_ended

    def write(self) -> None:
        """Write all that is whole, so that it is found in the database."""
        if self._coming is not None and self._coming.is_ended:
            self._end(self._coming)
        if not self._gathered:
            return
        self.begin()
        insert_files(self._connection, [file for file, _ in self._gathered])
        insert_rows(self._connection, [row for _, row in self._gathered])
        self.note_as_changed()
        written, self._gathered = self._gathered, []
        for (position, path, size, mtime_ns, *_), _ in written:
            self._awaiting.is_written(FileKey(path, size, mtime_ns))
            self._order.is_kept(position)

    def undo_half(self) -> None:
        """Take back what came of a file that is not whole: what it was to replace is there again."""
        if self.is_amid:
            self._connection.execute("ROLLBACK TO file")
            self._connection.execute("RELEASE file")
            self._coming = None

    def delete(self, position: int) -> None:
        """Forget the file at a position."""
        self.begin()
        self._connection.execute("DELETE FROM rows WHERE position = ?", (position,))
        self._connection.execute("DELETE FROM files WHERE position = ?", (position,))
        self.note_as_changed()

    def begin(self) -> None:
        """Begin a transaction, unless there is one."""
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN IMMEDIATE")

    def note_as_changed(self) -> None:
        """Note that the table does not hold all any more that the journal holds."""
        if not self._is_noted_as_changed:
            self._connection.execute("INSERT OR REPLACE INTO about VALUES ('changed', '1')")
            self._is_noted_as_changed = True

    def _gather(self, file: Awaited, record: Record) -> None:
        self.begin()  # what others write from now on is kept together with it
        self._look_again(file)
        self._gathered.append((_cells_of_file(file, record.status), cells_of(file.position, 0, record)))
        self.n_kept += 1

    def _begin_file(self, file: Awaited) -> Coming:
        self.begin()
        self.write()
        self._connection.execute("SAVEPOINT file")
        self._coming = coming = Coming(file)
        if file.may_replace:
            found = self._connection.execute("SELECT position FROM files WHERE path = ?", (file.key.path,))
            for (position,) in found.fetchall():
                self.delete(position)
        return coming

    def _end(self, coming: Coming) -> None:
        file = coming.file
        self._look_again(file)
        insert_files(self._connection, [_cells_of_file(file, coming.status)])
        self._awaiting.is_written(file.key)
        self.note_as_changed()
        self._coming = None
        self._order.is_kept(file.position)
        self._connection.execute("RELEASE file")
        self.n_kept += 1

    def _look_again(self, file: Awaited) -> None:
        if not file.is_problem:
            path, *before = file.key
            now = size_and_date(path)
            self.n_changed += now[0] is not None and now != tuple(before)


def _cells_of_file(file: Awaited, status: str) -> Cells:
    return (file.position, *file.key, status, status not in SCORED_STATUSES, file.is_problem)
