"""Webhooks: each event posted with its ID; what a server answers decides between again and never."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from osscl.events.destinations import sink_for
from osscl.events.outbox import encoded
from support.events import Box, ended, event, hasty
from support.mosquitto import free_port
from support.waiting import wait_until


class Server:
    """A web server that answers what it is told to, and keeps what it accepted."""

    def __init__(self, port: int = 0) -> None:
        self.answers: list[int] = []
        self.accepted: list[tuple[dict[str, str], bytes]] = []
        self.n_requests = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.n_requests += 1
                status = outer.answers.pop(0) if outer.answers else 204
                if status == 0:  # it hears, and the line breaks
                    self.close_connection = True
                    return
                if status < 300:
                    outer.accepted.append(({key.lower(): value for key, value in self.headers.items()}, body))
                told = b"" if status == 204 else b"so it is"
                self.send_response(status)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", str(len(told)))
                self.end_headers()
                self.wfile.write(told)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.01])
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path / "run.journal")


def scores(server: Server) -> list[float]:
    return [json.loads(body)["score"] for _, body in server.accepted]


def test_events_are_posted_with_their_ids(
    server: Server, box: Box, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OSSCL_WEBHOOK_TOKEN", "secret-token")
    sink = sink_for(f"http://127.0.0.1:{server.port}/hook?key=secret-key")
    box.put(map(event, range(3)))
    box.delivered(sink)
    assert [body for _, body in server.accepted] == [encoded(event(number)) for number in range(3)]
    headers = [headers for headers, _ in server.accepted]
    assert [each["idempotency-key"] for each in headers] == [event(number).id for number in range(3)]
    assert {each["authorization"] for each in headers} == {"Bearer secret-token"}
    assert {each["content-type"] for each in headers} == {"application/json"}
    connection = box.connect()
    told = sink.name + caplog.text + "".join(connection.iterdump())
    connection.close()
    assert "secret" not in told


@pytest.mark.parametrize("status", [0, 301, 401, 403, 404, 408, 429, 500, 503])
def test_what_may_be_taken_later_is_tried_again(server: Server, box: Box, status: int) -> None:
    server.answers = [status, status]
    sink = sink_for(f"http://127.0.0.1:{server.port}/")
    box.put(map(event, range(2)))
    box.delivered(sink)
    assert scores(server) == [0.0, 1.0]
    assert server.n_requests == 4
    assert box.n_refused(sink.name) == 0


@pytest.mark.parametrize("status", [400, 410, 413, 422])
def test_what_is_never_taken_is_kept_and_the_next_follows(server: Server, box: Box, status: int) -> None:
    server.answers = [204, status]
    sink = sink_for(f"http://127.0.0.1:{server.port}/")
    box.put(map(event, range(3)))
    box.delivered(sink)
    assert scores(server) == [0.0, 2.0]
    connection = box.connect()
    ((reason,),) = connection.execute("SELECT reason FROM event_refused").fetchall()
    connection.close()
    assert reason.startswith(f"it answers {status} ")
    assert reason.endswith(": so it is")


def test_a_server_that_is_not_there_yet(box: Box) -> None:
    port = free_port()
    sink = sink_for(f"http://127.0.0.1:{port}")
    box.put(map(event, range(5)))
    delivery = hasty(box, sink)
    delivery.start()
    assert wait_until(lambda: delivery.trouble) == "no connection: Connection refused"
    server = Server(port)
    wait_until(lambda: box.n_waiting(sink.name) == 0)
    ended(delivery)
    assert scores(server) == [0.0, 1.0, 2.0, 3.0, 4.0]
    server.close()


def test_a_certificate_that_nobody_knows_is_said(server: Server, box: Box) -> None:
    box.put([event(0)])
    delivery = hasty(box, sink_for(f"https://127.0.0.1:{server.port}"))
    delivery.start()
    assert wait_until(lambda: delivery.trouble).startswith("no connection: ")
    ended(delivery)
    assert server.accepted == []
