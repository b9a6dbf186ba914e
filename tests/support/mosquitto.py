"""A real MQTT broker on this machine, what subscribes to it, and a connection to it that can be cut."""

import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from support.waiting import wait_until

_PROGRAM = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
_END = b"the end"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


class Mosquitto:
    """A broker that remembers its sessions from one start to the next."""

    def __init__(self, folder: Path, *settings: str, is_open: bool = True) -> None:
        if _PROGRAM is None:
            pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        self._log = (folder / "mosquitto.log").open("wb")
        lines = [
            f"listener {self.port} 127.0.0.1",
            "user root",
            f"allow_anonymous {'true' if is_open else 'false'}",
            "persistence true",
            f"persistence_location {folder}/",
            "max_queued_messages 0",
            *settings,
        ]
        self._config.write_text("\n".join(lines) + "\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Mosquitto":
        assert _PROGRAM is not None
        self._process = process = subprocess.Popen(
            [_PROGRAM, "-c", self._config], stdout=self._log, stderr=self._log
        )
        wait_until(self._is_there, process)
        return self

    def stop(self) -> None:
        """End it as its service does: it writes down its sessions."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait()
        self._process = None

    def __enter__(self) -> "Mosquitto":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._log.close()

    def _is_there(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 60):
            return True
        return False


class Subscriber:
    """A subscriber for whom the broker keeps what comes while it is not there."""

    def __init__(self, broker: Mosquitto, topic: str = "#") -> None:
        self._broker, self._topic = broker, topic
        self._within(lambda client: client.subscribe(topic, 2), until_subscribed=True)

    def received(self) -> list[tuple[str, bytes]]:
        """All messages that came, in order, each as often as it came."""
        return self._within(lambda client: client.publish("the/end", _END, 2))

    def _within(
        self, act: Callable[[paho.Client], object], until_subscribed: bool = False
    ) -> list[tuple[str, bytes]]:
        came: list[tuple[str, bytes]] = []
        over = threading.Event()
        client = paho.Client(CallbackAPIVersion.VERSION2, f"subscriber-{id(self)}", protocol=paho.MQTTv5)

        def connected(_: paho.Client, __: object, ___: object, reason: ReasonCode, ____: object) -> None:
            assert not reason.is_failure, reason
            act(client)

        def message(_: paho.Client, __: object, got: paho.MQTTMessage) -> None:
            if got.payload == _END:
                over.set()
            else:
                came.append((got.topic, bytes(got.payload)))

        def subscribed(*_: object) -> None:
            if until_subscribed:
                over.set()

        client.on_connect, client.on_message, client.on_subscribe = connected, message, subscribed
        keep = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        keep.SessionExpiryInterval = 3600
        client.connect("127.0.0.1", self._broker.port, clean_start=False, properties=keep)
        client.loop_start()
        over.wait()
        client.disconnect()
        client.loop_stop()
        return came


class Wire:
    """Passes packets on between clients and a broker, until it is to cut the connection at one of them.

    Parameters
    ----------
    broker : Mosquitto
        The broker.
    cut_at : int
        Type of the packet, as MQTT numbers them, at whose first sight the connection is cut.
    is_passed : bool
        Whether that packet still arrives.
    n_refused : int
        Connections that are closed at once after that, as they are by a proxy whose broker is away.
    """

    def __init__(self, broker: Mosquitto, cut_at: int, *, is_passed: bool, n_refused: int) -> None:
        self._broker, self._cut_at, self._is_passed, self._n_refused = broker, cut_at, is_passed, n_refused
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.n_cut = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            if self.n_cut and self._n_refused:
                self._n_refused -= 1
                client.close()
                continue
            threading.Thread(target=self._join, args=[client], daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        here = ("127.0.0.1", self._broker.port)
        with client, suppress(OSError), socket.create_connection(here) as broker:
            back = threading.Thread(target=self._pass_on, args=(broker, client), daemon=True)
            back.start()
            self._pass_on(client, broker)
            back.join()

    def _pass_on(self, source: socket.socket, to: socket.socket) -> None:
        with suppress(OSError, EOFError):
            while True:
                packet = _packet(source)
                is_last = packet[0] >> 4 == self._cut_at and not self.n_cut
                if is_last:
                    self.n_cut += 1
                if not is_last or self._is_passed:
                    to.sendall(packet)
                if is_last:
                    break
        for each in (source, to):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()


def _packet(source: socket.socket) -> bytes:
    """One whole MQTT packet."""
    head = _exactly(source, 1)
    length, shift = 0, 0
    while True:
        head += _exactly(source, 1)
        length |= (head[-1] & 0x7F) << shift
        shift += 7
        if head[-1] < 0x80:
            return head + _exactly(source, length)


def _exactly(source: socket.socket, n: int) -> bytes:
    content = b""
    while len(content) < n:
        part = source.recv(n - len(content))
        if not part:
            raise EOFError
        content += part
    return content
