"""The example of a service, run by the command that it names, and asked over real sockets."""

import io
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import soundfile

import osscl
from conftest import REPOSITORY
from support.plant import MADE, REAL, Plant, plant

EXAMPLE = REPOSITORY / "examples" / "service" / "service.py"
HANGS_AFTER_S = 60
BOUNDARY = "a-line-that-stands-in-no-recording"


class Service(NamedTuple):
    """Where the example listens, and what it has opened."""

    port: int
    plant: Plant

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
        """Ask over a connection of its own: code and document."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=HANGS_AFTER_S)
        try:
            headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"} if body else {}
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def decide(self, content: bytes, machine: str, name: str = "clip.wav") -> tuple[int, Any]:
        """Upload a recording as `curl -F recording=@NAME -F machine=MACHINE` does."""
        file = f'name="recording"; filename="{name}"'.encode()
        parts = [(file, content), (b'name="machine"', machine.encode())]
        body = b"".join(
            b"--%s\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % (BOUNDARY.encode(), *part)
            for part in parts
        )
        return self.ask("POST", "/decisions", body + f"--{BOUNDARY}--\r\n".encode())


def told_commands() -> list[str]:
    """The lines of the example that its reader is to run."""
    return re.findall(r"^    ((?:pip|MODEL|curl).*)$", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    made = plant(REPOSITORY.parent / "shared")
    [told] = [line for line in told_commands() if "uvicorn" in line]
    assert told == "MODEL=site.onnx uvicorn service:app --app-dir examples/service"
    words = shlex.split(told)[1:]
    command = [sys.executable, "-m", *words, "--port", "0"]  # any that is free
    environment = os.environ | {"MODEL": str(made.model)}
    pipes: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=REPOSITORY, env=environment, **pipes) as run:
        try:
            assert run.stderr is not None
            listens = (re.search(r"running on http://127.0.0.1:(\d+)", line) for line in run.stderr)
            port = next((int(found[1]) for found in listens if found), None)
            assert port is not None, "it ended before it listened"
            yield Service(port, made)
            run.terminate()
            assert "Application shutdown complete" in run.stderr.read()
        finally:
            run.kill()


def decided(service: Service, path: Path, machine: str) -> dict[str, Any]:
    """What the library says of a recording."""
    with osscl.load(service.plant.model) as detector:
        record = detector.score_file(path, machine)
        explanation = detector.explain(path, machine).sentence if record.is_anomaly else None
    return {
        "machine": machine,
        "status": record.status,
        "reason": record.reason,
        "score": record.score,
        "p_value": record.p_value,
        "threshold": record.threshold,
        "is_anomaly": record.is_anomaly,
        "quality": record.quality,
        "explanation": explanation,
        "note": None,
    }


def test_it_tells_its_health(service: Service) -> None:
    assert "curl localhost:8000/health" in told_commands()
    with osscl.load(service.plant.model) as detector:
        assert service.ask("GET", "/health") == (200, {"machines": len(detector.machines)})


def test_an_answer_is_what_the_library_says(service: Service) -> None:
    [told] = [line for line in told_commands() if line.endswith("/decisions")]
    assert re.findall(r"-F (\w+)=", told) == ["recording", "machine"]  # as `decide` sends them
    answers = [service.decide(path.read_bytes(), MADE, path.name) for path in service.plant.made]
    assert answers == [(200, decided(service, path, MADE)) for path in service.plant.made]
    assert [answer["is_anomaly"] for _, answer in answers] == [False, True]
    assert [answer["explanation"] is None for _, answer in answers] == [True, False]


def test_real_recordings(service: Service, shared: Path) -> None:
    assert shared.is_dir()
    answers = [service.decide(path.read_bytes(), REAL, path.name) for path in service.plant.real]
    assert answers == [(200, decided(service, path, REAL)) for path in service.plant.real]
    assert [answer["is_anomaly"] for _, answer in answers] == [False, True]


def test_what_cannot_be_scored_is_refused_in_words(service: Service) -> None:
    whole = service.plant.made[0].read_bytes()
    refused = {
        "empty.wav": (b"", MADE, "empty.wav: "),
        "text.wav": (b"no sound at all", MADE, "text.wav: "),
        "cut.wav": (whole[:100_000], MADE, "cut.wav: "),
        "short.wav": (of_one_second(whole), MADE, "it lasts 1 s, expected at least 10 s"),
        "clip.wav": (whole, "saw/id_00", "saw/id_00"),
    }
    for name, (content, machine, told) in refused.items():
        code, answer = service.decide(content, machine, name)
        assert (code, told in answer["detail"]) == (422, True), answer
        assert name == "clip.wav" or answer["detail"] == f"{name}: {reason(service, content, name)}"
    assert service.decide(whole, MADE)[0] == 200
    code, answer = service.ask("POST", "/decisions", f"--{BOUNDARY}--\r\n".encode())  # nothing in it
    assert (code, len(answer["detail"])) == (422, 2)


def test_a_dead_microphone_is_an_alarm(service: Service) -> None:
    code, answer = service.decide(wav_of(np.zeros(160_000, np.int16)), MADE)
    assert (code, answer["status"], answer["is_anomaly"]) == (200, "silent", True)
    assert "all samples are zero" in answer["reason"]
    assert answer["explanation"] is None


def test_a_longer_recording_says_what_was_not_scored(service: Service) -> None:
    path = service.plant.made[0]
    samples, _ = soundfile.read(path, dtype="int16")
    code, answer = service.decide(wav_of(np.tile(samples, 2)), MADE)
    told = "the recording lasts 20 s, and its first 10 s were scored"
    assert (code, answer) == (200, decided(service, path, MADE) | {"note": told})


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (None, "the variable MODEL is not set; expected the path of a model file"),
        ("gone.onnx", "MODEL=gone.onnx cannot be opened: there is no model file gone.onnx"),
    ],
)
def test_a_model_that_is_not_there_is_one_sentence(tmp_path: Path, model: str | None, told: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "MODEL"}
    environment |= {} if model is None else {"MODEL": model}
    # from anywhere: the folder of the example is said
    command = [sys.executable, "-m", "uvicorn", "service:app", "--app-dir", str(EXAMPLE.parent)]
    ended = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=HANGS_AFTER_S
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith(told)
    assert "Traceback" not in ended.stderr


def wav_of(samples: Any) -> bytes:
    """Samples as a WAV file."""
    made = io.BytesIO()
    soundfile.write(made, samples, 16_000, format="WAV")
    return made.getvalue()


def of_one_second(wav: bytes) -> bytes:
    """Cut a recording to its first second."""
    samples, rate_hz = soundfile.read(io.BytesIO(wav), dtype="int16")
    return wav_of(samples[:rate_hz])


def reason(service: Service, content: bytes, name: str) -> str | None:
    """What the library says of something that is no recording."""
    with osscl.load(service.plant.model) as detector:
        return detector.score_file(content, MADE).reason


def test_many_at_once_are_told_apart(service: Service) -> None:
    alone = [service.decide(path.read_bytes(), MADE) for path in service.plant.made]
    asked = [path.read_bytes() for path in service.plant.made] * 12
    with ThreadPoolExecutor(len(asked)) as pool:
        answers = list(pool.map(lambda content: service.decide(content, MADE), asked))
    assert answers == alone * 12
