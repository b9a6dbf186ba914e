"""Events that are made up, an outbox on disk, and deliveries that do not wait long."""

import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path

from osscl.events.delivery import Delivery
from osscl.events.event import Event, event_id
from osscl.events.outbox import Outbox
from osscl.events.sink import Sink
from support.waiting import wait_until


def event(number: int, **more: object) -> Event:
    """An anomaly that tells its number."""
    path = f"sound/{number:04}.wav"
    known_by = event_id("anomaly", path)
    told = {"kind": "anomaly", "at": "2026-11-26T10:00:00Z", "machine": "fan/id_00", "score": float(number)}
    return Event(id=known_by, path=path, **told | more)  # type: ignore[arg-type]


class Box:
    """An outbox in a database of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            Outbox(connection)
        connection.close()

    def connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path)

    def put(self, events: Iterable[Event]) -> int:
        connection = self.connect()
        with connection:
            n_new = Outbox(connection).put(events)
        connection.close()
        return n_new

    def n_waiting(self, name: str) -> int:
        connection = self.connect()
        n = Outbox(connection).n_waiting(name)
        connection.close()
        return n

    def n_refused(self, name: str) -> int:
        connection = self.connect()
        n = Outbox(connection).n_refused(name)
        connection.close()
        return n

    def delivered(self, sink: Sink) -> None:
        """Deliver until nothing waits, and end."""
        delivery = hasty(self, sink)
        delivery.start()
        wait_until(lambda: self.n_waiting(sink.name) == 0)
        ended(delivery)


def hasty(box: Box, sink: Sink, waited: list[float] | None = None) -> Delivery:
    """A delivery that tries again at once, and tells how long it was to wait."""

    def wait(until: threading.Event, seconds: float) -> None:
        if waited is not None:
            waited.append(seconds)
        until.wait(0.01)

    return Delivery(sink, box.connect, wait=wait)


def ended(delivery: Delivery) -> None:
    delivery.end()
    delivery.join()
