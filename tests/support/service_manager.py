"""A service manager's socket, as systemd opens one for each service."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Told:
    """What a service told, one datagram after the other."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel

    def next(self) -> list[str]:
        """Wait for what is told next."""
        return self._channel.recv(65_536).decode().split("\n")

    def until(self, state: str) -> list[str]:
        """Take what is told up to a state; the datagram that holds it."""
        while state not in (told := self.next()):
            pass
        return told


@contextmanager
def listening_service_manager(folder: Path) -> Iterator[tuple[str, Told]]:
    """Give the name of the socket, for NOTIFY_SOCKET, and what comes out of it."""
    address = str(folder / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(address)
        yield address, Told(channel)
