"""Limits on size, time and number: whoever is beyond them is told, and harms nobody else."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest

import osscl
from osscl.audio.candidate import Candidate
from osscl.audio.reading import Fit
from osscl.backends import ComputeOptions
from osscl.detector import Detector
from osscl.errors import BackendError, ConfigError
from osscl.machines.labels import MachineOf
from osscl.scoring.record import Record
from osscl.serving.limits import BodyMemory, Limits
from osscl.serving.problems import RequestError
from support.model_files import CLASSES
from support.remembering import normal_clips, write_clips, write_model
from support.served import WAV, Served, reply_on, served
from support.waiting import wait_until

MACHINE = CLASSES[0]
TARGET = f"POST /v1/score?machine={MACHINE} HTTP/1.1\r\nHost: localhost\r\nContent-Type: audio/wav\r\n"
SMALL = Limits(max_bytes=400_000, max_waiting=2, max_connections=8, read_timeout_s=60)
HASTY = Limits(read_timeout_s=0.2)


class Gated(Detector):
    """A detector that waits for leave before it scores a batch."""

    def __init__(self, model: Path, batch_size: int | None = None) -> None:
        super().__init__(model, ComputeOptions("cpu", threads=1, batch_size=batch_size))
        self.gate, self.begun = threading.Event(), threading.Semaphore(0)
        self.batches: list[int] = []

    def __enter__(self) -> "Gated":
        return self

    def score_batch(
        self, candidates: Sequence[Candidate], machine_of: MachineOf, fit: Fit, threads: int = 1
    ) -> list[Record]:
        self.begun.release()
        self.gate.wait()
        self.batches.append(len(candidates))
        if any(candidate.content == b"poison" for candidate in candidates):
            raise BackendError("the device stopped working")
        if any(candidate.content == b"flaw" for candidate in candidates):
            raise ZeroDivisionError
        return super().score_batch(candidates, machine_of, fit, threads)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("limits") / "model.onnx")


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("clip")
    write_clips(folder, "clip", normal_clips(1, 1))
    return (folder / "clip00000000.wav").read_bytes()


@pytest.fixture
def gated(model: Path) -> Iterator[Gated]:
    with Gated(model) as detector:
        yield detector
        detector.gate.set()


@pytest.fixture(scope="module")
def server(model: Path) -> Iterator[Served]:
    with osscl.load(model, "cpu", threads=1) as detector, served(detector, SMALL) as server:
        yield server


@pytest.fixture
def hasty(model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A server that waits for nobody for long."""
    monkeypatch.setattr("osscl.serving.connections._GRACE_S", 0.1)
    with osscl.load(model, "cpu", threads=1) as detector, served(detector, HASTY) as server:
        yield server


@pytest.fixture(autouse=True)
def _others_are_answered(request: pytest.FixtureRequest, recording: bytes) -> Iterator[None]:
    """Behind each test of these servers, they still answer, and hold nothing of the test."""
    names = {"server", "hasty"} & set(request.fixturenames)
    running: list[Served] = [request.getfixturevalue(name) for name in names]
    yield
    for server in running:
        wait_until(lambda: server.post(recording, machine=MACHINE).code == 200)  # noqa: B023 - called at once
        wait_until(lambda: server.metric("osscl_body_bytes") == 0)  # noqa: B023


def test_a_body_that_says_that_it_is_too_large_is_not_read(server: Served) -> None:
    with server.connect() as connection:
        connection.sendall(f"{TARGET}Content-Length: 400001\r\n\r\n".encode())
        reply = reply_on(connection)
    assert (reply.code, reply.json["status"]) == (413, "too_large")
    assert "400001 bytes, at most 400000 are taken" in reply.json["reason"]


def test_a_body_that_turns_out_too_large_is_read_no_further(server: Served) -> None:
    with server.connect() as connection:
        connection.sendall(f"{TARGET}Transfer-Encoding: chunked\r\n\r\n".encode())
        for _ in range(5):
            connection.sendall(b"186A0\r\n" + bytes(100_000) + b"\r\n")
        reply = reply_on(connection)  # the body has no end
    assert (reply.code, reply.json["status"]) == (413, "too_large")


def test_a_body_that_stops_coming_is_told_so(hasty: Served) -> None:
    with hasty.connect() as connection:
        connection.sendall(f"{TARGET}Content-Length: 320044\r\n\r\n".encode() + bytes(1000))
        reply = reply_on(connection)
        assert (reply.code, reply.json["status"]) == (408, "too_slow")
        assert connection.recv(1) == b""  # and its connection is closed


def test_what_came_of_a_slow_body_is_said_and_given_back() -> None:
    async def half() -> AsyncIterator[bytes]:
        yield bytes(1000)
        await asyncio.Event().wait()

    memory = BodyMemory(HASTY)
    with pytest.raises(RequestError, match=r"1000 bytes of the body came, and not its end, within 0\.2 s"):
        asyncio.run(memory.read(half(), None))
    assert memory.held == 0


