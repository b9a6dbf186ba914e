"""The journal of a run, open for writing: which files are to be scored yet, and what became of the others."""

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from osscl.audio.candidate import Candidate
from osscl.errors import JournalError
from osscl.journal.awaiting import Awaiting
from osscl.journal.contents import Contents, connect
from osscl.journal.exports import hash_of
from osscl.journal.keys import key_of
from osscl.journal.known import KnownFiles
from osscl.journal.lock import Lock
from osscl.journal.meeting import Meeting
from osscl.journal.opening import begin_session, end_session, prepare, remove
from osscl.journal.order import Order, spread
from osscl.journal.rows import Place
from osscl.journal.schema import sentence_of, told
from osscl.journal.settings import Settings
from osscl.journal.writer import Writer
from osscl.scoring.record import Record
from osscl.support.paths import printable
from osscl.support.utc import utc_now

COMMIT_AFTER_S = 1.0
COMMIT_AFTER_FILES = 512


class Journal(Contents):
    """A journal, open for writing by this run alone; made by `Journal.open`, and used in one thread.

    Rows come in the order of `undone`, those of one file together, and are committed together: never half a
    file, and at latest with the file that comes a second after the last time, or with the 512th since then.
    `commit` does it at once.

    Attributes
    ----------
    begun_anew : str or None
        In what the run before differed, where nothing was scored by it and this one began anew.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, session: int) -> None:
        super().__init__(path, connection)
        self._session = session
        self._order = Order(connection)
        self._awaiting = Awaiting()
        self._writer = Writer(connection, self._order, self._awaiting)
        self._meeting: Meeting | None = None
        self._n_committed, self._committed = 0, time.monotonic()
        self._is_broken = False
        self.begun_anew: str | None = None
        self._stat = path.stat()

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
        started = utc_now()
        with Lock(path, started), told(path):
            if overwrite:
                remove(path)
            connection = connect(path, "rwc")
            try:
                begun_anew = prepare(connection, path, settings)
                journal = cls(path, connection, begin_session(connection, started, how or {}))
                journal.begun_anew = begun_anew
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
        if not as_they_come:
            self._make_room()
        with self._writing():
            self._writer.write()
            meeting = Meeting(self._connection, self._order, self._awaiting, as_they_come=as_they_come)
        self._meeting, walk = meeting, iter(candidates)
        if in_fixed_places:
            yield from meeting.undone_in_fixed_places(walk, self.path, retry_failed=retry_failed)
        else:
            yield from meeting.undone(walk, retry_failed=retry_failed)
        with self._writing():
            for position in meeting.unmet:  # problems that a whole walk did not meet any more
                self._writer.delete(position)

    @property
    def n_kept(self) -> int:
        """Files whose rows are complete."""
        return self._writer.n_kept

    @property
    def n_changed(self) -> int:
        """Files that are not as they were before they were read: `undone` will give them again."""
        return self._writer.n_changed

    @property
    def n_done_before(self) -> int:
        """Files that `undone`, called last, met and left out: they are done."""
        return 0 if self._meeting is None else self._meeting.n_done

    @property
    def n_before(self) -> int:
        """Files of the walk before the one that `undone`, called last, met last."""
        return -1 if self._meeting is None else self._meeting.n_before

    def is_done(self, candidate: Candidate) -> bool:
        """Whether a file was met before as it is now; unlike `undone`, this awaits no rows of it."""
        with self._writing():
            self._writer.write()
        key = key_of(candidate)
        file = KnownFiles(self._connection, as_walked=False).meet(key.path)
        return file is not None and file.is_as(key)

    def scored_parts(self, path: str) -> set[float | None]:
        """Tell which parts of a file were scored when it was met before: their starts, in seconds."""
        found = self.transaction.execute(
            "SELECT start_s FROM files JOIN rows USING (position) WHERE path = ? AND score IS NOT NULL",
            [os.fsencode(path)],
        )
        return {start_s for (start_s,) in found}

    def add(self, record: Record) -> None:
        """Keep a row of the file that `undone` gave longest ago, or one more of the file before that
        while there are some to come.

        Raises
        ------
        JournalError
            It cannot be written; what was committed is kept.
        """
        try:  # as `_writing`, which costs more than a row
            is_ended = self._writer.add(record)
        except sqlite3.DatabaseError as error:
            self._is_broken = True
            raise sentence_of(self.path, error) from error
        if is_ended:
            self._commit_in_time()

    @property
    def transaction(self) -> sqlite3.Connection:
        """The connection, in a transaction: what is written by it is kept together with the rows added."""
        with self._writing():
            self._writer.begin()
            self._writer.write()
        return self._connection

    def commit(self) -> None:
        """Keep all files whose rows are complete, and what was written in their transaction, for good."""
        if self._writer.is_amid:
            return  # the rest of it comes, or it ends the session
        with self._writing():
            self._writer.write()
            if self._connection.in_transaction:
                self._connection.execute("COMMIT")
            self._n_committed, self._committed = self.n_kept, time.monotonic()

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
        if is_late or self.n_kept - self._n_committed >= COMMIT_AFTER_FILES:
            self.commit()

    def _make_room(self) -> None:
        """Make room between the files, unless some were given their positions and are not there yet."""
        if not self._awaiting and not self._writer.is_amid:
            with self._writing():
                spread(self.transaction)
            self.commit()
            self._order.look()

    def note_whole(self) -> None:
        """Note that this run met all files there are."""
        with self._writing():
            self.transaction.execute("UPDATE sessions SET is_whole = 1 WHERE number = ?", [self._session])
        self.commit()

    def check_in_place(self) -> None:
        """Refuse to end as if all were well where somebody took the journal away; raises `JournalError`."""
        with suppress(OSError):
            if os.path.samestat(self.path.stat(), self._stat):
                return
        raise JournalError(
            f"{printable(self.path)} was removed or replaced while it was written: the table holds what it "
            "held, and no later run can go on with it; move the table away and begin anew, and leave what "
            "lies beside an output where it is while a run goes on"
        )

    def keep_explanation(self, place: Place, sentence: str) -> None:
        """Add what is heard in a clip to its row, which is there."""
        with self._writing():
            self.transaction.execute(
                "UPDATE rows SET explanation = ? WHERE position = ? AND number = ?", [sentence, *place]
            )
        self.commit()

    def _end_session(self) -> None:
        """Keep every whole file; of one that is not, nothing."""
        if self._is_broken:
            return
        self._writer.undo_half()
        self.commit()
        end_session(self._connection, self._session, self.path)


def journal_of(output: Path) -> Path:
    """Where the journal of an output is."""
    return output.with_name(output.name + ".journal")
