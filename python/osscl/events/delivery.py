"""Delivery: the thread that brings the events of an outbox to one receiver, in order, as long as it takes."""

import math
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import TypeVar

from osscl.errors import OssclError
from osscl.events.outbox import Outbox, Settled, Spooled
from osscl.events.sink import AwayError, Sink
from osscl.support.back_off import BackOff
from osscl.support.log import quiet_logger

_log = quiet_logger(__name__)

_LOOK_AGAIN_S = 1.0  # a waking that came before the commit it speaks of costs no more than this
_LOCKED_MS, _ATTEMPTS = 2, 5_000
_UNREACHED = "unreached"
_Given = TypeVar("_Given")

Connect = Callable[[], sqlite3.Connection]
Wait = Callable[[threading.Event, float], object]
Now = Callable[[], float]


class Delivery:
    """One receiver's events on their way.

    What cannot be delivered stays in the outbox and is tried again after 1 s to 60 s; what a receiver refuses
    for good is noted there with the reason, and the next one follows. What was sent and cannot be noted (a
    locked journal, a full disk) is not sent again, but noted before anything else.

    Parameters
    ----------
    sink : Sink
        Who brings them.
    connect : callable
        Opens the outbox's database, in the thread that calls it.
    grace_s : float
        Seconds that `end` leaves for what still waits, as long as the receiver takes it.
    back_off : BackOff, optional
        How long to wait after a failure.
    wait : callable
        Waits until an event is set, or so many seconds have passed.
    now : callable
        Seconds on a clock that is never set back.

    Attributes
    ----------
    trouble : str or None
        Why nothing is delivered at present; None where all is well.
    """

    def __init__(
        self,
        sink: Sink,
        connect: Connect,
        *,
        grace_s: float = 5.0,
        back_off: BackOff | None = None,
        wait: Wait = threading.Event.wait,
        now: Now = time.monotonic,
    ) -> None:
        self._sink, self._connect, self._grace_s = sink, connect, grace_s
        self._back_off, self._wait, self._now = back_off or BackOff(), wait, now
        self._woken, self._stopping = threading.Event(), threading.Event()
        self._deadline = math.inf
        self._unwritten: list[Settled] = []
        self._said: set[str] = set()
        self.trouble: str | None = None
        self._thread = threading.Thread(target=self._run, name="osscl-delivery", daemon=True)

    @property
    def name(self) -> str:
        """The receiver, without anything secret."""
        return self._sink.name

    def start(self) -> None:
        """Begin to deliver.

        Raises
        ------
        OssclError
            Nothing can ever be delivered this way.
        """
        with closing(self._opened()) as connection:
            outbox = _once_free(lambda: Outbox(connection))
            shortfall = self._sink.begin(_once_free(lambda: outbox.receiver(self.name)))
            if shortfall is not None:
                with _transaction(connection):
                    n_lost = outbox.go_back(self.name, *shortfall)
                if n_lost:
                    _log.warning("%s lost events: they are told again: %d", self.name, n_lost)
        self._thread.start()

    def wake(self) -> None:
        """Say that there are new events, once they are committed."""
        self._woken.set()

    def end(self) -> None:
        """Deliver what waits while the receiver takes it, for a few seconds at most; the rest stays."""
        self._deadline = self._now() + self._grace_s
        self._stopping.set()
        self._woken.set()

    def join(self) -> None:
        """Wait for the end, once it was asked for."""
        if self._thread.ident is not None:
            self._thread.join()
        self._sink.close()

    def _run(self) -> None:
        is_over = False
        while not is_over:
            try:
                with closing(self._opened()) as connection:
                    self._deliver_all(connection)
                is_over = True
            except Exception as error:  # noqa: BLE001 - whatever it is: the events are kept, and it is said
                self._say(_reason(error), is_unreached=isinstance(error, AwayError) and error.is_unreached)
                if not self._stopping.is_set():
                    self._wait(self._stopping, self._back_off.next_s())
                is_over = self._stopping.is_set()
        if self._unwritten:
            with suppress(sqlite3.Error), closing(self._opened()) as connection:
                self._write(connection, Outbox(connection))

    def _deliver_all(self, connection: sqlite3.Connection) -> None:
        """Deliver what is there and what comes, until it is time to end."""
        outbox = _once_free(lambda: Outbox(connection))
        self._write(connection, outbox)
        while True:
            self._woken.clear()
            is_ending = self._stopping.is_set()  # before the look: what was put before it is found
            events = _once_free(lambda: outbox.waiting(self.name, self._sink.batch))
            if is_ending and (not events or self._now() >= self._deadline):
                return
            if events:
                self._deliver(connection, outbox, events)
            else:
                self._sink.rest()
            self._all_is_well()
            if not events:
                self._wait(self._woken, _LOOK_AGAIN_S)

    def _deliver(self, connection: sqlite3.Connection, outbox: Outbox, events: list[Spooled]) -> None:
        def note(text: str) -> None:
            with _transaction(connection):
                outbox.note(self.name, text)

        try:
            for event, refusal in zip(events, self._sink.deliver(events, note), strict=True):
                self._unwritten.append(Settled(event.seq, refusal))
                if refusal is not None:
                    _log.warning("%s refuses event %s: %s", self.name, event.id, refusal)
        finally:
            self._write(connection, outbox)

    def _write(self, connection: sqlite3.Connection, outbox: Outbox) -> None:
        """Note what need not be sent again."""
        if self._unwritten:
            with _transaction(connection):
                outbox.settle(self.name, self._unwritten)
            self._unwritten.clear()

    def _opened(self) -> sqlite3.Connection:
        connection = self._connect()
        connection.isolation_level = None  # transactions are begun and ended here
        connection.execute(f"PRAGMA busy_timeout = {_LOCKED_MS}")
        _once_free(lambda: connection.execute("PRAGMA synchronous = NORMAL"))
        return connection

    def _say(self, reason: str, *, is_unreached: bool) -> None:
        self.trouble = reason
        known_by = _UNREACHED if is_unreached else reason
        if known_by not in self._said:
            self._said.add(known_by)
            _log.warning("%s: %s; its events are kept and tried again", self.name, reason)

    def _all_is_well(self) -> None:
        self._back_off.reset()
        if self.trouble is not None:
            _log.info("%s takes events again", self.name)
        self.trouble = None
        self._said.clear()


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, on a connection that begins no transaction by itself."""
    _once_free(lambda: connection.execute("BEGIN IMMEDIATE"))
    try:
        yield
        _once_free(lambda: connection.execute("COMMIT"))
    except BaseException:
        connection.rollback()
        raise


def _once_free(look: Callable[[], _Given]) -> _Given:
    """Ask a database that another connection may be writing to.

    SQLite itself would look again every 100 ms, and miss the moments that a busy run leaves between
    transactions.
    """
    for _ in range(_ATTEMPTS):
        try:
            return look()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
    return look()


def _reason(error: Exception) -> str:
    if isinstance(error, OssclError):
        return str(error)
    if isinstance(error, sqlite3.Error):
        return f"the journal cannot be used at present: {error}"
    return f"unexpected {type(error).__name__}: {error}"
