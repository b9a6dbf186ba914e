"""Records as rows of a journal, and back."""

import os
import sqlite3
from collections.abc import Iterator
from typing import Any

from osscl.journal.schema import STORED
from osscl.scoring.record import Record

_INSERT = (
    f"INSERT INTO rows (position, number, {', '.join(STORED)}) "  # noqa: S608 - names of our own
    f"VALUES (?, ?, {', '.join('?' * len(STORED))})"
)
_SELECT = (
    f"SELECT path, {', '.join(STORED)} FROM files JOIN rows USING (position) "  # noqa: S608 - as above
    "WHERE position >= ? ORDER BY position, number"
)
_AT_ONCE = 4096


def insert_row(connection: sqlite3.Connection, position: int, number: int, record: Record) -> None:
    """Keep a record as a row: the `number`-th of the file at a position. What was decided is left out."""
    cells = [position, number, *(getattr(record, name) for name in STORED)]
    try:
        connection.execute(_INSERT, cells)
    except UnicodeEncodeError:  # half a pair of surrogates, out of somebody's file
        connection.execute(_INSERT, [_encodable(cell) for cell in cells])


def read_records(connection: sqlite3.Connection, first: int = 0) -> Iterator[Record]:
    """Give all records, undecided, in the order of their positions.

    Parameters
    ----------
    connection : Connection
        A journal.
    first : int
        Position to begin at.

    Yields
    ------
    Record
        Its path is as it was walked by.
    """
    cursor = connection.execute(_SELECT, [first])
    while cells := cursor.fetchmany(_AT_ONCE):
        for path, *others in cells:
            yield Record(path=os.fsdecode(path), **dict(zip(STORED, others, strict=True)))


def _encodable(cell: Any) -> Any:
    return cell.encode("utf-8", "backslashreplace").decode() if isinstance(cell, str) else cell
