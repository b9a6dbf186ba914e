"""A journal is opened, or made; a session over it begins and ends."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from osscl.errors import JournalError
from osscl.journal.differing import differences, in_words
from osscl.journal.schema import (
    begin_anew,
    check,
    create,
    holds_no_file,
    holds_no_score,
    is_blank,
    settings_in,
)
from osscl.journal.settings import Settings
from osscl.support.file_systems import network_file_system
from osscl.support.log import quiet_logger
from osscl.support.paths import printable
from osscl.support.utc import utc_now

_BESIDE = ("-wal", "-shm", "-journal")
_log = quiet_logger(__name__)


def prepare(connection: sqlite3.Connection, path: Path, settings: Settings) -> str | None:
    """Make the tables, or compare the settings with those that the journal was begun with.

    Parameters
    ----------
    connection : sqlite3.Connection
        To the journal, open for writing.
    path : Path
        Where it is.
    settings : mapping
        What the scores of the run depend on.

    Returns
    -------
    str or None
        In what the run before differed, where it had scored nothing and its reasons were given up for this
        one; else None.

    Raises
    ------
    JournalError
        It holds scores of other settings, or is no journal.
    """
    if not is_blank(connection):
        check(connection, path)
    kind = network_file_system(path)
    if kind is None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
    else:
        connection.execute("PRAGMA journal_mode = TRUNCATE")
        _log.warning(
            "%s lies on a file system of a network (%s), where SQLite's WAL is not safe: its slower rollback "
            "journal is used; an output on a local disk is written faster",
            printable(path),
            kind,
        )
    if is_blank(connection):
        create(connection, msgspec.json.encode(settings).decode())
        return None
    given = msgspec.json.decode(msgspec.json.encode(settings))
    differing = list(differences(settings_in(connection), given))
    if not differing:
        return None
    has_met = not holds_no_file(connection)
    # of other folders there may be lines that this run does not make again
    is_of_these = settings_in(connection).get("folders") == given.get("folders")
    if has_met and not (is_of_these and holds_no_score(connection)):
        raise JournalError(
            f"{printable(path)} is of a run that would give other scores: {in_words(differing)}; ask for the "
            "same again, name another output, or begin anew with --overwrite"
        )
    begin_anew(connection, msgspec.json.encode(settings).decode())
    return in_words(differing) if has_met else None


def remove(path: Path) -> None:
    """Take away a journal with all that SQLite keeps beside it."""
    for name in (path.name, *(path.name + ending for ending in _BESIDE)):
        path.with_name(name).unlink(missing_ok=True)


def begin_session(connection: sqlite3.Connection, started: str, how: Mapping[str, Any]) -> int:
    """Note that a run begins, and what it was asked for; gives the number of the session."""
    cursor = connection.execute(
        "INSERT INTO sessions (started, how) VALUES (?, ?)", [started, msgspec.json.encode(how).decode()]
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def end_session(connection: sqlite3.Connection, number: int, path: Path) -> None:
    """Note that a run ended, and leave one file where nobody reads it.

    Raises
    ------
    JournalError
        There is no room to bring it into one file.
    """
    connection.execute("UPDATE sessions SET ended = ? WHERE number = ?", [utc_now(), number])
    try:
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as error:
        if not error.sqlite_errorname.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
            return  # somebody reads: it is whole all the same, in two files
        place = printable(path)
        raise JournalError(
            f"{place} could not be closed ({error}): nothing is lost, but a part of it stands in "
            f"{place}-wal, without which no copy of it is whole; make room, and the same command closes it"
        ) from error