def test_a_connection_that_goes_on_sending_what_was_refused_is_ended(hasty: Served) -> None:
    with hasty.connect() as connection:
        connection.sendall(f"{TARGET}Content-Length: 999999999\r\n\r\n".encode())
        reply = reply_on(connection)
        assert (reply.code, reply.json["status"]) == (413, "too_large")
        with pytest.raises(ConnectionError):
            _send_for_ever(connection)


def _send_for_ever(connection: socket.socket) -> None:
    while True:
        connection.sendall(bytes(1000))


def test_a_sender_who_goes_away_half_way_leaves_nothing(server: Served) -> None:
    before = server.metric('osscl_requests_total{code="499",route="/v1/score"}')
    with server.connect() as connection:
        connection.sendall(f"{TARGET}Content-Length: 320044\r\n\r\n".encode() + bytes(1000))
        wait_until(lambda: server.metric("osscl_body_bytes") > 0 or None)
    assert before == 0


@pytest.mark.parametrize("begun", [b"", b"POST /v1/sco", TARGET.encode() + b"X-More: "])
def test_headers_that_stop_coming_end_the_connection(hasty: Served, begun: bytes) -> None:
    with hasty.connect() as connection:
        connection.sendall(begun)
        reply = reply_on(connection)
        assert (reply.code, reply.json["status"]) == (408, "too_slow")
        assert connection.recv(1) == b""


def test_headers_without_end_are_refused(server: Served) -> None:
    with server.connect() as connection:
        connection.sendall(TARGET.encode() + b"X-More: " + b"a" * 100_000)
        reply = reply_on(connection)
    assert (reply.code, reply.json["status"]) == (431, "too_large")


