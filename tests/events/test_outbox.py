"""The outbox: events in the transaction of what they tell of, each once by its ID, in order."""

import json
import os
import sqlite3
from pathlib import Path

import pytest

from osscl.audio.candidate import Candidate
from osscl.events.event import Event, event_id
from osscl.events.outbox import Outbox, Settled, encoded, find_event
from osscl.journal.contents import connect
from osscl.journal.journal import Journal
from osscl.scoring.record import Record
from support.events import Box, event

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning"
)  # Python's, on every fork beside threads


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path / "run.journal")


def test_an_id_tells_everything_apart() -> None:
    parts = [
        ("a", "b"),
        ("ab",),
        ("a", "b", None),
        ("a", b"b"),
        ("b", "a"),
        (1,),
        ("1",),
        (1.0,),
        ("\udcff",),
    ]
    assert len({event_id(*each) for each in parts}) == len(parts)
    assert event_id("a", 1) == event_id("a", 1)
    assert len(event_id("a")) == 32


def test_events_come_out_in_order_and_once(box: Box) -> None:
    assert box.put([event(1), event(0)]) == 2
    assert box.put([event(0, score=9.0), event(2)]) == 1
    connection = box.connect()
    outbox = Outbox(connection)
    outbox.receiver("a")
    waiting = outbox.waiting("a", 10)
    assert [each.id for each in waiting] == [event(1).id, event(0).id, event(2).id]
    assert [each.content for each in waiting] == [encoded(each) for each in (event(1), event(0), event(2))]
    assert outbox.waiting("a", 1) == waiting[:1]
    connection.close()


def test_what_is_settled_does_not_come_again(box: Box) -> None:
    box.put(map(event, range(4)))
    connection = box.connect()
    outbox = Outbox(connection)
    first, other = outbox.receiver("a"), outbox.receiver("b")
    assert first.last_id is None
    assert first.token != other.token
    with connection:
        outbox.settle("a", [Settled(1, None), Settled(2, "it is too large")])
        outbox.note("a", "something")
    connection.close()
    connection = box.connect()
    outbox = Outbox(connection)
    assert [each.id for each in outbox.waiting("a", 10)] == [event(2).id, event(3).id]
    assert [outbox.n_waiting("a"), outbox.n_waiting("b"), outbox.n_waiting("new")] == [2, 4, 4]
    assert [outbox.n_refused("a"), outbox.n_refused("b")] == [1, 0]
    assert outbox.receiver("a") == (first.token, event(1).id, "something")
    connection.close()


def test_events_are_there_with_what_they_tell_of_or_not_at_all(tmp_path: Path) -> None:
    path, sound = tmp_path / "run.journal", tmp_path / "a.wav"
    sound.touch()

    def run(*, is_killed: bool) -> None:
        with Journal.open(path, {}) as journal:
            outbox = Outbox(journal.transaction)
            journal.commit()
            for candidate in journal.undone([Candidate(str(sound))]):
                journal.add(Record(path=candidate.path, score=1.0))
                outbox.put([event(0)])
                if is_killed:
                    os._exit(0)

    def n_of(table: str) -> int:
        connection = connect(path, "ro")
        (n,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
        connection.close()
        assert isinstance(n, int)
        return n

    if (child := os.fork()) == 0:
        run(is_killed=True)
    os.waitpid(child, 0)
    assert [n_of("rows"), n_of("event")] == [0, 0]
    run(is_killed=False)
    assert [n_of("rows"), n_of("event")] == [1, 1]


def test_names_that_are_no_text_are_spelled_as_in_tables(box: Box) -> None:
    odd = os.fsdecode(b"fan\xff\nid")
    box.put([Event(id="1", kind="score", at="2026", path=odd, machine=odd, score=float("nan"))])
    connection = box.connect()
    found = find_event(connection, "1")
    assert found is not None
    assert found.path == r"fan\xff\x0aid"
    assert found.machine == r"fan\xff\x0aid"
    assert find_event(connection, "2") is None
    (content,) = connection.execute("SELECT content FROM event").fetchone()
    assert json.loads(content)["score"] is None
    connection.close()


def test_any_program_can_read_the_outbox(box: Box) -> None:
    box.put([event(7)])
    connection = sqlite3.connect(box.path)
    query = "SELECT json_extract(content, '$.machine'), json_extract(content, '$.score') FROM event"
    assert connection.execute(query).fetchall() == [("fan/id_00", 7.0)]
    connection.close()
