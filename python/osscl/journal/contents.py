"""What a journal holds, for whoever writes it and for whoever looks at it meanwhile."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from osscl.errors import JournalError
from osscl.journal.lock import Holder, holder_of
from osscl.journal.rows import read_records
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
    how : dict
        What it was asked for: the model, and how its table shall be made.
    """

    started: str
    ended: str | None
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
            rows = self._connection.execute("SELECT started, ended, how FROM sessions ORDER BY number")
            return [Session(started, ended, msgspec.json.decode(how)) for started, ended, how in rows]

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

    def records(self) -> Iterator[Record]:
        """Give all records in the order of their files; nothing is decided of them.

        Yields
        ------
        Record
            Its path is as it was walked by.
        """
        with told(self.path):
            yield from read_records(self._connection)


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


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """Open a database without transactions of its own; `mode` is "ro", "rw" or "rwc"."""
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, timeout=PATIENCE_S, isolation_level=None)
    connection.text_factory = _text
    return connection


def _connect_to_read(path: Path) -> sqlite3.Connection:
    if not path.is_file():
        raise JournalError(f"there is no journal {printable(path)}")
    return connect(path, "ro")


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")
