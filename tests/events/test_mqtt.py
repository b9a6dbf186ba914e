"""MQTT: every event arrives once by its ID, whatever happens to connection, broker and process in between."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from osscl.events.destinations import sink_for
from osscl.events.mqtt import topic_of
from osscl.events.outbox import Spooled, encoded
from support.events import Box, ended, event, hasty
from support.mosquitto import Mosquitto, Subscriber, Wire, free_port
from support.waiting import wait_until

PUBLISH, PUBREC, PUBREL, PUBCOMP = 3, 5, 6, 7


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as broker:
        yield broker


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path / "run.journal")


def numbers(messages: list[tuple[str, bytes]]) -> list[int]:
    return [int(json.loads(payload)["score"]) for _, payload in messages]


def test_events_arrive_as_json_below_machine_and_kind(broker: Mosquitto, box: Box) -> None:
    subscriber = Subscriber(broker)
    box.put([event(0), event(1, machine="a+b/#c", kind="alarm"), event(2, machine=None)])
    box.delivered(sink_for(f"mqtt://127.0.0.1:{broker.port}"))
    received = subscriber.received()
    assert [topic for topic, _ in received] == [
        "osscl/fan/id_00/anomaly",
        "osscl/a_b/_c/alarm",
        "osscl/-/anomaly",
    ]
    assert received[0][1] == encoded(event(0))


@pytest.mark.parametrize("n_refused", [0, 2])
@pytest.mark.parametrize("is_passed", [False, True])
@pytest.mark.parametrize("cut_at", [PUBLISH, PUBREC, PUBREL, PUBCOMP])
def test_a_connection_cut_anywhere_loses_and_doubles_nothing(
    broker: Mosquitto, box: Box, cut_at: int, is_passed: bool, n_refused: int
) -> None:
    wire = Wire(broker, cut_at, is_passed=is_passed, n_refused=n_refused)
    subscriber = Subscriber(broker)
    box.put(map(event, range(30)))
    box.delivered(sink_for(f"mqtt://127.0.0.1:{wire.port}"))
    wire.close()
    assert wire.n_cut == 1
    assert numbers(subscriber.received()) == [*range(30)]


def test_a_broker_that_stops_for_a_while(broker: Mosquitto, box: Box) -> None:
    subscriber = Subscriber(broker)
    sink = sink_for(f"mqtt://127.0.0.1:{broker.port}")
    waited: list[float] = []
    delivery = hasty(box, sink, waited)
    delivery.start()
    box.put(map(event, range(25)))
    wait_until(lambda: box.n_waiting(sink.name) == 0)
    broker.stop()
    box.put(map(event, range(25, 60)))
    trouble = wait_until(lambda: delivery.trouble)
    assert trouble in ("no connection: Connection refused", "the connection is lost: unspecified error") or (
        "broker ends the connection" in trouble
    )
    broker.start()
    wait_until(lambda: box.n_waiting(sink.name) == 0)
    wait_until(lambda: delivery.trouble is None)
    ended(delivery)
    assert numbers(subscriber.received()) == [*range(60)]
    assert all(1.0 <= seconds <= 60.0 for seconds in waited)


def test_a_broker_that_forgets_its_sessions_gets_all_events(tmp_path: Path, box: Box) -> None:
    with Mosquitto(tmp_path) as broker:
        wire = Wire(broker, PUBREL, is_passed=False, n_refused=1)
        sink = sink_for(f"mqtt://127.0.0.1:{wire.port}")
        box.put(map(event, range(5)))
        delivery = hasty(box, sink)
        broker_is_new = False

        def forget() -> bool:
            return wire.n_cut == 1

        delivery.start()
        wait_until(forget)
        broker.stop()
        (tmp_path / "mosquitto.db").unlink()
        broker.start()
        subscriber = Subscriber(broker)
        wait_until(lambda: box.n_waiting(sink.name) == 0)
        ended(delivery)
        wire.close()
        assert not broker_is_new
        assert set(numbers(subscriber.received())) == {*range(5)}


_PROCESS = """
import sqlite3, sys, threading
from osscl.events.delivery import Delivery
from osscl.events.destinations import sink_for
path, destination = sys.argv[1:]
Delivery(sink_for(destination), lambda: sqlite3.connect(path)).start()
threading.Event().wait()
"""


def test_a_killed_process_doubles_and_loses_nothing(broker: Mosquitto, box: Box) -> None:
    subscriber = Subscriber(broker)
    n = 400
    box.put(map(event, range(n)))
    destination = f"mqtt://127.0.0.1:{broker.port}"
    name = sink_for(destination).name
    command = [sys.executable, "-c", _PROCESS, str(box.path), destination]
    for left in (350, 290, 240, 150, 90, 0):
        with subprocess.Popen(command) as process:
            wait_until(lambda left=left: box.n_waiting(name) <= left, process)  # type: ignore[misc]
            os.kill(process.pid, signal.SIGKILL)
    assert numbers(subscriber.received()) == [*range(n)]


def test_a_refused_password_is_said_and_mended(
    tmp_path: Path, box: Box, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    passwords, password = tmp_path / "passwords", tmp_path / "password"
    subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, "osscl", "right-one"], check=True)
    password.write_text("wrong-one\n")
    monkeypatch.setenv("OSSCL_MQTT_USER", "osscl")
    monkeypatch.setenv("OSSCL_MQTT_PASSWORD_FILE", str(password))
    with Mosquitto(tmp_path, f"password_file {passwords}", is_open=False) as broker:
        address = f"mqtt://127.0.0.1:{broker.port}/osscl/{{machine}}"
        box.put([event(0)])
        delivery = hasty(box, sink_for(address))
        delivery.start()
        trouble = wait_until(lambda: delivery.trouble)
        assert trouble == "the broker refuses the connection: not authorized"
        ended(delivery)
        assert box.n_waiting(address) == 1
        password.write_text("right-one\n")
        box.delivered(sink_for(address))
    with sqlite3.connect(box.path) as connection:
        stored = "".join(map(str, connection.execute("SELECT * FROM event_receiver").fetchall()))
    assert "right-one" not in stored + caplog.text
    assert "wrong-one" not in stored + caplog.text


def test_a_topic_that_is_not_allowed_waits(tmp_path: Path, box: Box) -> None:
    rules = tmp_path / "rules"
    rules.write_text("topic write other/#\ntopic readwrite the/#\n")
    with Mosquitto(tmp_path, f"acl_file {rules}") as broker:
        sink = sink_for(f"mqtt://127.0.0.1:{broker.port}")
        box.put([event(0)])
        delivery = hasty(box, sink)
        delivery.start()
        trouble = wait_until(lambda: delivery.trouble)
        assert trouble == "the broker refuses topic osscl/fan/id_00/anomaly: not authorized"
        assert box.n_waiting(sink.name) == 1
        rules.write_text("topic readwrite #\n")
        broker.stop()
        broker.start()
        subscriber = Subscriber(broker)
        wait_until(lambda: box.n_waiting(sink.name) == 0)
        ended(delivery)
        assert numbers(subscriber.received()) == [0]


def test_an_event_too_large_for_the_broker_is_refused_and_the_next_follows(tmp_path: Path, box: Box) -> None:
    with Mosquitto(tmp_path, "max_packet_size 2000") as broker:
        subscriber = Subscriber(broker)
        sink = sink_for(f"mqtt://127.0.0.1:{broker.port}")
        box.put([event(0), event(1, explanation="a" * 3000), event(2)])
        box.delivered(sink)
        assert box.n_refused(sink.name) == 1
        assert numbers(subscriber.received()) == [0, 2]


def test_no_broker_at_all_is_said(box: Box) -> None:
    delivery = hasty(box, sink_for(f"mqtt://127.0.0.1:{free_port()}"))
    delivery.start()
    assert wait_until(lambda: delivery.trouble) == "no connection: Connection refused"
    ended(delivery)


def test_machines_cannot_choose_the_topics_of_the_broker() -> None:
    spooled = Spooled(1, "x", encoded(event(0, machine="$SYS/broker\n")))
    assert topic_of("{machine}/{kind}", spooled) == "_SYS/broker_/anomaly"
