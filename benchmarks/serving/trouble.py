"""Clients that a server must survive: slow ones, ones that stop half way, ones that send too much."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_N_SLOW = 50


@contextmanager
def trouble(port: int, machine: str) -> Iterator[None]:
    """Make trouble for a server meanwhile.

    Parameters
    ----------
    port : int
        Where it listens.
    machine : str
        One that it knows.
    """
    stop = threading.Event()
    head = (
        f"POST /v1/score?machine={machine} HTTP/1.1\r\nhost: localhost\r\ncontent-type: audio/wav\r\n"
    ).encode()
    makers = [threading.Thread(target=make, args=(port, head, stop)) for make in (_slow, _half, _oversized)]
    for maker in makers:
        maker.start()
    try:
        yield
    finally:
        stop.set()
        for maker in makers:
            maker.join()


def _slow(port: int, head: bytes, stop: threading.Event) -> None:
    """Headers and bodies that come a byte a tenth of a second, over many connections."""
    connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(_N_SLOW)]
    for connection in connections[::2]:
        _send(connection, head + b"content-length: 320044\r\n\r\n")
    for byte in head:
        for connection in connections:
            _send(connection, bytes([byte]))
        if stop.wait(0.1):
            break
    for connection in connections:
        connection.close()


def _half(port: int, head: bytes, stop: threading.Event) -> None:
    """Requests that end in the middle of their body."""
    while not stop.wait(0.1):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            _send(connection, head + b"content-length: 320044\r\n\r\n" + os.urandom(100_000))


def _oversized(port: int, head: bytes, stop: threading.Event) -> None:
    """Bodies of more bytes than are taken, which do not say so."""
    chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    while not stop.wait(0.1):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            _send(connection, head + b"transfer-encoding: chunked\r\n\r\n" + 20 * chunk)


def _send(connection: socket.socket, data: bytes) -> None:
    with suppress(OSError):  # it was ended, as it should be
        connection.sendall(data)
