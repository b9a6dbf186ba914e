"""Delivery: in order, kept while the receiver is away, never sent twice by one process, ended at once."""

import logging
import random
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from osscl.errors import ConfigError, OutputError
from osscl.events.deliveries import Deliveries
from osscl.events.delivery import Connect, Delivery
from osscl.events.outbox import Receiver, Spooled
from osscl.events.sink import AwayError, Note, Sink
from osscl.support.back_off import BackOff
from support.events import Box, ended, event, hasty
from support.waiting import wait_until


class Listed:
    """A receiver in this process, which can be away, and refuses some events."""

    batch = 7

    def __init__(self, name: str = "listed", refused: Sequence[str] = ()) -> None:
        self.name, self.refused = name, refused
        self.got: list[str] = []
        self.away: str | None = None
        self.is_unreached = False
        self.is_closed = False
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def begin(self, receiver: Receiver) -> None:
        pass

    def deliver(self, events: Sequence[Spooled], note: Note) -> Iterator[str | None]:
        for spooled in events:
            self.may_go_on.wait()
            if self.away is not None:
                raise AwayError(self.away, is_unreached=self.is_unreached)
            if spooled.id in self.refused:
                yield "not this one"
            else:
                self.got.append(spooled.id)
                yield None

    def rest(self) -> None:
        if self.away is not None:
            raise AwayError(self.away, is_unreached=self.is_unreached)

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path / "run.journal")


def ids(numbers: Sequence[int]) -> list[str]:
    return [event(number).id for number in numbers]


def test_waiting_grows_from_a_second_to_a_minute_and_differs() -> None:
    back_off = BackOff(random.Random(1))
    waits = [back_off.next_s() for _ in range(2000)]
    assert min(waits) >= 1.0
    assert max(waits[:3]) <= 27.0
    assert 50.0 < max(waits) <= 60.0
    assert len({*waits}) > 100
    back_off.reset()
    assert back_off.next_s() <= 3.0
    assert BackOff(random.Random(2)).next_s() != BackOff(random.Random(3)).next_s()


def test_events_go_on_where_they_were(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "osscl")
    sink, waited = Listed(), list[float]()
    box.put(map(event, range(10)))
    delivery = hasty(box, sink, waited)
    delivery.start()
    wait_until(lambda: len(sink.got) == 10)
    sink.away = "it sleeps"
    box.put(map(event, range(10, 20)))
    wait_until(lambda: delivery.trouble == "it sleeps" and len([each for each in waited if each > 1.0]) > 3)
    sink.away = None
    wait_until(lambda: box.n_waiting("listed") == 0)
    wait_until(lambda: delivery.trouble is None)
    ended(delivery)
    assert sink.got == ids(range(20))
    assert sink.is_closed
    said = [record.getMessage() for record in caplog.records]
    assert said == ["listed: it sleeps; its events are kept and tried again", "listed takes events again"]


def test_one_outage_is_said_once_however_it_shows(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "osscl")
    sink = Listed()
    delivery = hasty(box, sink)
    delivery.start()
    for reason, sink.is_unreached in (("it hangs up", True), ("nobody answers", True), ("it says no", False)):
        sink.away = reason
        wait_until(lambda: delivery.trouble == sink.away)
    sink.away = None
    wait_until(lambda: delivery.trouble is None)
    ended(delivery)
    said = [record.getMessage() for record in caplog.records]
    kept = "; its events are kept and tried again"
    assert said == [f"listed: it hangs up{kept}", f"listed: it says no{kept}", "listed takes events again"]


def test_a_refused_event_is_kept_with_its_reason_and_the_next_follows(box: Box) -> None:
    sink = Listed(refused=ids([3]))
    box.put(map(event, range(8)))
    box.delivered(sink)
    assert sink.got == ids([0, 1, 2, 4, 5, 6, 7])
    assert box.n_refused("listed") == 1
    connection = box.connect()
    assert connection.execute("SELECT * FROM event_refused").fetchall() == [("listed", 4, "not this one")]
    connection.close()


