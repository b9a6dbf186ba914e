"""Records as rows of a journal, and back."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any

from osscl.journal.schema import STORED
from osscl.scoring.record import Record

_INTO_ROWS = f"INSERT OR REPLACE INTO rows (position, number, {', '.join(STORED)})"
_INTO_FILES = "INSERT OR REPLACE INTO files"
_ROWS_AT_ONCE = 64
_SELECT = (
    f"SELECT position, number, path, {', '.join(STORED)} FROM files JOIN rows USING (position) "  # noqa: S608 - as above
    "ORDER BY position, number"
)
_AT_ONCE = 4096
_stored = attrgetter(*STORED)

Cells = tuple[Any, ...]
Place = tuple[int, int]
"""Of a row: the position of its file, and which of the file's rows it is."""


def cells_of(position: int, number: int, record: Record) -> Cells:
    """Make a row of a record: the `number`-th of the file at a position. What was decided is left out."""
    return (position, number, *_stored(record))


def insert_rows(connection: sqlite3.Connection, rows: Sequence[Cells]) -> None:
    """Keep rows as `cells_of` makes them; one that stands at such a place is replaced."""
    try:
        _insert(connection, _INTO_ROWS, rows)
    except UnicodeEncodeError:  # half a pair of surrogates, out of somebody's file
        _insert(connection, _INTO_ROWS, [tuple(map(_encodable, row)) for row in rows])


def insert_files(connection: sqlite3.Connection, files: Sequence[Cells]) -> None:
    """Keep files, each with the cells of the table's columns; one of such a place or path is replaced."""
    _insert(connection, _INTO_FILES, files)


def _insert(connection: sqlite3.Connection, into: str, lines: Sequence[Cells]) -> None:
    """Insert many lines by few statements: each lets go of the interpreter's lock, which others wait for."""
    for first in range(0, len(lines), _ROWS_AT_ONCE):
        block = lines[first : first + _ROWS_AT_ONCE]
        line = f"({', '.join('?' * len(block[0]))})"
        connection.execute(
            f"{into} VALUES {', '.join([line] * len(block))}", list(chain.from_iterable(block))
        )


def read_rows(connection: sqlite3.Connection) -> Iterator[tuple[Place, Record]]:
    """Give all rows with their places, undecided, in the order of the files.

    Parameters
    ----------
    connection : Connection
        A journal.

    Yields
    ------
    place : Place
        Where the row is.
    record : Record
        Its path is as it was walked by.
    """
    cursor = connection.execute(_SELECT)
    while rows := cursor.fetchmany(_AT_ONCE):
        for position, number, path, *others in rows:
            record = Record(path=os.fsdecode(path), **dict(zip(STORED, others, strict=True)))
            yield (position, number), record


def _encodable(cell: Any) -> Any:
    return cell.encode("utf-8", "backslashreplace").decode() if isinstance(cell, str) else cell
