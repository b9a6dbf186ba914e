"""The tables of a journal, and whether a file is one: any that is not is refused in one sentence."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from osscl.errors import JournalError
from osscl.scoring.record import COLUMNS
from osscl.support.paths import printable

SCHEMA = 1
APPLICATION = int.from_bytes(b"OSSJ", "big")
STORED = tuple(name for name in COLUMNS if name not in ("path", "p_value", "threshold", "is_anomaly"))
"""Columns of a row: all of a record's but its path, which its file has, and what was decided of it."""

_TYPES = {
    **dict.fromkeys(("score", "start_s", "duration_s"), "REAL"),
    **dict.fromkeys(("z_level", "z_modulation", "z_flutter", "z_event"), "REAL"),
    "sample_rate_hz": "INTEGER",
}
_ROW_COLUMNS = ", ".join(f"{name} {_TYPES.get(name, 'TEXT')}" for name in STORED)
_TABLES = f"""
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE sessions (
  number INTEGER PRIMARY KEY, started TEXT NOT NULL, ended TEXT, is_whole INTEGER NOT NULL DEFAULT 0,
  how TEXT NOT NULL
);
CREATE TABLE exports (sha256 TEXT PRIMARY KEY, is_current INTEGER NOT NULL, how TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE files (
  position INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE, size INTEGER, mtime_ns INTEGER,
  state TEXT NOT NULL, is_failed INTEGER NOT NULL, is_problem INTEGER NOT NULL
);
CREATE INDEX problems ON files (position) WHERE is_problem;
CREATE TABLE rows (
  position INTEGER, number INTEGER, {_ROW_COLUMNS}, PRIMARY KEY (position, number)
) WITHOUT ROWID;
CREATE VIEW records AS
  SELECT CAST(path AS TEXT) AS path, {", ".join(STORED)} FROM files JOIN rows USING (position)
  ORDER BY position, number;
"""  # noqa: S608 - names of our own

_OWN_TABLES = ("about", "sessions", "exports", "files", "rows")


def create(connection: sqlite3.Connection, settings: str) -> None:
    """Make a journal of an empty database, whole or not at all."""
    connection.execute("BEGIN IMMEDIATE")
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            connection.execute(statement)
    connection.execute("INSERT INTO about VALUES ('settings', ?)", (settings,))
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {SCHEMA}")
    connection.execute("COMMIT")


def is_blank(connection: sqlite3.Connection) -> bool:
    """Whether a database holds nothing: new, or of a run that was ended before it had made its tables."""
    (n_tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return bool(n_tables == 0)


def holds_no_file(connection: sqlite3.Connection) -> bool:
    """Whether the run that made a journal ended before anything came of it, as one that was refused."""
    (holds_one,) = connection.execute("SELECT EXISTS (SELECT 1 FROM files)").fetchone()
    return not holds_one


def holds_no_score(connection: sqlite3.Connection) -> bool:
    """Whether nothing but reasons came of its files, as of a run with wrong names, and nobody was told."""
    (holds_score,) = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM rows WHERE score IS NOT NULL)"
    ).fetchone()
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    has_others = any(name not in _OWN_TABLES for (name,) in tables)  # alarms and events of osscl watch
    return not holds_score and not has_others


def begin_anew(connection: sqlite3.Connection, settings: str) -> None:
    """Give a journal that holds no score to another run, whole or not at all.

    A table that was made of it stays known: the one that is made now may take its place.
    """
    connection.execute("BEGIN IMMEDIATE")
    for table in ("sessions", "rows", "files"):
        connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names of our own
    connection.execute("UPDATE exports SET is_current = 0")
    connection.execute("UPDATE about SET value = ? WHERE name = 'settings'", (settings,))
    connection.execute("COMMIT")


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a database that is no journal, or one of another schema; raises `JournalError`."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (schema,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION:
        raise JournalError(
            f"{printable(path)} is no journal of osscl, but another SQLite file; name another output, or "
            "move it away"
        )
    if schema != SCHEMA:
        who = "a newer osscl" if schema > SCHEMA else "an older osscl"
        raise JournalError(
            f"{printable(path)} was written by {who} (schema {schema}, this one reads {SCHEMA}); go on with "
            "that one, or begin anew with another output or --overwrite"
        )


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Say in one sentence what SQLite says of a journal's file; what was committed before stays in it."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise sentence_of(path, error) from error


def sentence_of(path: Path, error: sqlite3.DatabaseError) -> JournalError:
    """Put into a sentence what SQLite says of a journal's file."""
    return JournalError(_sentence(path, error))


def _sentence(path: Path, error: sqlite3.DatabaseError) -> str:
    name = getattr(error, "sqlite_errorname", None) or ""
    place = printable(path)
    again = "what it held up to then stays in it, and the same command goes on"
    if name.startswith("SQLITE_NOTADB"):
        meant = path.with_name(f"{path.name}.journal")
        if meant.is_file():  # the name of the table was given in place of the journal's
            return f"{place} is no journal of osscl (no SQLite file); did you mean {printable(meant)}?"
        return f"{place} is no journal of osscl (no SQLite file); name another output, or move it away"
    if name.startswith("SQLITE_CORRUPT"):
        return (
            f"{place} is damaged or cut short ({error}): restore it from a copy, or score anew with "
            "--overwrite or another output"
        )
    if name.startswith("SQLITE_FULL"):
        return f"{place} cannot be written: the disk is full; make room: {again}"
    if name.startswith("SQLITE_IOERR"):
        return f"{place} cannot be read or written ({error}: a full or failing disk?): {again}"
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return f"{place} is in use by another program ({error}); let that one end: {again}"
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN")):
        return f"{place} cannot be opened or written ({error}): no leave to write it or its folder?"
    return f"{place} cannot be used: {error}"


def settings_in(connection: sqlite3.Connection) -> dict[str, object]:
    """Settings of the run that began the journal."""
    (text,) = connection.execute("SELECT value FROM about WHERE name = 'settings'").fetchone()
    found = json.loads(text)
    assert isinstance(found, dict)
    return found