def test_what_was_sent_and_could_not_be_noted_is_not_sent_again(box: Box) -> None:
    sink = Listed()
    delivery = hasty(box, sink)
    delivery.start()
    wait_until(lambda: delivery.trouble is None)
    connection = box.connect()
    connection.execute(
        "CREATE TRIGGER full BEFORE UPDATE ON event_receiver BEGIN SELECT RAISE(ABORT, 'full'); END"
    )
    connection.commit()
    box.put(map(event, range(3)))
    trouble = wait_until(lambda: delivery.trouble)
    assert trouble == "the journal cannot be used at present: full"
    connection.execute("DROP TRIGGER full")
    connection.commit()
    connection.close()
    wait_until(lambda: box.n_waiting("listed") == 0)
    ended(delivery)
    assert sink.got == ids(range(3))


def test_a_run_that_is_always_writing_leaves_delivery_its_moments(box: Box) -> None:
    sink, is_over = Listed(), threading.Event()

    def write() -> None:
        connection = sqlite3.connect(box.path, isolation_level=None)
        connection.execute("CREATE TABLE rows (n)")
        pause = threading.Event()
        while not is_over.is_set():
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO rows VALUES (1)")
            pause.wait(0.02)
            connection.execute("COMMIT")
            pause.wait(0.002)
        connection.close()

    box.put(map(event, range(50)))
    writer = threading.Thread(target=write)
    writer.start()
    delivery = hasty(box, sink)
    delivery.start()
    wait_until(lambda: box.n_waiting("listed") == 0)
    is_over.set()
    writer.join()
    assert delivery.trouble is None
    ended(delivery)
    assert sink.got == ids(range(50))


def test_the_end_delivers_what_waits_and_no_longer_than_it_may(box: Box) -> None:
    sink, seconds = Listed(), 0.0
    delivery = Delivery(sink, box.connect, grace_s=5.0, now=lambda: seconds)
    delivery.start()
    sink.may_go_on.clear()
    box.put(map(event, range(30)))
    delivery.wake()
    delivery.end()
    seconds = 4.9
    sink.may_go_on.set()
    delivery.join()
    assert sink.got == ids(range(30))

    late = Listed("late")
    late.may_go_on.clear()
    delivery = Delivery(late, box.connect, grace_s=5.0, now=lambda: seconds)
    delivery.start()
    delivery.end()
    seconds = 10.0
    late.may_go_on.set()
    delivery.join()
    assert len(late.got) in (0, 7)
    assert box.n_waiting("late") == 30 - len(late.got)


def test_the_end_does_not_wait_for_a_receiver_that_is_away(box: Box) -> None:
    sink, is_waiting = Listed(), threading.Event()
    sink.away = "it sleeps"

    def wait(until: threading.Event, seconds: float) -> None:
        assert 1.0 <= seconds <= 60.0
        is_waiting.set()
        until.wait()  # however long it is: the end cuts it short

    box.put([event(0)])
    delivery = Delivery(sink, box.connect, wait=wait)
    delivery.start()
    is_waiting.wait()
    ended(delivery)
    assert sink.got == []
    assert box.n_waiting("listed") == 1


def test_each_receiver_has_its_own_pace(box: Box) -> None:
    fast, slow = Listed("fast"), Listed("slow")
    slow.away = "it sleeps"
    box.put(map(event, range(9)))
    with Deliveries([fast, slow], box.connect, lambda sink, _: hasty(box, sink)) as deliveries:
        assert deliveries.names == ["fast", "slow"]
        wait_until(lambda: box.n_waiting("fast") == 0)
        wait_until(lambda: deliveries.troubles == {"slow": "it sleeps"})
        assert box.n_waiting("slow") == 9
        slow.away = None
        box.put([event(9)])
        deliveries.wake()
        wait_until(lambda: box.n_waiting("slow") == box.n_waiting("fast") == 0)
    assert fast.got == slow.got == ids(range(10))


def test_a_destination_named_twice_is_refused(box: Box) -> None:
    with pytest.raises(ConfigError, match="events are to go to a twice"):
        Deliveries([Listed("a"), Listed("a")], box.connect)


def test_one_that_cannot_begin_ends_the_others(box: Box) -> None:
    class Broken(Listed):
        def begin(self, receiver: Receiver) -> None:
            raise OutputError("it cannot be opened")

    good = Listed("good")

    def make(sink: Sink, connect: Connect) -> Delivery:
        return Delivery(sink, connect)

    with pytest.raises(OutputError), Deliveries([good, Broken("broken")], box.connect, make):
        pass
    assert good.is_closed
