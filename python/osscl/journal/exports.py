"""The tables that were made of a journal: by their contents they are told from what others put there."""

import hashlib
import sqlite3
from pathlib import Path
from typing import Any

import msgspec

from osscl.errors import JournalError
from osscl.journal.schema import told
from osscl.support.paths import printable
from osscl.support.regular_file import regular_only


class Exports:
    """Tables made of a journal.

    A table is expected before it gets its name, and current after: whatever ends the run in between, what
    stands there is known.

    Parameters
    ----------
    path : Path
        The journal.
    connection : Connection
        To it.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path, self._connection = path, connection

    def knows(self, table: Path) -> bool:
        """Whether a file is a table that was made of the journal, or one that was given up for it."""
        digest = hash_of(table)
        with told(self._path):
            return (
                self._connection.execute("SELECT 1 FROM exports WHERE sha256 = ?", [digest]).fetchone()
                is not None
            )

    def current(self, table: Path) -> dict[str, Any] | None:
        """Tell how a table was made, where it holds all that the journal holds.

        Parameters
        ----------
        table : Path
            Where it is, or should be.

        Returns
        -------
        dict or None
            What `expect` was given; None where there is none, or rows came since.
        """
        with told(self._path):
            row = self._connection.execute(
                "SELECT sha256, how FROM exports WHERE is_current "
                "AND NOT EXISTS (SELECT 1 FROM about WHERE name = 'changed')"
            ).fetchone()
        if row is None or not table.is_file() or hash_of(table) != row[0]:
            return None
        how = msgspec.json.decode(row[1])
        assert isinstance(how, dict)
        return how

    def expect(self, sha256: str, how: dict[str, Any]) -> None:
        """Note a table before it gets its name; raises `JournalError`."""
        with told(self._path):
            self._connection.execute(
                "INSERT OR REPLACE INTO exports VALUES (?, 0, ?)", [sha256, msgspec.json.encode(how).decode()]
            )

    def is_there(self, sha256: str) -> None:
        """Note that it has its name: it is the only one, and up to date; raises `JournalError`."""
        with told(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute("DELETE FROM exports WHERE sha256 != ?", [sha256])
            self._connection.execute("UPDATE exports SET is_current = 1")
            self._connection.execute("DELETE FROM about WHERE name = 'changed'")
            self._connection.execute("COMMIT")


def hash_of(table: Path) -> str:
    """Hash a table; raises `JournalError` where it cannot be read."""
    try:
        with open(table, "rb", opener=regular_only) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise JournalError(
            f"{printable(table)} cannot be read, so that whether it is of this run could not be told: "
            f"{error.strerror or error}"
        ) from error
