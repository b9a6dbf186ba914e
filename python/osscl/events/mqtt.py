"""Events to an MQTT broker, each published exactly once (QoS 2), also across outages and restarts."""

import json
import re
import ssl
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from osscl.errors import OssclError
from osscl.events.event import Event
from osscl.events.outbox import Receiver, Spooled
from osscl.events.sink import AwayError, Note
from osscl.support.failed_import import needing
from osscl.support.log import quiet_logger
from osscl.support.paths import brief

if TYPE_CHECKING:
    from paho.mqtt.reasoncodes import ReasonCode

    from osscl.events.mqtt_connection import Connection, Message

_log = quiet_logger(__name__)

_WINDOW = 20
_CONNECT_S, _ANSWER_S, _KEEP_ALIVE_S, _LOOK_S = 5.0, 15.0, 60, 0.1
_SESSION_S = 30 * 24 * 3600
_LAST_NUMBER = 65_535
_HEADER = 64  # bytes of a packet beside topic and payload, at most
_UNSAFE = re.compile(r"[+#\x00-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")
# what is wrong with this very message, whoever sends it; all other refusals somebody can mend
_FOR_GOOD = frozenset({0x90, 0x95, 0x99})


class Broker(NamedTuple):
    """Where a broker is, and who asks.

    Attributes
    ----------
    host : str
        Name or address.
    port : int
        TCP port.
    is_encrypted : bool
        Whether TLS is spoken.
    user, password : str or None
        Who asks.
    """

    host: str
    port: int
    is_encrypted: bool
    user: str | None
    password: str | None


class Mqtt:
    """Publishes events at a broker, by MQTT 5.

    The session at the broker outlives this process, and what was sent lies in the outbox before it is sent.
    A broker that forgets its session gets again what it may have passed on already: with the same ID.

    Parameters
    ----------
    broker : Broker
        The broker.
    topic : str
        Template with ``{machine}`` and ``{kind}``.
    name : str
        Broker and template, without anything secret.
    """

    batch = _WINDOW

    def __init__(self, broker: Broker, topic: str, name: str) -> None:
        with needing("sending events by MQTT", "watch", package="paho-mqtt"):
            import osscl.events.mqtt_connection  # noqa: F401 - it needs paho
        self.name = name
        self._broker, self._topic = broker, topic
        self._token = ""
        self._connection: Connection | None = None
        self._last_number = 0
        self._flying: dict[str, Message] = {}  # ID of an event -> its message
        self._resumed: dict[str, tuple[int, bool]] = {}  # what an earlier process sent
        self._settled: dict[str, str | None] = {}
        self._away: str | None = None
        self._note: Note | None = None

    def begin(self, receiver: Receiver) -> None:
        """Learn what an earlier process sent.

        Parameters
        ----------
        receiver : Receiver
            Its session's token, and its note.
        """
        self._token = receiver.token
        if receiver.note:
            noted = json.loads(receiver.note)
            self._last_number = noted["last"]
            self._resumed = {known: (number, released) for known, (number, released) in noted["sent"].items()}

    def deliver(self, events: Sequence[Spooled], note: Note) -> Iterator[str | None]:
        """Publish events, several at once, in order.

        Parameters
        ----------
        events : sequence of Spooled
            The next ones.
        note : callable
            Keeps what is on its way.

        Yields
        ------
        str or None
            Why the broker refused an event for good; None once it has it.

        Raises
        ------
        AwayError
            There is no broker, it refuses the connection or the topic, or it does not answer.
        """
        self._note = note
        self._prepare(events)
        connection = self._connected()
        self._publish(connection, events)
        deadline = time.monotonic() + _ANSWER_S
        for event in events:
            while event.id not in self._settled:
                self._listen(connection, deadline)
            yield self._settled.pop(event.id)

    def rest(self) -> None:
        """Keep the connection alive.

        Raises
        ------
        AwayError
            There is no broker, or it refuses the connection.
        """
        connection = self._connected()
        connection.loop(0.0)
        self._check(connection)

    def close(self) -> None:
        """Take leave; the session at the broker stays."""
        if self._connection is not None:
            self._connection.disconnect()
        self._connection = None
