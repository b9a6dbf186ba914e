"""A server in a thread of the process that tests it, and those who ask it over real sockets."""

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import urlencode

from osscl.detector import Detector
from osscl.serving.access import Access
from osscl.serving.limits import Limits
from osscl.serving.server import Server, listen_at

HANGS_AFTER_S = 60.0
LIMITS = Limits()
WAV = {"Content-Type": "audio/wav"}


@dataclass(frozen=True)
class Reply:
    """What came back."""

    code: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Served:
    """A server that runs.

    Attributes
    ----------
    port : int
        Where.
    server : Server
        The server.
    thread : Thread
        In which it runs.
    """

    port: int
    server: Server
    thread: threading.Thread

    def ask(
        self, method: str, address: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Ask over a connection of its own."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=HANGS_AFTER_S)
        try:
            with suppress(BrokenPipeError, ConnectionResetError):  # it was refused before it was sent
                connection.request(method, address, body, dict(headers or {}))
            return reply_of(connection.getresponse())
        finally:
            connection.close()

    def post(
        self, body: bytes, route: str = "score", headers: Mapping[str, str] = WAV, **words: object
    ) -> Reply:
        """Post a body to one of the routes that score."""
        return self.ask("POST", f"/v1/{route}?{urlencode(words)}", body, headers)

    def connect(self) -> socket.socket:
        """Open a connection for bytes of any kind."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=HANGS_AFTER_S)

    def metric(self, name: str) -> float:
        """The value of a metric, with its labels as they are written; 0 where it was never counted."""
        for line in self.ask("GET", "/metrics").body.decode().splitlines():
            if line.startswith(f"{name} "):
                return float(line.rpartition(" ")[2])
        return 0.0


def reply_of(response: HTTPResponse) -> Reply:
    """Read an answer whole."""
    return Reply(
        response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
    )


def reply_on(connection: socket.socket) -> Reply:
    """Read the answer that comes over a connection."""
    response = HTTPResponse(connection)
    response.begin()
    return reply_of(response)


@contextmanager
def served(detector: Detector, limits: Limits = LIMITS, token: str | None = None) -> Iterator[Served]:
    """Run a server; at the end it finishes what is in work."""
    listening = listen_at("127.0.0.1", 0)
    is_ready = threading.Event()
    server = Server(detector, listening, Access(token, "127.0.0.1"), limits, is_ready.set)
    thread = threading.Thread(target=server.run, name="server")
    with listening:
        thread.start()
        is_ready.wait()
        try:
            yield Served(listening.getsockname()[1], server, thread)
        finally:
            server.stop()
            thread.join()
