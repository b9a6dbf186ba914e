"""Destinations: every spelling is a place for events or one sentence, and no sentence holds a secret."""

from pathlib import Path

import pytest

from osscl.errors import ConfigError
from osscl.events.destinations import sink_for
from osscl.events.secret import secret


@pytest.mark.parametrize(
    ("destination", "name"),
    [
        ("-", "-"),
        ("/data/events.jsonl", "/data/events.jsonl"),
        ("/data/Events.NDJSON", "/data/Events.NDJSON"),
        ("mqtt://broker", "mqtt://broker:1883/osscl/{machine}/{kind}"),
        ("mqtts://broker/", "mqtts://broker:8883/osscl/{machine}/{kind}"),
        ("MQTT://Broker:77/plant%201/{machine}", "mqtt://broker:77/plant 1/{machine}"),
        ("mqtt://[::1]:1883/a", "mqtt://[::1]:1883/a"),
        ("https://example.org", "https://example.org/"),
        ("https://example.org:8443/hooks/s3cret", "https://example.org:8443/...7d5ffd0d"),
    ],
)
def test_places_for_events(destination: str, name: str) -> None:
    told = sink_for(destination).name
    assert told[:-8] + "7d5ffd0d" == name if "..." in name else told == name


def test_two_hooks_of_one_host_are_two_receivers() -> None:
    names = {sink_for(f"https://example.org/{path}").name for path in ("a", "b", "", "?c")}
    assert len(names) == 4


@pytest.mark.parametrize(
    ("destination", "said"),
    [
        ("", "'' is no place for events; expected mqtt://host:1883/topic"),
        ("events.csv", "'events.csv' is no place for events"),
        ("broker:1883", "'broker:1883' is no place for events"),
        ("ftp://host/a.jsonl", "events cannot go to ftp://"),
        ("mqtt:/host", "names no host"),
        ("mqtt://", "names no host"),
        ("mqtt://host:port/", "cannot be read: Port could not be cast"),
        ("mqtt://host:99999/", "cannot be read: Port out of range"),
        ("mqtt://[::1/", "cannot be read: Invalid IPv6"),
        ("mqtt://host/a/#", "'/a/#' is no topic"),
        ("mqtt://host/a/+/b", "is no topic"),
        ("mqtt://host/a?qos=1", r"'/a\?qos=1' is no topic"),
        ("mqtt://host/{plant}", "is no topic"),
        ("mqtt://host/{machine", "is no topic"),
        ("mqtt://host/{machine!r}", "is no topic"),
        ("mqtt://me:s3cret@host/", "set OSSCL_MQTT_USER and OSSCL_MQTT_PASSWORD instead"),
        ("https://s3cret@host/", "set OSSCL_WEBHOOK_TOKEN instead"),
    ],
)
def test_what_is_no_place_for_events_is_said_in_a_sentence(destination: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as raised:
        sink_for(destination)
    assert "s3cret" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_secrets_come_from_the_environment_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "secret"
    assert secret("WORD") is None
    monkeypatch.setenv("WORD", "abc")
    assert secret("WORD") == "abc"
    monkeypatch.setenv("WORD_FILE", str(file))
    with pytest.raises(ConfigError, match="WORD and WORD_FILE are both set"):
        secret("WORD")
    monkeypatch.delenv("WORD")
    with pytest.raises(ConfigError, match=r"WORD_FILE: .*secret cannot be read: No such file"):
        secret("WORD")
    file.write_bytes(b"d e f\r\n")
    assert secret("WORD") == "d e f"
    for content in (b"", b"\n", b"two\nlines\n"):
        file.write_bytes(content)
        with pytest.raises(ConfigError, match="WORD_FILE holds no secret"):
            secret("WORD")
    file.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="it is not in UTF-8"):
        secret("WORD")


def test_a_password_without_a_user_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSSCL_MQTT_PASSWORD", "s3cret")
    with pytest.raises(ConfigError, match="OSSCL_MQTT_PASSWORD is set and OSSCL_MQTT_USER is not"):
        sink_for("mqtt://host")


def test_a_secret_sent_in_the_clear_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OSSCL_MQTT_USER", "me")
    monkeypatch.setenv("OSSCL_MQTT_PASSWORD", "s3cret")
    monkeypatch.setenv("OSSCL_WEBHOOK_TOKEN", "s3cret")
    for quiet in ("mqtt://127.0.0.1", "mqtts://host", "https://host", "http://localhost"):
        sink_for(quiet)
    assert caplog.text == ""
    sink_for("mqtt://host")
    sink_for("http://host")
    assert caplog.text.count("unencrypted") == 2
    assert "s3cret" not in caplog.text
