"""What systemd is told: over a real socket, by a clock of the test's own."""

import os
import socket
from pathlib import Path

import pytest

from osscl.live.service import Service
from osscl.support.service_manager import tell_service_manager, watchdog_s
from support.service_manager import listening_service_manager


def test_a_service_is_ready_alive_and_stopping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    with listening_service_manager(tmp_path) as (address, told):
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        monkeypatch.setenv("WATCHDOG_USEC", "6000000")
        monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
        service = Service(lambda: "3 files", lambda: now)
        service.ready()
        assert told.next() == ["READY=1", "STATUS=3 files"]
        for _ in range(3):  # once, however often it beats
            service.beat()
        now += 2.0  # a third of what the watchdog allows
        service.beat()
        service.stopping()
        assert told.next() == ["WATCHDOG=1", "STATUS=3 files"]
        assert told.next() == ["WATCHDOG=1", "STATUS=3 files"]
        assert told.next() == ["STOPPING=1"]
        assert told.next() == ["WATCHDOG=1", "STATUS=3 files", "EXTEND_TIMEOUT_USEC=30000000"]


def test_names_outside_the_file_system(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        name = f"osscl-test-{os.getpid()}"
        channel.bind(f"\0{name}")
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        assert tell_service_manager("READY=1")
        assert channel.recv(100) == b"READY=1"


def test_without_a_service_manager_nothing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not tell_service_manager("READY=1")
    for address in ("", "vsock:2:1", str(tmp_path / "nobody")):
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        assert not tell_service_manager("READY=1")


@pytest.mark.parametrize(
    ("span", "process", "expected"),
    [
        ("30000000", None, 30.0),
        ("30000000", "", 30.0),
        ("30000000", "me", 30.0),
        ("30000000", "1", None),
        ("0", None, None),
        ("soon", None, None),
        (None, None, None),
    ],
)
def test_the_watchdog_is_that_of_this_process(
    span: str | None, process: str | None, expected: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (
        ("WATCHDOG_USEC", span),
        ("WATCHDOG_PID", str(os.getpid()) if process == "me" else process),
    ):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    assert watchdog_s() == expected
