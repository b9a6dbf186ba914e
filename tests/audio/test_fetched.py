"""What lies behind URLs is read ahead, in order, with bounded memory; what cannot be read has a reason."""

import errno
from collections.abc import Iterator
from contextlib import closing

import pytest

from osscl.audio import fetched
from osscl.audio.candidate import Candidate
from osscl.audio.fetched import MOST_AHEAD, fetched_ahead
from osscl.storage import attempts
from osscl.storage.listing import objects_at
from osscl.storage.reading import WHOLE_BYTES
from osscl.storage.stored import Stored
from support.stores import failing_store

NAMES = [f"{number:03}.wav" for number in range(3 * MOST_AHEAD)]
CONTENT = {name: name.encode() for name in NAMES}


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "SHORTEST_WAIT_S", 0.0)
    monkeypatch.setattr(attempts, "LONGEST_WAIT_S", 0.0)


def walked() -> Iterator[Candidate]:
    return (Candidate(each.url, stored=each.stored) for each in objects_at("failing://"))


def test_all_come_in_order_each_with_its_content() -> None:
    with failing_store(CONTENT):
        got = list(fetched_ahead(walked()))
    assert [(each.path, each.content) for each in got] == [
        (f"failing://{name}", CONTENT[name]) for name in NAMES
    ]


def test_every_tenth_request_that_fails_loses_and_doubles_nothing() -> None:
    with failing_store(CONTENT) as store:
        for name in NAMES[::10]:
            store.failures[f"get /{name}"] = [ConnectionResetError(errno.ECONNRESET, "reset")]
        got = list(fetched_ahead(walked()))
    assert [each.content for each in got] == list(CONTENT.values())
    assert [each.problem for each in got] == [None] * len(NAMES)


def test_what_is_gone_or_denied_has_a_reason_and_the_others_go_on() -> None:
    with failing_store(CONTENT) as store:
        store.failures["get /001.wav"] = [PermissionError("Forbidden")]
        listed = list(walked())
        del store.store["/000.wav"]
        got = list(fetched_ahead(listed[:3]))
    assert [each.problem is None for each in got] == [False, False, True]
    assert str(got[0].problem) == "it cannot be read: there is nothing at this place, or not any more"
    assert str(got[1].problem).startswith("it cannot be read: access is denied (Forbidden); credentials are")


def test_no_more_is_taken_than_is_read_ahead() -> None:
    taken = 0

    def counted() -> Iterator[Candidate]:
        nonlocal taken
        for candidate in walked():
            taken += 1
            yield candidate

    with failing_store(CONTENT), closing(fetched_ahead(counted())) as coming:
        next(coming)
        assert taken == MOST_AHEAD + 1


def test_bytes_are_bounded_as_well_as_recordings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetched, "MOST_BYTES_AHEAD", 21)
    taken = 0

    def counted() -> Iterator[Candidate]:
        nonlocal taken
        for candidate in walked():
            taken += 1
            yield candidate

    with failing_store(CONTENT), closing(fetched_ahead(counted())) as coming:
        next(coming)
        assert taken == 4  # of 7 bytes each: the first is given when the fourth is too many


def test_files_of_this_machine_are_not_read_and_not_waited_for() -> None:
    def arriving() -> Iterator[Candidate]:
        yield Candidate("a.wav")
        raise AssertionError("nobody has asked for the next")

    with closing(fetched_ahead(arriving())) as coming:
        assert next(coming) == Candidate("a.wav")


def test_what_is_large_is_left_to_be_read_in_pieces() -> None:
    with failing_store({"a.wav": b"sound"}) as store:
        large = Candidate("failing://a.wav", stored=Stored(WHOLE_BYTES + 1))
        assert list(fetched_ahead([large])) == [large]
        assert store.requests == []


def test_all_threads_end_with_the_run() -> None:
    import threading

    with failing_store(CONTENT):
        coming = fetched_ahead(walked())
        next(coming)
        coming.close()
    assert not [each for each in threading.enumerate() if each.name.startswith("osscl-fetch")]
