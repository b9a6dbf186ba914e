"""Events to an MQTT broker, each published exactly once (QoS 2), also across outages and restarts."""

import json
import math
import re
import ssl
import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

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

_BATCH = 20
_LONGEST_TOPIC = 65_535
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

    batch = _BATCH

    def __init__(self, broker: Broker, topic: str, name: str) -> None:
        with needing("sending events by MQTT", "watch", package="paho-mqtt"):
            import osscl.events.mqtt_connection  # noqa: F401 - it needs paho
        self.name = name
        self._broker, self._topic = broker, topic
        self._token = ""
        self._connection: Connection | None = None
        self._last_number = 0
        self._noted: dict[str, tuple[int, bool]] = {}  # ID of an event -> what an earlier process sent
        self._flying: dict[str, Message] = {}  # ID of an event -> what was sent and is not settled
        self._settled: dict[str, str | None] = {}  # ID of an event -> why it was refused
        self._refused: str | None = None  # why one has to wait
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
            self._noted = {known_by: (number, held) for known_by, (number, held) in noted["sent"].items()}

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
        try:
            self._recall(events)
            connection = self._connected()
            fresh = deque(event for event in events if self._is_new(event))
            for event in events:
                deadline = time.monotonic() + _ANSWER_S
                while event.id not in self._settled:
                    if fresh and len(self._flying) < connection.window:
                        self._send(connection, fresh)
                    else:
                        self._listen(connection, deadline)
                yield self._settled.pop(event.id)
        except BaseException:
            self.close()  # the next connection begins with what is noted
            raise

    def rest(self) -> None:
        """Keep the connection alive.

        Raises
        ------
        AwayError
            There is no broker, or it refuses the connection.
        """
        try:
            self._listen(self._connected(), math.inf, 0.0)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Take leave; the session at the broker stays."""
        if self._connection is not None:
            self._connection.disconnect()
        self._connection = None

    def _recall(self, events: Sequence[Spooled]) -> None:
        """Take up what an earlier process sent; what it noted of settled events is of no use."""
        from osscl.events.mqtt_connection import Message

        for event in events:
            if event.id in self._noted:
                number, is_released = self._noted[event.id]
                topic = topic_of(self._topic, event)
                self._flying[event.id] = Message(number, topic, event.content, is_released)
        self._noted.clear()

    def _is_new(self, event: Spooled) -> bool:
        return event.id not in self._flying and event.id not in self._settled

    def _send(self, connection: "Connection", fresh: deque[Spooled]) -> None:
        """Send as many new events as may be on their way, once it is noted by which numbers."""
        from osscl.events.mqtt_connection import Message

        messages: dict[str, Message] = {}
        while fresh and len(self._flying) + len(messages) < connection.window:
            event = fresh.popleft()
            topic = topic_of(self._topic, event)
            n_bytes = len(topic.encode()) + len(event.content) + _HEADER
            if n_bytes > connection.largest or len(topic.encode()) > _LONGEST_TOPIC:
                self._settled[event.id] = (
                    f"it takes {n_bytes} bytes, and the broker {connection.largest} at most"
                )
                continue
            self._last_number = self._last_number % _LAST_NUMBER + 1
            messages[event.id] = Message(self._last_number, topic, event.content)
        self._flying.update(messages)
        self._keep()
        for message in messages.values():
            connection.send(message)

    def _keep(self) -> None:
        """Have on disk what is on its way."""
        sent = {known_by: (message.number, message.is_released) for known_by, message in self._flying.items()}
        if self._note is not None:
            self._note(json.dumps({"last": self._last_number, "sent": sent}))

    def _connected(self) -> "Connection":
        if self._connection is None:
            self._connection = self._opened()
        return self._connection

    def _opened(self) -> "Connection":
        from osscl.events.mqtt_connection import Connection

        connection = Connection(f"osscl-{self._token}", self._held, self._answered, self._forgotten)
        connection.resume(self._flying.values())
        connection.connect_timeout = _CONNECT_S
        connection.username_pw_set(self._broker.user, self._broker.password)
        try:
            if self._broker.is_encrypted:
                connection.tls_set_context(ssl.create_default_context())
            connection.open(self._broker.host, self._broker.port, _KEEP_ALIVE_S, _SESSION_S)
        except OSError as error:
            is_unreached = not isinstance(error, ssl.SSLError)  # a certificate has to be mended
            raise AwayError(f"no connection: {_failure(error)}", is_unreached=is_unreached) from error
        self._connection = connection
        deadline = time.monotonic() + _ANSWER_S
        while not connection.is_accepted:
            self._listen(connection, deadline)
        if connection.qos == 0:
            raise AwayError("the broker offers QoS 0 alone, by which nobody knows what arrived")
        return connection

    def _listen(self, connection: "Connection", deadline: float, wait_s: float = _LOOK_S) -> None:
        """Hear what the broker says, for a moment."""
        connection.hear(wait_s)
        if connection.lost is not None:
            raise AwayError(connection.lost, is_unreached=not connection.is_refused)
        if self._refused is not None:
            refused, self._refused = self._refused, None
            raise AwayError(refused)
        if time.monotonic() > deadline:
            raise AwayError(f"no answer within {_ANSWER_S:g} s", is_unreached=True)

    def _held(self, number: int) -> None:
        """The broker has a message: from here on it is told only that it may pass it on."""
        known_by = self._id_of(number)
        self._flying[known_by] = self._flying[known_by]._replace(is_released=True)
        self._keep()

    def _answered(self, number: int, reason: "ReasonCode | None") -> None:
        """A message is passed on, or refused."""
        known_by = self._id_of(number)
        message = self._flying.pop(known_by)
        if reason is None:
            self._settled[known_by] = None
        elif reason.value in _FOR_GOOD:
            self._settled[known_by] = f"the broker refuses it: {str(reason).lower()}"
        else:
            self._refused = f"the broker refuses topic {brief(message.topic)}: {str(reason).lower()}"

    def _forgotten(self) -> None:
        """The broker does not know the session: what it had must be sent anew, and noted so before."""
        if self._flying:
            what = "%s forgot its session: events it may have passed on are sent again, with the same IDs: %d"
            _log.warning(what, self.name, len(self._flying))
            self._flying = {
                known_by: message._replace(is_released=False) for known_by, message in self._flying.items()
            }
            self._keep()

    def _id_of(self, number: int) -> str:
        return next(known_by for known_by, message in self._flying.items() if message.number == number)


def topic_of(template: str, event: Spooled) -> str:
    """Make the topic of an event.

    Parameters
    ----------
    template : str
        With ``{machine}`` and ``{kind}``.
    event : Spooled
        The event.

    Returns
    -------
    str
        The topic. A machine's name keeps its "/"; what topics may not hold is "_", and no machine "-".
    """
    told = msgspec.json.decode(event.content, type=Event)
    names = {"{machine}": told.machine or "-", "{kind}": told.kind}
    topic = template
    for place, name in names.items():
        topic = topic.replace(place, _UNSAFE.sub("_", name))
    # topics that begin with "$" are the broker's own
    return f"_{topic[1:]}" if topic.startswith("$") and not template.startswith("$") else topic


def _failure(error: OSError) -> str:
    return str(getattr(error, "verify_message", None) or error.strerror or error)