@pytest.mark.parametrize(("n_bytes", "code"), [(60_000, 404), (70_000, 431)])
def test_headers_that_come_whole_are_measured(server: Served, n_bytes: int, code: int) -> None:
    more = b"X-More: " + b"a" * n_bytes + b"\r\nContent-Length: 0\r\n\r\n"
    with server.connect() as connection:
        connection.sendall(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n" + more)
        assert reply_on(connection).code == code


def test_what_is_no_request_is_refused(server: Served, caplog: pytest.LogCaptureFixture) -> None:
    before = server.metric('osscl_requests_total{code="400",route="none"}')
    with caplog.at_level("INFO", "osscl.serving.access"), server.connect() as connection:
        connection.sendall(b"hello\r\n\r\n")
        reply = reply_on(connection)
    assert (reply.code, reply.json["status"]) == (400, "wrong_request")
    assert reply.json["id"] == reply.headers["x-request-id"]
    assert reply.json["id"] in caplog.text
    assert server.metric('osscl_requests_total{code="400",route="none"}') == before + 1


def test_more_connections_than_may_be_open_are_told_so(server: Served, recording: bytes) -> None:
    opened = [server.connect() for _ in range(SMALL.max_connections)]
    try:
        for connection in opened:  # each of them is accepted before the next one asks
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert reply_on(connection).code == 200
        reply = server.ask("GET", "/health")
        assert (reply.code, reply.json["status"]) == (503, "busy")
    finally:
        for connection in opened:
            connection.close()


def post_aside(server: Served, body: bytes, replies: list[int]) -> threading.Thread:
    """Post a recording in a thread."""
    asking = threading.Thread(target=lambda: replies.append(server.post(body, machine=MACHINE).code))
    asking.start()
    return asking


def wait_for(server: Served, n_waiting: int) -> None:
    """Wait until so many recordings wait to be scored."""
    wait_until(lambda: server.metric("osscl_waiting") == n_waiting)


def fill_lanes(gated: Gated, server: Served, body: bytes, replies: list[int]) -> list[threading.Thread]:
    """Give each thread that scores something to do."""
    asking = []
    for _ in range(gated.lanes().count):
        asking.append(post_aside(server, body, replies))
        gated.begun.acquire()
    return asking


def test_more_recordings_than_may_wait_are_told_to_come_again(gated: Gated, recording: bytes) -> None:
    replies: list[int] = []
    with served(gated, SMALL) as server:
        asking = fill_lanes(gated, server, recording, replies)
        for number in range(SMALL.max_waiting):
            assert server.ask("GET", "/ready").code == 200
            asking.append(post_aside(server, recording, replies))
            wait_for(server, number + 1)
        reply = server.post(recording, machine=MACHINE)
        assert (reply.code, reply.json["status"], reply.headers["retry-after"]) == (503, "busy", "1")
        unready = server.ask("GET", "/ready")
        assert (unready.code, server.ask("GET", "/health").code) == (503, 200)
        assert "2 recordings wait" in unready.json["reason"]
        gated.gate.set()
        for each in asking:
            each.join()
        assert server.ask("GET", "/ready").code == 200
    assert replies == [200] * len(asking)


def test_a_recording_that_is_not_scored_in_time_is_dropped(gated: Gated, recording: bytes) -> None:
    limits = Limits(max_waiting=8, answer_timeout_s=0.5)
    replies: list[int] = []
    with served(gated, limits) as server:
        asking = fill_lanes(gated, server, recording, replies)
        reply = server.post(recording, machine=MACHINE)
        assert (reply.code, reply.json["status"]) == (503, "busy")
        assert "was not scored within 0.5 s" in reply.json["reason"]
        for each in asking:
            each.join()
        gated.gate.set()
        wait_for(server, 0)
    assert gated.batches == [1] * gated.lanes().count  # the one that waited was never scored


def test_a_recording_whose_sender_is_gone_is_dropped(gated: Gated, recording: bytes) -> None:
    replies: list[int] = []
    with served(gated) as server:
        asking = fill_lanes(gated, server, recording, replies)
        with server.connect() as connection:
            head = f"{TARGET}Content-Length: {len(recording)}\r\n\r\n"
            connection.sendall(head.encode() + recording)
            wait_for(server, 1)
        gone = 'osscl_requests_total{code="499",route="/v1/score"}'
        wait_until(lambda: server.metric(gone) == 1 or None)
        gated.gate.set()
        for each in asking:
            each.join()
        wait_for(server, 0)
    assert gated.batches == [1] * len(asking)


def test_what_waits_is_scored_together(model: Path, recording: bytes) -> None:
    replies: list[int] = []
    with Gated(model, batch_size=4) as detector, served(detector) as server:
        asking = fill_lanes(detector, server, recording, replies)
        n_first = len(asking)
        for number in range(6):
            asking.append(post_aside(server, recording, replies))
            wait_for(server, number + 1)
        detector.gate.set()
        for each in asking:
            each.join()
        assert server.metric("osscl_batch_clips_sum") == n_first + 6
        assert sum(detector.batches) == n_first + 6
        assert max(detector.batches) > 1
        assert max(detector.batches) <= 4


def test_a_batch_that_fails_takes_nobody_with_it(model: Path, recording: bytes) -> None:
    replies: list[int] = []
    with Gated(model, batch_size=8) as detector, served(detector) as server:
        asking = fill_lanes(detector, server, recording, replies)
        poisoned: list[int] = []
        for number, body in enumerate((recording, b"poison", recording)):
            asking.append(post_aside(server, body, poisoned if body == b"poison" else replies))
            wait_for(server, number + 1)
        detector.gate.set()
        for each in asking:
            each.join()
        assert poisoned == [500]
        assert set(replies) == {200}
        assert server.post(b"poison", machine=MACHINE).json["reason"] == "the device stopped working"
        unready = server.ask("GET", "/ready")
        assert (unready.code, "the device stopped working" in unready.json["reason"]) == (503, True)
        assert server.post(recording, machine=MACHINE).code == 200
        assert server.ask("GET", "/ready").code == 200


def test_a_flaw_of_the_server_is_told_and_logged(
    gated: Gated, recording: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    gated.gate.set()
    with served(gated) as server:
        reply = server.post(b"flaw", machine=MACHINE)
        assert (reply.code, reply.json["status"]) == (500, "failed")
        assert "an error of the server itself, ZeroDivisionError" in reply.json["reason"]
        assert server.post(recording, machine=MACHINE).code == 200
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [ZeroDivisionError]


def test_bodies_of_all_requests_share_one_memory(gated: Gated, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osscl.serving.limits._LEAST_MEMORY_BYTES", 1000)
    limits = Limits(max_bytes=600)
    with served(gated, limits) as server:
        opened = [server.connect() for _ in range(5)]
        for connection in opened[:4]:
            connection.sendall(f"{TARGET}Content-Length: 600\r\n\r\n".encode() + bytes(590))
        wait_until(lambda: server.metric("osscl_body_bytes") == 4 * 590)
        opened[4].sendall(f"{TARGET}Content-Length: 600\r\n\r\n".encode() + bytes(590))
        reply = reply_on(opened[4])
        assert (reply.code, reply.json["status"]) == (503, "busy")
        assert "fill the 2400 bytes" in reply.json["reason"]
        for connection in opened:
            connection.close()
        wait_until(lambda: server.metric("osscl_body_bytes") == 0)


def test_what_is_in_work_is_answered_when_the_server_stops(gated: Gated, recording: bytes) -> None:
    replies: list[int] = []
    with served(gated) as server:
        asking = fill_lanes(gated, server, recording, replies)
        asking.append(post_aside(server, recording, replies))
        wait_for(server, 1)
        server.server.stop()
        wait_until(lambda: _is_refused(server))
        gated.gate.set()
        for each in asking:
            each.join()
    assert replies == [200] * len(asking)


def _is_refused(server: Served) -> bool:
    try:
        server.connect().close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.parametrize(
    "wrong", [{"max_bytes": 0}, {"max_waiting": -1}, {"max_connections": 1 << 20}, {"read_timeout_s": 0.0}]
)
def test_limits_that_are_none_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="expected a number above 0, at most"):
        Limits(**wrong)  # type: ignore[arg-type]


def test_a_flac_file_of_more_than_its_type_says(server: Served, recording: bytes) -> None:
    reply = server.post(recording, headers=WAV | {"Content-Type": "audio/flac"}, machine=MACHINE)
    assert reply.code == 200  # what it is stands in it
