"""One connection to an MQTT broker, over which a message arrives exactly once, whatever happened to those before.

paho-mqtt forgets what it sent when the process ends, forgets which messages the broker already has when it
fails to connect twice, and takes a message for published that the broker refused at the first of the two steps
of QoS 2. So what was sent lies outside, each connection is a client of its own that is told of it, and the
broker's answer to the first step is looked at here.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MessageState, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

_REFUSAL = 0x80
"""Reason codes from here on say that something failed."""


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

    Attributes
    ----------
    is_connected_for_good : bool
        Whether the broker has said yes.
    lost : str or None
        Why there is no connection; None where there is one, or not yet.
    has_session : bool
        Whether the broker remembered the session.
    limits : Properties
        What the broker said of itself.
    """

    def __init__(
        self,
        client_id: str,
        on_held: Callable[[int], None],
        on_settled: Callable[[int, ReasonCode | None], None],
    ) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, client_id, protocol=paho.MQTTv5)
        self.max_inflight_messages_set(0)  # the window is kept by who publishes
        self._on_held, self._on_settled = on_held, on_settled
        self.is_accepted = False
        self.has_session = False
        self.lost: str | None = None
        self.limits = Properties(PacketTypes.CONNACK)
        self.on_connect = self._answered
        self.on_disconnect = self._parted
        self.on_publish = self._published

    def resume(self, messages: Mapping[str, Message], qos: int) -> None:
        """Learn what was sent over earlier connections and not settled, before this one is opened."""
        for message in messages.values():
            held = paho.MQTTMessage(message.number, message.topic.encode())
            held.payload, held.qos, held.properties = message.payload, qos, publish_properties()
            if message.is_released:
                held.state = MessageState.MQTT_MS_WAIT_FOR_PUBCOMP
            else:
                held.state = (
                    MessageState.MQTT_MS_WAIT_FOR_PUBREC if qos == 2 else MessageState.MQTT_MS_WAIT_FOR_PUBACK
                )
            self._out_messages[message.number] = held

    def send(self, message: Message, qos: int) -> None:
        """Send a message for the first time."""
        self._last_mid = message.number - 1
        self.publish(message.topic, message.payload, qos, properties=publish_properties())

    def _answered(
        self, _client: object, _data: object, flags: paho.ConnectFlags, reason: ReasonCode, said: Properties
    ) -> None:
        if reason.value >= _REFUSAL:
            self.lost = f"the broker refuses the connection: {spoken(reason, said)}"
            return
        self.is_accepted, self.has_session, self.limits = True, flags.session_present, said
        if not flags.session_present:
            # what the broker had and forgot is sent anew: rather twice, by its ID, than never
            for message in self._out_messages.values():
                message.state, message.dup = MessageState.MQTT_MS_PUBLISH, False

    def _parted(
        self, _client: object, _data: object, flags: paho.DisconnectFlags, reason: ReasonCode, said: Properties
    ) -> None:
        if self.lost is None:
            who = "the broker ends the connection" if flags.is_disconnect_packet_from_server else "the connection is lost"
            self.lost = f"{who}: {spoken(reason, said)}"

    def _published(
        self, _client: object, _data: object, mid: int, reason: ReasonCode, _said: Properties
    ) -> None:
        message = self._out_messages[mid]
        # at the second step of QoS 2 nothing can be refused any more: "not found" means that it is done
        refusal = reason if message.qos == 1 and reason.value >= _REFUSAL else None
        self._on_settled(mid, refusal)

    def _handle_pubrec(self) -> MQTTErrorCode:
        packet = bytes(self._in_packet["packet"])
        number = int.from_bytes(packet[:2], "big")
        reason = packet[2] if len(packet) > 2 else 0
        if number in self._out_messages:
            if reason >= _REFUSAL:
                del self._out_messages[number]
                self._on_settled(number, ReasonCode(PacketTypes.PUBREC, identifier=reason))
                return MQTTErrorCode.MQTT_ERR_SUCCESS
            self._on_held(number)
        return super()._handle_pubrec()


def publish_properties() -> Properties:
    """What is said of each message: JSON, in UTF-8."""
    properties = Properties(PacketTypes.PUBLISH)
    properties.PayloadFormatIndicator = 1
    properties.ContentType = "application/json"
    return properties


def spoken(reason: ReasonCode, said: Properties | None = None) -> str:
    """A broker's reason, in its own words where it has some."""
    more = getattr(said, "ReasonString", None)
    return f"{str(reason).lower()}" + (f" ({more})" if more else "")
