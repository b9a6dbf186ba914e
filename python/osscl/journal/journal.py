"""The journal of a run, open for writing: which files are to be scored yet, and what became of the others."""

import datetime
import os
import sqlite3
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, Self

import msgspec

from osscl.audio.candidate import Candidate
from osscl.errors import JournalError
from osscl.journal.contents import Contents, connect
from osscl.journal.exports import hash_of
from osscl.journal.keys import FileKey, key_of
from osscl.journal.known import KnownFiles
from osscl.journal.lock import Lock
from osscl.journal.order import Order, spread
from osscl.journal.rows import Place, insert_row
from osscl.journal.schema import check, create, is_blank, sentence_of, settings_in, told
from osscl.journal.settings import Settings, differences, in_words
from osscl.scoring.record import SCORED_STATUSES, Record
from osscl.support.file_systems import network_file_system
from osscl.support.log import quiet_logger
from osscl.support.paths import printable

COMMIT_AFTER_S = 1.0
COMMIT_AFTER_FILES = 512
_LAST_OF_WINDOWS = "file_q95"
_BESIDE = ("-wal", "-shm", "-journal")
_log = quiet_logger(__name__)


class _Awaited(NamedTuple):
    """A file that is being scored: where it will stand, and what it was before it was read."""

    position: int
    key: FileKey
    is_problem: bool
    may_replace: bool


class _Current:
    """The file whose rows are coming in."""

    def __init__(self, file: _Awaited, *, can_be_undone: bool) -> None:
        self.file, self.can_be_undone = file, can_be_undone
        self.n_rows = 0
        self.status = ""
        self.is_ended = False

    def count(self, record: Record) -> None:
        """Note a row: the file is as its first failed one, or else as its first."""
        if not self.status or (self.status in SCORED_STATUSES and record.status not in SCORED_STATUSES):
            self.status = record.status
        self.is_ended = record.scope in (None, _LAST_OF_WINDOWS)
        self.n_rows += 1


