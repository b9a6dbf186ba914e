"""Events as lines: each exactly once in the file, whatever ended the process before."""

import io
import os
import resource
import signal
from pathlib import Path

import pytest

from osscl.errors import OutputError
from osscl.events.json_lines import JsonLinesFile, JsonLinesOut
from osscl.events.outbox import Outbox, Settled, encoded
from support.events import Box, ended, event, hasty
from support.waiting import wait_until


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path / "run.journal")


def lines(numbers: range) -> bytes:
    return b"".join(encoded(event(number)) + b"\n" for number in numbers)


def noted(box: Box, file: Path, n: int) -> None:
    """Have `n` events noted as delivered."""
    connection = box.connect()
    with connection:
        outbox = Outbox(connection)
        outbox.receiver(str(file))
        if n:
            outbox.settle(str(file), [Settled(n, None)])
    connection.close()


@pytest.mark.parametrize("n_noted", [0, 5])
@pytest.mark.parametrize("n_written", [9, 12])
@pytest.mark.parametrize("half", [b"", b"{", b'{"id":"0', lines(range(12, 13))[:-1], b"\0" * 5_000])
def test_a_crash_leaves_neither_half_lines_nor_doubles(
    tmp_path: Path, box: Box, n_noted: int, n_written: int, half: bytes
) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(lines(range(n_written)) + half)
    box.put(map(event, range(20)))
    noted(box, file, n_noted)
    box.delivered(JsonLinesFile(file))
    assert file.read_bytes() == lines(range(20))


@pytest.mark.parametrize("left", [lines(range(8))[:-40], lines(range(5)), lines(range(1)) + b"{", None])
def test_what_the_file_lost_of_what_was_delivered_comes_again(
    tmp_path: Path, box: Box, caplog: pytest.LogCaptureFixture, left: bytes | None
) -> None:
    """Cut within a line, between two, and within the first bytes of one; or within the very first one."""
    file = tmp_path / "events.jsonl"
    file.write_bytes(lines(range(1))[:60] if left is None else left)
    box.put(map(event, range(10)))
    noted(box, file, 8)
    box.delivered(JsonLinesFile(file))
    assert file.read_bytes() == lines(range(10))
    assert f"{file} lost events: they are told again: " in caplog.text


def test_what_was_rotated_away_before_the_start_does_not_come_again(tmp_path: Path, box: Box) -> None:
    file = tmp_path / "events.jsonl"
    box.put(map(event, range(10)))
    noted(box, file, 8)
    box.delivered(JsonLinesFile(file))
    assert file.read_bytes() == lines(range(8, 10))


def test_a_run_begun_anew_writes_no_event_twice(tmp_path: Path, box: Box) -> None:
    """More than a batch, in another order, and others between."""
    file = tmp_path / "events.jsonl"
    before = lines(range(2_000, 3_000)) + lines(range(1_500, 1_510)) + lines(range(1_200))
    file.write_bytes(before)
    box.put(map(event, range(1_600)))
    box.delivered(JsonLinesFile(file))
    assert file.read_bytes() == before + lines(range(1_200, 1_500)) + lines(range(1_510, 1_600))


def test_lines_of_other_runs_lie_between(tmp_path: Path, box: Box) -> None:
    file, others = tmp_path / "events.jsonl", lines(range(1_000, 3_000))
    file.write_bytes(lines(range(5)) + others)
    box.put(map(event, range(8)))
    noted(box, file, 3)
    box.delivered(JsonLinesFile(file))
    assert file.read_bytes() == lines(range(5)) + others + lines(range(5, 8))


def test_a_file_that_was_rotated_away_is_begun_anew(tmp_path: Path, box: Box) -> None:
    file, sink = tmp_path / "events.jsonl", JsonLinesFile(tmp_path / "events.jsonl")
    delivery = hasty(box, sink)
    delivery.start()
    box.put(map(event, range(3)))
    wait_until(lambda: box.n_waiting(sink.name) == 0)
    file.rename(tmp_path / "events.jsonl.1")
    box.put(map(event, range(3, 5)))
    wait_until(lambda: box.n_waiting(sink.name) == 0)
    ended(delivery)
    assert (tmp_path / "events.jsonl.1").read_bytes() == lines(range(3))
    assert file.read_bytes() == lines(range(3, 5))


