"""Where events go, as the user spells it: a broker, a web address, a file or the standard output."""

import hashlib
import re
import string
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from osscl.errors import ConfigError
from osscl.events.secret import secret
from osscl.events.sink import Sink
from osscl.support.log import quiet_logger
from osscl.support.paths import brief

_log = quiet_logger(__name__)

MQTT_USER, MQTT_PASSWORD, WEBHOOK_TOKEN = "OSSCL_MQTT_USER", "OSSCL_MQTT_PASSWORD", "OSSCL_WEBHOOK_TOKEN"
_DEFAULT_TOPIC = "osscl/{machine}/{kind}"
_PORTS = {"mqtt": 1883, "mqtts": 8883}
_LINES = (".jsonl", ".ndjson")
_FIELDS = frozenset({"machine", "kind"})
_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*):/")
_HERE = ("localhost", "127.0.0.1", "::1")
FORMS = (
    "mqtt://host:1883/topic, mqtts://..., https://..., http://..., FILE.jsonl, or - for the standard output"
)


def sink_for(destination: str) -> Sink:
    """Make the sink of a destination; secrets come from the environment or from files.

    Parameters
    ----------
    destination : str
        ``mqtt://host:1883/topic`` or ``mqtts://``, whose topic may hold ``{machine}`` and ``{kind}``;
        ``https://`` or ``http://``; a file that ends in ``.jsonl`` or ``.ndjson``; or ``-``.

    Returns
    -------
    Sink
        Nothing is opened yet.

    Raises
    ------
    ConfigError
        It is none of these, or holds a password.
    MissingExtraError
        A package is needed and not installed.
    """
    from osscl.events.json_lines import JsonLinesFile, JsonLinesOut

    if destination == "-":
        return JsonLinesOut()
    if (scheme := _SCHEME.match(destination)) is not None:
        return _sink_at(destination, scheme[1].lower())
    if not destination.lower().endswith(_LINES):
        raise ConfigError(f"'{brief(destination)}' is no place for events; expected {FORMS}")
    return JsonLinesFile(Path(destination))


def _sink_at(destination: str, scheme: str) -> Sink:
    if scheme not in ("mqtt", "mqtts", "http", "https"):
        raise ConfigError(f"events cannot go to {brief(scheme)}://; expected {FORMS}")
    address = _split(destination, scheme)
    return _broker(destination, address) if scheme in _PORTS else _webhook(destination, address)


def _split(destination: str, scheme: str) -> SplitResult:
    """Take an address apart. No message holds it as it is: there may be a password in it."""
    try:
        address = urlsplit(destination)
        host, _ = address.hostname, address.port
    except ValueError as error:
        raise ConfigError(f"the address {scheme}://... for events cannot be read: {error}") from None
    if address.username is not None or address.password is not None:
        where = WEBHOOK_TOKEN if scheme.startswith("http") else f"{MQTT_USER} and {MQTT_PASSWORD}"
        raise ConfigError(
            f"the address {scheme}://...@{brief(host)} holds a name or password, which every user of this "
            f"machine could see; set {where} instead, or the same with _FILE behind it"
        )
    if not host or not destination.isprintable() or " " in destination:
        raise ConfigError(f"the address {scheme}://... for events names no host; expected {FORMS}")
    return address


def _broker(destination: str, address: SplitResult) -> Sink:
    from osscl.events.mqtt import Broker, Mqtt

    topic = unquote(address.path).strip("/") or _DEFAULT_TOPIC
    stated = destination.partition("//")[2].partition("/")[2]
    if "?" in stated or "#" in stated or _is_no_topic(topic):
        raise ConfigError(
            f"'{brief('/' + stated)}' "
            "is no topic for events; expected one without + and #, in which {machine} and {kind} may stand, "
            f"such as {_DEFAULT_TOPIC}"
        )
    host, port = str(address.hostname), address.port or _PORTS[address.scheme]
    broker = Broker(host, port, address.scheme == "mqtts", secret(MQTT_USER), secret(MQTT_PASSWORD))
    if broker.password is not None and broker.user is None:
        raise ConfigError(f"{MQTT_PASSWORD} is set and {MQTT_USER} is not; expected both")
    name = f"{address.scheme}://{_spelled(host)}:{port}/{topic}"
    if broker.password is not None and not broker.is_encrypted and host not in _HERE:
        _log.warning("%s: the password goes over the network unencrypted; mqtts:// encrypts it", name)
    return Mqtt(broker, topic, name)


def _webhook(url: str, address: SplitResult) -> Sink:
    from osscl.events.webhook import Webhook

    host, token = str(address.hostname), secret(WEBHOOK_TOKEN)
    port = "" if address.port is None else f":{address.port}"
    behind = url.partition("://")[2].partition("/")[2] or address.query
    # whoever knows the whole address of many services may write to them, so it is told from others by a hash
    told = f"...{hashlib.sha256(url.encode()).hexdigest()[:8]}" if behind else ""
    name = f"{address.scheme}://{_spelled(host)}{port}/{told}"
    if token is not None and address.scheme == "http" and host not in _HERE:
        _log.warning("%s: the token goes over the network unencrypted; https:// encrypts it", name)
    return Webhook(url, name, token)


def _is_no_topic(topic: str) -> bool:
    if re.search(r"[+#\x00-\x1f\x7f]", topic) or len(topic.encode("utf-8", "replace")) > 1_000:
        return True
    try:
        parts = list(string.Formatter().parse(topic))
    except ValueError:
        return True
    return any(
        name is not None and (name not in _FIELDS or form or conversion)
        for _, name, form, conversion in parts
    )


def _spelled(host: str) -> str:
    return f"[{host}]" if ":" in host else host
