"""Outbox: events on their way to their receivers, in the very database that holds what they tell of.

An event and the rows it speaks of are written in one transaction, so neither can be there without the other.
"""

import secrets
import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from osscl.events.event import Event
from osscl.support.paths import printable

_TABLES = (
    """CREATE TABLE IF NOT EXISTS event (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        content TEXT NOT NULL
    )""",
    """CREATE TABLE IF NOT EXISTS event_receiver (
        name TEXT PRIMARY KEY,
        token TEXT NOT NULL,
        delivered_to INTEGER NOT NULL DEFAULT 0,
        note TEXT NOT NULL DEFAULT ''
    )""",
    """CREATE TABLE IF NOT EXISTS event_refused (
        receiver TEXT NOT NULL,
        seq INTEGER NOT NULL,
        reason TEXT NOT NULL,
        PRIMARY KEY (receiver, seq)
    ) WITHOUT ROWID""",
)
_BEHIND = "FROM event WHERE seq > coalesce((SELECT delivered_to FROM event_receiver WHERE name = ?), 0)"
_WAITING = f"SELECT seq, id, content {_BEHIND} ORDER BY seq LIMIT ?"
_N_WAITING = f"SELECT count(*) {_BEHIND}"


class Spooled(NamedTuple):
    """An event that waits for a receiver.

    Attributes
    ----------
    seq : int
        Its place in the order of all events.
    id : str
        See `event_id`.
    content : bytes
        The event as JSON, UTF-8: what every receiver gets.
    """

    seq: int
    id: str
    content: bytes


class Receiver(NamedTuple):
    """How far a receiver is.

    Attributes
    ----------
    token : str
        Tells this receiver of this outbox from all others; made at random once, kept for ever.
    last_id : str or None
        The event it got or refused last.
    note : str
        What its sink wants to know again after a restart.
    """

    token: str
    last_id: str | None
    note: str


class Settled(NamedTuple):
    """An event that need not be sent again.

    Attributes
    ----------
    seq : int
        Its place in the order of all events.
    refusal : str or None
        Why the receiver will never take it; None where it did.
    """

    seq: int
    refusal: str | None


class Outbox:
    """The events of a database, and how far each receiver is.

    Parameters
    ----------
    connection : sqlite3.Connection
        The database; its tables are made where they lack. Used by the thread alone that it belongs to.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        for table in _TABLES:
            connection.execute(table)

    def put(self, events: Iterable[Event]) -> int:
        """Add events, in the caller's transaction. One whose ID is there already changes nothing.

        Parameters
        ----------
        events : iterable of Event
            In order; their paths as they are.

        Returns
        -------
        int
            How many are new.
        """
        n_new = 0
        for event in events:
            content = encoded(event).decode()
            added = self._connection.execute(
                "INSERT OR IGNORE INTO event (id, content) VALUES (?, ?)", (event.id, content)
            )
            n_new += added.rowcount
        return n_new

    def receiver(self, name: str) -> Receiver:
        """Say how far a receiver is; one that was never named before has all events before it.

        Parameters
        ----------
        name : str
            The name of its sink.

        Returns
        -------
        Receiver
            Where to go on.
        """
        self._connection.execute(
            "INSERT OR IGNORE INTO event_receiver (name, token) VALUES (?, ?)", (name, secrets.token_hex(8))
        )
        token, last_id, note = self._connection.execute(
            "SELECT token, (SELECT id FROM event WHERE seq = delivered_to), note"
            " FROM event_receiver WHERE name = ?",
            (name,),
        ).fetchone()
        return Receiver(token, last_id, note)

    def waiting(self, name: str, most: int) -> list[Spooled]:
        """Give the next events of a receiver.

        Parameters
        ----------
        name : str
            The receiver.
        most : int
            How many at most.

        Returns
        -------
        list of Spooled
            In order; empty where it has all.
        """
        rows = self._connection.execute(_WAITING, (name, most))
        return [Spooled(seq, known_by, content.encode()) for seq, known_by, content in rows]

    def n_waiting(self, name: str) -> int:
        """Count the events that a receiver does not have yet."""
        return int(self._connection.execute(_N_WAITING, (name,)).fetchone()[0])

    def n_refused(self, name: str) -> int:
        """Count the events that a receiver refused; they stay, with the reason."""
        query = "SELECT count(*) FROM event_refused WHERE receiver = ?"
        return int(self._connection.execute(query, (name,)).fetchone()[0])

    def settle(self, name: str, settled: Sequence[Settled]) -> None:
        """Note what need not be sent again, in the caller's transaction.

        Parameters
        ----------
        name : str
            The receiver.
        settled : sequence of Settled
            In order, at least one.
        """
        self._connection.execute(
            "UPDATE event_receiver SET delivered_to = ? WHERE name = ?", (settled[-1].seq, name)
        )
        self._connection.executemany(
            "INSERT OR REPLACE INTO event_refused VALUES (?, ?, ?)",
            [(name, seq, refusal) for seq, refusal in settled if refusal is not None],
        )

    def go_back(self, name: str, cut: str | None, held: Iterable[str]) -> int:
        """Have a receiver get again what it lost, in the caller's transaction.

        Parameters
        ----------
        name : str
            The receiver.
        cut : str or None
            The first event that it lost; None where nobody knows.
        held : iterable of str
            Events that it has, the newest first; some may be of other outboxes. Where there is none of this
            one, all of it is taken to be elsewhere, and nothing comes again.

        Returns
        -------
        int
            How many come again.
        """
        place = None if cut is None else self._place_of(cut)
        last = place - 1 if place is not None else None
        if last is None:
            last = next((found for each in held if (found := self._place_of(each)) is not None), None)
        if last is None:
            return 0
        n_before = self.n_waiting(name)
        self._connection.execute(
            "UPDATE event_receiver SET delivered_to = min(delivered_to, ?) WHERE name = ?", (last, name)
        )
        return self.n_waiting(name) - n_before

    def _place_of(self, event_id: str) -> int | None:
        row = self._connection.execute("SELECT seq FROM event WHERE id = ?", (event_id,)).fetchone()
        return None if row is None else int(row[0])

    def note(self, name: str, note: str) -> None:
        """Keep what a receiver's sink wants to know again after a restart, in the caller's transaction."""
        self._connection.execute("UPDATE event_receiver SET note = ? WHERE name = ?", (note, name))


def find_event(connection: sqlite3.Connection, event_id: str) -> Event | None:
    """Give back an event; its path is spelled as in a result table.

    Parameters
    ----------
    connection : sqlite3.Connection
        The database; it is only read.
    event_id : str
        See `osscl.events.event.event_id`.

    Returns
    -------
    Event or None
        The event; None where it is not known here.
    """
    try:
        row = connection.execute("SELECT content FROM event WHERE id = ?", (event_id,)).fetchone()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):  # a run without events
            return None
        raise
    return None if row is None else msgspec.json.decode(row[0], type=Event)


def encoded(event: Event) -> bytes:
    """Write an event as JSON in one line, UTF-8; its path is spelled as in a result table.

    Parameters
    ----------
    event : Event
        The event; its path as it is.

    Returns
    -------
    bytes
        Without a line end.
    """
    undecodable = {
        name: printable(value)
        for name, value in msgspec.structs.asdict(event).items()
        if isinstance(value, str) and not _is_text(value)
    }
    return msgspec.json.encode(
        msgspec.structs.replace(event, **undecodable | {"path": printable(event.path)})
    )


def _is_text(value: str) -> bool:
    """Whether it can be written as UTF-8: half pairs of surrogates stand for bytes of a file's name."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
