"""One connection to an MQTT broker, over which a message arrives exactly once, whatever happened before it.

paho-mqtt forgets what it sent when the process ends, forgets which messages the broker already has when it
fails to connect twice, and takes a message for published that the broker refused at the first of the two
steps of QoS 2. So what was sent is kept outside, each connection is a client of its own that is told of it,
and the broker's answer to the first step is looked at here.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MessageState, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

_REFUSAL = 0x80
"""Reason codes from here on say that something failed."""
_NO_WINDOW = 65_535
_NO_LIMIT = 268_435_455


class Message(NamedTuple):
    """What is published.

    Attributes
    ----------
    number : int
        Its packet identifier, 1 to 65535: the same whenever it is sent again.
    topic : str
        Where to.
    payload : bytes
        What.
    is_released : bool
        Whether the broker has it already, and only waits to hear that it may pass it on.
    """

    number: int
    topic: str
    payload: bytes
    is_released: bool = False


class Connection(paho.Client):
    """A client for one connection. It computes nothing between the calls of its methods: no thread.

    Parameters
    ----------
    client_id : str
        Tells the session at the broker from all others.
    on_held : callable
        Takes the number of a message that the broker has now, before it is told that it may pass it on.
    on_settled : callable
        Takes the number of a message, and None once it is passed on, or why the broker refuses it.
    on_forgotten : callable
        Called where the broker does not know the session, before anything is sent again.

    Attributes
    ----------
    is_accepted : bool
        Whether the broker has said yes.
    is_refused : bool
        Whether the broker has said no.
    lost : str or None
        Why there is no connection; None where there is one, or not yet.
    qos : int
        The highest quality of service that the broker offers.
    largest : int
        Bytes that a packet may have.
    window : int
        Messages that may be on their way at once.
    """

    def __init__(
        self,
        client_id: str,
        on_held: Callable[[int], None],
        on_settled: Callable[[int, ReasonCode | None], None],
        on_forgotten: Callable[[], None],
    ) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, client_id, protocol=paho.MQTTv5)
        self._on_held, self._on_settled, self._on_forgotten = on_held, on_settled, on_forgotten
        self.is_accepted = self.is_refused = False
        self.lost: str | None = None
        self.qos, self.largest, self.window = 2, _NO_LIMIT, _NO_WINDOW
        self.max_inflight_messages_set(0)  # whoever sends keeps to the window
        self.on_connect = self._answered
        self.on_disconnect = self._parted
        self.on_publish = self._published

    def resume(self, messages: Iterable[Message]) -> None:
        """Learn what was sent over earlier connections and not settled, before this one is opened.

        Parameters
        ----------
        messages : iterable of Message
            In the order in which they were sent.
        """
        for message in messages:
            sent = paho.MQTTMessage(message.number, message.topic.encode())
            sent.payload, sent.qos, sent.properties = message.payload, 2, _properties()
            sent.state = (
                MessageState.MQTT_MS_WAIT_FOR_PUBCOMP
                if message.is_released
                else MessageState.MQTT_MS_WAIT_FOR_PUBREC
            )
            self._out_messages[message.number] = sent

    def open(self, host: str, port: int, keep_alive_s: int, session_s: int) -> None:
        """Ask for the connection.

        Parameters
        ----------
        host : str
            The broker.
        port : int
            Its TCP port.
        keep_alive_s : int
            Seconds after which a sign of life is given.
        session_s : int
            Seconds for which the broker keeps the session while there is no connection.

        Raises
        ------
        OSError
            There is none.
        """
        how = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        how.SessionExpiryInterval = session_s
        self.connect(host, port, keep_alive_s, clean_start=False, properties=how)

    def hear(self, wait_s: float) -> None:
        """Do what is to be done with what the broker says and is to be told.

        Parameters
        ----------
        wait_s : float
            How long to wait for it.
        """
        if self.loop(wait_s) != MQTTErrorCode.MQTT_ERR_SUCCESS and self.lost is None:
            self.lost = "the connection is lost"

    def send(self, message: Message) -> None:
        """Send a message for the first time.

        Parameters
        ----------
        message : Message
            The message.
        """
        self._last_mid = message.number - 1
        self.publish(message.topic, message.payload, self.qos, properties=_properties())

    def _answered(
        self,
        _client: paho.Client,
        _data: Any,
        flags: paho.ConnectFlags,
        reason: ReasonCode,
        said: Properties | None,
    ) -> None:
        if reason.value >= _REFUSAL:
            self.is_refused = True
            self.lost = f"the broker refuses the connection: {spoken(reason, said)}"
            return
        self.is_accepted = True
        self.qos = getattr(said, "MaximumQoS", 2)
        self.largest = getattr(said, "MaximumPacketSize", _NO_LIMIT)
        self.window = getattr(said, "ReceiveMaximum", _NO_WINDOW)
        if not flags.session_present:
            # what the broker had and forgot is sent anew: rather twice, by its ID, than never
            self._on_forgotten()
            for message in self._out_messages.values():
                message.state, message.dup = MessageState.MQTT_MS_PUBLISH, False
                message.qos = self.qos

    def _parted(
        self,
        _client: paho.Client,
        _data: Any,
        flags: paho.DisconnectFlags,
        reason: ReasonCode,
        said: Properties | None,
    ) -> None:
        if self.lost is None:
            who = (
                "the broker ends the connection"
                if flags.is_disconnect_packet_from_server
                else "the connection is lost"
            )
            self.lost = f"{who}: {spoken(reason, said)}"

    def _published(
        self, _client: paho.Client, _data: Any, mid: int, reason: ReasonCode, _said: Properties | None
    ) -> None:
        # at the second step of QoS 2 nothing can be refused any more: "not found" means that it is done
        is_refused = reason.value >= _REFUSAL and reason.packetType in (
            PacketTypes.PUBACK,
            PacketTypes.PUBREC,
        )
        self._on_settled(mid, reason if is_refused else None)

    def _handle_pubrec(self) -> MQTTErrorCode:
        packet = bytes(self._in_packet["packet"])
        number = int.from_bytes(packet[:2], "big")
        reason = packet[2] if len(packet) > 2 else 0
        if number in self._out_messages:
            if reason >= _REFUSAL:
                refusal = ReasonCode(PacketTypes.PUBREC, identifier=reason)
                said = Properties(PacketTypes.PUBREC)  # type: ignore[no-untyped-call]
                return self._do_on_publish(number, refusal, said)
            self._on_held(number)
        return super()._handle_pubrec()


def _properties() -> Properties:
    """What is said of each message: JSON, in UTF-8."""
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.PayloadFormatIndicator = 1
    properties.ContentType = "application/json"
    return properties


def spoken(reason: ReasonCode, said: Properties | None = None) -> str:
    """A broker's reason, in its own words where it has some."""
    more = getattr(said, "ReasonString", None)
    return f"{str(reason).lower()}" + (f" ({more})" if more else "")