class Journal(Contents):
    """A journal, open for writing by this run alone; made by `Journal.open`, and used in one thread.

    Rows come in the order of `undone`, those of one file together, and are committed together: never half a
    file, and at latest with the file that comes a second after the last time, or with the 512th since then.
    `commit` does it at once.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        super().__init__(path, connection)
        self._order = Order(connection)
        self._awaited: deque[_Awaited] = deque()
        self._in_flight: dict[bytes, FileKey] = {}
        self._current: _Current | None = None
        self._n_uncommitted, self._committed = 0, time.monotonic()
        self._is_noted_as_changed = False
        self._is_broken = False
        self.n_done_before = 0
        """Files that `undone` met and left out: they are done."""
        self.n_kept = 0
        """Files whose rows are complete."""
        self.n_before = -1
        """Files of the walk before the one that `undone` met last."""
        self.n_changed = 0
        """Files that are not as they were before they were read: `undone` will give them again."""

    @classmethod
    @contextmanager
    def open(
        cls,
        path: Path,
        settings: Settings,
        overwrite: bool = False,
        how: Mapping[str, Any] | None = None,
        given_up: Path | None = None,
    ) -> Iterator[Self]:
        """Open a journal, or make it.

        Parameters
        ----------
        path : Path
            The journal.
        settings : mapping
            What the scores depend on, see `osscl.journal.settings.settings_of`.
        overwrite : bool
            Begin anew, whatever is there.
        how : mapping, optional
            What else this run was asked for, ready for JSON: kept with the session.
        given_up : Path, optional
            A table that `overwrite` gives up: it stays until one is made of the journal, in whatever session.

        Yields
        ------
        Journal
            It keeps what it was given also where the work breaks off.

        Raises
        ------
        JournalError
            Another run writes it, it is of other settings, no journal, damaged, or cannot be written.
        """
        started = _utc_now()
        with Lock(path, started), told(path):
            if overwrite:
                _remove(path)
            connection = connect(path, "rwc")
            try:
                _prepare(connection, path, settings)
                journal = cls(path, connection)
                journal._begin_session(started, how or {})
                if overwrite and given_up is not None and given_up.is_file():
                    journal.exports.expect(hash_of(given_up), {})
                try:
                    yield journal
                finally:
                    journal._end_session()
            finally:
                connection.close()

    def undone(
        self,
        candidates: Iterable[Candidate],
        retry_failed: bool = False,
        *,
        as_they_come: bool = False,
        in_fixed_places: bool = False,
    ) -> Iterator[Candidate]:
        """Leave out what is done: files whose size and date are as they were when they were scored.

        Parameters
        ----------
        candidates : iterable of Candidate
            Files in the order of a walk, which becomes that of the journal; never held in memory as a whole.
        retry_failed : bool
            Give those again that could not be scored.
        as_they_come : bool
            Put new and changed files behind all others, whatever the order of those that were met before:
            these arrive one by one, and no walk is at its end when they are.
        in_fixed_places : bool
            Refuse files that came in between others since they were scored, and gaps that others left: how
            many come before a file is part of what its row says.

        Yields
        ------
        Candidate
            A file to be scored; its rows go to `add`. Each name comes once.

        Raises
        ------
        JournalError
            A file has another place than it had, and shall have its own.
        """
        unmet = set[int]()
        if not as_they_come:
            unmet = self._problems()
            self._make_room()
        known, order, before = KnownFiles(self._connection, as_walked=not as_they_come), self._order, 0
        self.n_before = -1
        walk = iter(candidates)
        while True:
            if in_fixed_places:
                candidate = next(walk, None)
            else:
                passed = known.pass_over(walk, with_failed=not retry_failed)
                self.n_done_before += passed.n_files
                self.n_before += passed.n_files
                before = passed.position or before
                candidate = passed.candidate
            if candidate is None:
                break
            key = key_of(candidate)
            in_flight = self._in_flight.get(key.path)
            if in_flight == key:
                continue
            file = known.meet(key.path)
            if in_fixed_places and file is not None and file.position <= before:
                continue  # named twice
            self.n_before += 1
            if file is not None:
                unmet.discard(file.position)
                before = file.position
            elif not as_they_come:
                before = order.after(before)
            if in_fixed_places and before != order.of_place(self.n_before):
                raise self._is_elsewhere(key)
            if file is not None and file.is_as(key) and not (retry_failed and file.is_failed):
                self.n_done_before += 1
                continue
            if as_they_come:
                before = order.at_the_end()
            is_replacing = file is not None or in_flight is not None
            self._awaited.append(_Awaited(before, key, candidate.problem is not None, is_replacing))
            self._in_flight[key.path] = key
            yield candidate
        if not as_they_come:
            self._drop(unmet)

    def is_done(self, candidate: Candidate) -> bool:
        """Whether a file was met before as it is now; unlike `undone`, this awaits no rows of it."""
        key = key_of(candidate)
        file = KnownFiles(self._connection, as_walked=False).meet(key.path)
        return file is not None and file.is_as(key)

    def add(self, record: Record) -> None:
        """Keep a row of the file that `undone` gave longest ago, or one more of the file before that.

        Raises
        ------
        JournalError
            It cannot be written; what was committed is kept.
        """
        path = os.fsencode(record.path)
        current = self._current
        try:  # as `_writing`, which costs more than a row
            if current is None or path != current.file.key.path or self._is_of_next(path):
                self._end_file()
                current = self._begin_file(path, record)
            insert_row(self._connection, current.file.position, current.n_rows, record)
        except sqlite3.DatabaseError as error:
            self._is_broken = True
            raise sentence_of(self.path, error) from error
        current.count(record)
        if current.is_ended:
            self._commit_in_time()

    @property
    def transaction(self) -> sqlite3.Connection:
        """The connection, in a transaction: what is written by it is kept together with the rows added."""
        if not self._connection.in_transaction:
            with told(self.path):
                self._connection.execute("BEGIN IMMEDIATE")
        return self._connection

    def commit(self) -> None:
        """Keep all files whose rows are complete, and what was written in their transaction, for good."""
        if self._current is not None and not self._current.is_ended:
            return  # the rest of it comes, or it ends the session
        with self._writing():
            self._end_file()
            if self._connection.in_transaction:
                self._connection.execute("COMMIT")
            self._n_uncommitted, self._committed = 0, time.monotonic()

    def _is_of_next(self, path: bytes) -> bool:
        """Whether a file that was met twice, changed in between, comes in for the second time."""
        assert self._current is not None
        return self._current.is_ended and bool(self._awaited) and self._awaited[0].key.path == path

    def _begin_file(self, path: bytes, record: Record) -> _Current:
        if not self._awaited or self._awaited[0].key.path != path:
            raise ValueError(f"{printable(record.path)} is not the file that was given to be scored next")
        file = self._awaited.popleft()
        connection = self.transaction
        self._current = current = _Current(file, can_be_undone=file.may_replace or record.scope is not None)
        if current.can_be_undone:
            connection.execute("SAVEPOINT file")
        if file.may_replace:
            old = connection.execute("SELECT position FROM files WHERE path = ?", [path]).fetchone()
            if old is not None:
                self._delete(old[0])
        return current

    def _end_file(self) -> None:
        current = self._current
        if current is None:
            return
        file = current.file
        is_failed = current.status not in SCORED_STATUSES
        now = key_of(Candidate(os.fsdecode(file.key.path)))
        self.n_changed += not file.is_problem and now.size is not None and now != file.key
        self._connection.execute(
            "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?)",
            [file.position, *file.key, current.status, is_failed, file.is_problem],
        )
        if self._in_flight.get(file.key.path) == file.key:
            del self._in_flight[file.key.path]
        self._current = None  # from here on: a Ctrl-C before finds a file that is ended once more
        self._order.is_kept(file.position)
        if current.can_be_undone:
            self._connection.execute("RELEASE file")
        if not self._is_noted_as_changed:
            self._note_as_changed()
        self._n_uncommitted += 1
        self.n_kept += 1

    def _undo_file(self, half: _Current) -> None:
        if half.can_be_undone:  # what it was to replace is there again
            self._connection.execute("ROLLBACK TO file")
            self._connection.execute("RELEASE file")
        else:
            self._delete(half.file.position)
        self._current = None

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Tell what goes wrong. The transaction is lost then, and nothing of it must be completed later."""
        with told(self.path):
            try:
                yield
            except sqlite3.DatabaseError:
                self._is_broken = True
                raise

    def _commit_in_time(self) -> None:
        is_late = time.monotonic() - self._committed >= COMMIT_AFTER_S
        if is_late or self._n_uncommitted >= COMMIT_AFTER_FILES:
            self.commit()

    def _note_as_changed(self) -> None:
        self._connection.execute("INSERT OR REPLACE INTO about VALUES ('changed', '1')")
        self._is_noted_as_changed = True

    def _make_room(self) -> None:
        """Make room between the files, unless some were given their positions and are not there yet."""
        if not self._awaited and self._current is None:
            with self._writing():
                spread(self.transaction)
            self.commit()
            self._order = Order(self._connection)

    def _is_elsewhere(self, key: FileKey) -> JournalError:
        return JournalError(
            f"{printable(os.fsdecode(key.path))} is file {self.n_before + 1} of the walk and was another one "
            f"when {printable(self.path)} was written: files came or went before it, and with --every the "
            "times of all behind them would be others; score anew with --overwrite, or into another output"
        )

    def _problems(self) -> set[int]:
        """Positions of what could not even be opened to look for files, such as folders."""
        with told(self.path):
            return {
                each for (each,) in self._connection.execute("SELECT position FROM files WHERE is_problem")
            }

    def _drop(self, positions: Iterable[int]) -> None:
        """Forget problems that a whole walk did not meet any more."""
        for position in positions:
            self.transaction  # noqa: B018 - begins one
            self._delete(position)
            self._note_as_changed()

    def _delete(self, position: int) -> None:
        self._connection.execute("DELETE FROM rows WHERE position = ?", [position])
        self._connection.execute("DELETE FROM files WHERE position = ?", [position])

    def note_whole(self) -> None:
        """Note that this run met all files there are."""
        with self._writing():
            self.transaction.execute("UPDATE sessions SET is_whole = 1 WHERE number = ?", [self._session])
        self.commit()

    def keep_explanation(self, place: Place, sentence: str) -> None:
        """Add what is heard in a clip to its row, which is there."""
        with self._writing():
            self.transaction.execute(
                "UPDATE rows SET explanation = ? WHERE position = ? AND number = ?", [sentence, *place]
            )
        self.commit()

    def _begin_session(self, started: str, how: Mapping[str, Any]) -> None:
        cursor = self._connection.execute(
            "INSERT INTO sessions (started, how) VALUES (?, ?)", [started, msgspec.json.encode(how).decode()]
        )
        self._session = cursor.lastrowid

    def _end_session(self) -> None:
        """Keep every whole file; of one that is not, nothing."""
        if self._is_broken:
            return
        if self._current is not None and not self._current.is_ended:
            self._undo_file(self._current)
        self.commit()
        self._connection.execute(
            "UPDATE sessions SET ended = ? WHERE number = ?", [_utc_now(), self._session]
        )
        with suppress(sqlite3.OperationalError):  # somebody reads: it is whole all the same, in two files
            self._connection.execute("PRAGMA busy_timeout = 0")
            self._connection.execute("PRAGMA journal_mode = DELETE")


def journal_of(output: Path) -> Path:
    """Where the journal of an output is."""
    return output.with_name(output.name + ".journal")


def _prepare(connection: sqlite3.Connection, path: Path, settings: Settings) -> None:
    """Make the tables, or compare the settings with those that the journal was begun with."""
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
        return
    given = msgspec.json.decode(msgspec.json.encode(settings))
    differing = list(differences(settings_in(connection), given))
    if differing:
        raise JournalError(
            f"{printable(path)} is of a run that would give other scores: {in_words(differing)}; ask for the "
            "same again, name another output, or begin anew with --overwrite"
        )


def _remove(path: Path) -> None:
    for name in (path.name, *(path.name + ending for ending in _BESIDE)):
        path.with_name(name).unlink(missing_ok=True)


def _utc_now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