def test_a_folder_that_vanishes_is_said_and_waited_for(tmp_path: Path, box: Box) -> None:
    folder = tmp_path / "mount"
    folder.mkdir()
    sink = JsonLinesFile(folder / "events.jsonl")
    delivery = hasty(box, sink)
    delivery.start()
    box.put([event(0)])
    wait_until(lambda: box.n_waiting(sink.name) == 0)
    folder.rename(tmp_path / "away")
    box.put([event(1)])
    assert wait_until(lambda: delivery.trouble) == "cannot be written: No such file or directory"
    (tmp_path / "away").rename(folder)
    wait_until(lambda: box.n_waiting(sink.name) == 0)
    ended(delivery)
    assert (folder / "events.jsonl").read_bytes() == lines(range(2))


@pytest.mark.parametrize(
    "content", [b"path,score\na,1\n", b"my notes", b'{"path": 1}\n', lines(range(2)) + b"notes\n", b"\n"]
)
def test_a_file_of_anything_else_is_left_as_it_is(tmp_path: Path, box: Box, content: bytes) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(content)
    with pytest.raises(OutputError, match="holds something other than events of osscl"):
        hasty(box, JsonLinesFile(file)).start()
    assert file.read_bytes() == content


def test_what_cannot_be_a_file_of_events_is_said_at_once(tmp_path: Path, box: Box) -> None:
    with pytest.raises(OutputError, match="No such file or directory"):
        hasty(box, JsonLinesFile(tmp_path / "nowhere" / "events.jsonl")).start()
    os.mkfifo(tmp_path / "pipe.jsonl")
    with pytest.raises(OutputError, match="no regular file"):
        hasty(box, JsonLinesFile(tmp_path / "pipe.jsonl")).start()
    (tmp_path / "folder.jsonl").mkdir()
    with pytest.raises(OutputError, match="Is a directory"):
        hasty(box, JsonLinesFile(tmp_path / "folder.jsonl")).start()


def test_two_runs_cannot_write_one_file(tmp_path: Path, box: Box) -> None:
    first = hasty(box, JsonLinesFile(tmp_path / "events.jsonl"))
    first.start()
    with pytest.raises(OutputError, match="another process writes its events to"):
        hasty(box, JsonLinesFile(tmp_path / "events.jsonl")).start()
    ended(first)


def test_a_full_disk_leaves_no_half_line(tmp_path: Path, box: Box) -> None:
    file, sink = tmp_path / "events.jsonl", JsonLinesFile(tmp_path / "events.jsonl")
    box.put(map(event, range(2)))
    box.delivered(sink)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    box.put(map(event, range(2, 4)))
    receiver_of = box.connect()
    receiver = Outbox(receiver_of).receiver(sink.name)
    waiting = Outbox(receiver_of).waiting(sink.name, 10)
    receiver_of.close()
    sink.begin(receiver)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + 20, limits[1]))
    try:
        with pytest.raises(Exception, match="cannot be written: File too large"):
            list(sink.deliver(waiting, lambda _: None))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert list(sink.deliver(waiting, lambda _: None)) == [None, None]
    sink.close()
    assert file.read_bytes() == lines(range(4))


def test_printed_events_are_lines_too(box: Box) -> None:
    out = io.BytesIO()
    box.put(map(event, range(3)))
    box.delivered(JsonLinesOut(out))
    assert out.getvalue() == lines(range(3))


def test_nobody_reads_what_is_printed(box: Box) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    box.put([event(0)])
    with os.fdopen(writing, "wb", buffering=0) as out:
        delivery = hasty(box, JsonLinesOut(out))
        delivery.start()
        assert wait_until(lambda: delivery.trouble) == "cannot be written: Broken pipe"
        ended(delivery)
    assert box.n_waiting("-") == 1
