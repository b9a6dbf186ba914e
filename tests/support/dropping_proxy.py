"""A proxy between a client and a server of HTTP that drops one request in ten, as a bad line does."""

import itertools
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_METHODS = (b"GET ", b"HEAD ", b"PUT ", b"POST ", b"DELETE ")
_HANGS_AFTER_S = 60


class DroppingProxy:
    """Hands on what comes, one connection a thread; cuts the connection at each tenth request.

    Attributes
    ----------
    port : int
        Of 127.0.0.1, where it listens.
    n_requests, n_dropped : int
        Requests that came, and those of them that were not answered.
    """

    def __init__(self, host: str, port: int, every: int = 10) -> None:
        self._server = host, port
        self._every = every
        self._numbers = itertools.count(1)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self.n_requests = self.n_dropped = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client, socket.create_connection(self._server, _HANGS_AFTER_S) as server:
            answers = threading.Thread(target=_pipe, args=[server, client], daemon=True)
            answers.start()
            while piece := client.recv(1 << 16):
                if piece.startswith(_METHODS):
                    self.n_requests = next(self._numbers)
                    if self.n_requests % self._every == 0:
                        self.n_dropped += 1
                        _hang_up(client)
                        return
                server.sendall(piece)


def _pipe(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(1 << 16):
            sink.sendall(piece)
        _hang_up(sink)


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def dropping_proxy(host: str, port: int) -> Iterator[DroppingProxy]:
    """Stand between clients and a server."""
    proxy = DroppingProxy(host, port)
    try:
        yield proxy
    finally:
        proxy.close()
