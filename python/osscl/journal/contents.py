"""What a journal holds, for whoever writes it and for whoever looks at it meanwhile."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from osscl.errors import JournalError
from osscl.journal.exports import Exports
from osscl.journal.lock import Holder, holder_of, taken
from osscl.journal.rows import Place, read_rows
from osscl.journal.schema import check, is_blank, settings_in, told
from osscl.scoring.record import Record
from osscl.support.paths import printable

PATIENCE_S = 60.0
"""How long another connection is waited for that writes at this moment."""


class Session(NamedTuple):
    """One run over a journal.

    Attributes
    ----------
    started, ended : str or None
        ISO 8601, UTC; None where it was killed, or goes on.
    is_whole : bool
        Whether it met all files there were.
    how : dict
        What it was asked for: the model, and how its table shall be made.
    """

    started: str
    ended: str | None
    is_whole: bool
    how: dict[str, Any]


class Contents:
    """What a journal holds.

    Parameters
    ----------
    path : Path
        The journal.
    connection : Connection
        To it.

    Attributes
    ----------
    path : Path
        As above.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    @property
    def connection(self) -> sqlite3.Connection:
        """To look at what others keep beside the rows."""
        return self._connection

    @property
    def holder(self) -> Holder | None:
        """Who writes it at this moment."""
        return holder_of(self.path)

    @property
    def settings(self) -> dict[str, Any]:
        """What its scores depend on."""
        with told(self.path):
            return settings_in(self._connection)

    def sessions(self) -> list[Session]:
        """Tell the runs over it, the first one first."""
        with told(self.path):
            rows = self._connection.execute(
                "SELECT started, ended, is_whole, how FROM sessions ORDER BY number"
            )
            return [
                Session(started, ended, bool(is_whole), msgspec.json.decode(how))
                for started, ended, is_whole, how in rows
            ]

    @property
    def exports(self) -> Exports:
        """The tables that were made of it."""
        return Exports(self.path, self._connection)

    def counts(self) -> dict[str, int]:
        """Count files by status."""
        with told(self.path):
            rows = self._connection.execute("SELECT state, count(*) FROM files GROUP BY state")
            return dict(sorted(rows.fetchall()))

    def machines(self) -> list[str]:
        """Name the machines that its files were scored as."""
        with told(self.path):
            rows = self._connection.execute("SELECT DISTINCT machine FROM rows WHERE machine IS NOT NULL")
            return sorted(machine for (machine,) in rows)

    def rows(self) -> Iterator[tuple[Place, Record]]:
        """Give all rows in the order of their files, each with its place; nothing is decided of them.

        Yields
        ------
        place : tuple of int
            Where the row is, for `Journal.keep_explanation`.
        record : Record
            Its path is as it was walked by.
        """
        with told(self.path):
            yield from read_rows(self._connection)

    def records(self) -> Iterator[Record]:
        """Give the records of `rows` alone."""
        return (record for _, record in self.rows())


@contextmanager
def reading(path: Path) -> Iterator[Contents]:
    """Look into a journal, also while a run writes it.

    Parameters
    ----------
    path : Path
        The journal.

    Yields
    ------
    Contents
        What was committed before it is asked.

    Raises
    ------
    JournalError
        It is none, cannot be read, or is of another schema.
    """
    with told(path), closing(_connect_to_read(path)) as connection:
        if is_blank(connection):
            raise JournalError(f"{printable(path)} holds no run yet: it is empty")
        check(connection, path)
        yield Contents(path, connection)


@contextmanager
def noting_in(path: Path) -> Iterator[Contents]:
    """Open a journal to note a table of it, also while a run writes its rows.

    Parameters
    ----------
    path : Path
        The journal.

    Yields
    ------
    Contents
        Its `exports` may be written.

    Raises
    ------
    JournalError
        It cannot be written.
    """
    with told(path), closing(connect(path, "rw")) as connection:
        yield Contents(path, connection)


@contextmanager
def check_usable(path: Path) -> Iterator[Contents | None]:
    """Look at a journal that is to be written, before anything dear is done for it.

    Parameters
    ----------
    path : Path
        The journal, which is there.

    Yields
    ------
    Contents or None
        None where it is empty: a run was ended before it had made it.

    Raises
    ------
    JournalError
        Another run writes it, it is none, cannot be read, or is of another schema.
    """
    if (holder := holder_of(path)) is not None:
        raise taken(path, holder)
    with told(path), closing(_connect_to_read(path)) as connection:
        if is_blank(connection):
            yield None
        else:
            check(connection, path)
            yield Contents(path, connection)


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """Open a database without transactions of its own; `mode` is "ro", "rw" or "rwc"."""
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, timeout=PATIENCE_S, isolation_level=None)
    connection.text_factory = _text
    connection.execute("PRAGMA temp_store = MEMORY")  # nothing is left elsewhere
    return connection


def _connect_to_read(path: Path) -> sqlite3.Connection:
    if not path.is_file():
        raise JournalError(f"there is no journal {printable(path)}")
    return connect(path, "ro")


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")
