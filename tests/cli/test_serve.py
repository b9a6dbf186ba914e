"""``osscl serve`` as a process: what it says, what it takes, and how it ends."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.forked_console import Call, run_all
from support.model_files import CLASSES
from support.remembering import normal_clips, write_clips, write_model
from support.served import HANGS_AFTER_S, reply_on
from support.waiting import wait_until

HEAD = f"POST /v1/score?machine={CLASSES[0]} HTTP/1.1\r\nHost: localhost\r\nContent-Type: audio/wav\r\n"
# a shell lets what it runs in the background ignore Ctrl-C
LISTENING = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
CONSOLE = [sys.executable, "-c", f"{LISTENING}from osscl.cli import main; main()", "serve"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("serve") / "model.onnx")


@contextmanager
def service(
    folder: Path, *arguments: str, environment: dict[str, str] | None = None
) -> Iterator["subprocess.Popen[str]"]:
    """Run the command with a free port."""
    with subprocess.Popen(
        [*CONSOLE, *arguments, "--port", "0", "--device", "cpu", "--threads", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env=os.environ | (environment or {}),
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_service_tells_systemd_of_itself_and_finishes_its_work(tmp_path: Path, model: Path) -> None:
    write_clips(tmp_path, "clip", normal_clips(1, 1))
    recording = (tmp_path / "clip00000000.wav").read_bytes()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(HANGS_AFTER_S)
        told = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "60000000"}
        with service(tmp_path, str(model), "--access-log", environment=told) as process:
            assert process.stderr is not None
            said = process.stderr.readline()
            assert said.startswith(f"{len(CLASSES)} machines at http://127.0.0.1:")
            assert process.stderr.readline().startswith(f"no decision for {', '.join(CLASSES[:3])}")
            port = int(said.partition("127.0.0.1:")[2].split()[0])
            assert manager.recv(1000) == b"READY=1\nSTATUS=serving 3 machines"
            assert manager.recv(1000) == b"WATCHDOG=1"
            with socket.create_connection(("127.0.0.1", port), timeout=HANGS_AFTER_S) as connection:
                head = f"{HEAD}X-Request-ID: one\r\nContent-Length: {len(recording)}\r\n\r\n"
                connection.sendall(head.encode() + recording[:1000])
                process.send_signal(signal.SIGTERM)
                assert manager.recv(1000) == b"STOPPING=1"  # half of a request is in work: it is waited for
                connection.sendall(recording[1000:])
                assert reply_on(connection).code == 200
            assert process.wait() == 0
            lines = process.stderr.read().splitlines()
    assert lines[0].startswith("POST /v1/score 200 ")
    assert lines[0].endswith(" one")
    assert lines[1:] == ["stopped; what was in work is answered"]


def test_ctrl_c_ends_with_its_own_code_and_a_second_one_waits_for_nobody(tmp_path: Path, model: Path) -> None:
    with service(tmp_path, str(model)) as process:
        assert process.stderr is not None
        port = int(process.stderr.readline().partition("127.0.0.1:")[2].split()[0])
        assert "it is not calibrated" in process.stderr.readline()
        with socket.create_connection(("127.0.0.1", port), timeout=HANGS_AFTER_S) as connection:
            connection.sendall(f"{HEAD}Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n".encode())
            assert connection.recv(1000).startswith(b"HTTP/1.1 100")  # its body is waited for
            process.send_signal(signal.SIGINT)
            wait_until(lambda: is_closed(port), process)  # nobody new is let in: the first was heard
            process.send_signal(signal.SIGINT)
            assert process.wait() == 130
        assert process.stderr.read() == "stopped; what was in work is lost\n"


def is_closed(port: int) -> bool:
    """Whether nobody listens there any more."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=HANGS_AFTER_S).close()
    except ConnectionRefusedError:
        return True
    return False


def test_what_cannot_be_served_is_told_in_a_sentence(tmp_path: Path, model: Path) -> None:
    (tmp_path / "token").write_text("short")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        asked = {
            f"serve {model} --port {port}": f"port {port} of 127.0.0.1 is taken by another program",
            f"serve {model} --host 0.0.0.0": "can be reached from other machines, which needs a token",
            f"serve {model} --token-file token": "token holds a token of 5 characters",
            f"serve {model} --token-file none": "there is no token none",
            f"serve {model} --max-bytes 0": "--max-bytes is 0; expected a number above 0",
            "serve none.onnx --port 0": "none.onnx",
        }
        ended = run_all([Call(words.split(), str(tmp_path)) for words in asked])
    for words, sentence, end in zip(asked, asked.values(), ended, strict=True):
        assert end.code in (1, 2), words
        assert sentence in end.stderr
        assert len(end.stderr.splitlines()) == 1
