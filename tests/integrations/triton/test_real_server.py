"""The model of the Python backend in the real Triton Inference Server: its answers are `Detector.score`'s.

pip install "osscl[cpu]" nvidia-pytriton && pytest tests/integrations/triton
"""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
import numpy.typing as npt
import pytest

import osscl
from osscl.detector import Detector
from osscl.enrolment import enroll
from osscl.errors import OssclError
from osscl.synth import DatasetPlan, write_dataset
from osscl.triton.answering import outputs
from osscl.triton.configs import SCORER_OUTPUTS
from osscl.triton.repository import write_repository
from support.tritonserver import Triton, refusal, serving, wheel_folder

pytest.importorskip("grpc", reason="tritonclient[grpc,http] is not installed")
grpc = pytest.importorskip("tritonclient.grpc", reason="tritonclient[grpc,http] is not installed")
http = pytest.importorskip("tritonclient.http", reason="tritonclient[grpc,http] is not installed")

N_REQUESTS, N_CLIENTS = 1000, 8
N_SAMPLES = 160_000
BY_NETWORK_ALONE = "blower/id_02"  # the demonstration model knows it, and nothing decides of it


@dataclass(frozen=True)
class Asked:
    """A request: its samples and machines, and what is wrong with it."""

    samples: npt.NDArray[Any]  # [B, n] of int16 or float32
    machines: list[bytes]

    @property
    def name(self) -> str:
        return "waveform_int16" if self.samples.dtype == np.int16 else "waveform"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration model with memories of four machines."""
    wheel_folder()
    folder = tmp_path_factory.mktemp("model")
    for _ in write_dataset(folder / "clips", DatasetPlan(machines=4, train=48, normal=2, anomalous=2)):
        pass
    enroll([folder / "clips"], folder / "enrolled.onnx", model="demo")
    return folder / "enrolled.onnx"


@pytest.fixture(scope="module")
def detector(model: Path) -> Iterator[Detector]:
    with osscl.load(model, "cpu") as opened:
        yield opened


@pytest.fixture(scope="module")
def sounds(model: Path) -> npt.NDArray[np.int16]:
    """Normal and anomalous clips of those machines, [n, 160000]."""
    import soundfile

    paths = sorted((model.parent / "clips").rglob("test/*.wav"))
    return np.stack([soundfile.read(path, dtype="int16")[0] for path in paths])


@pytest.fixture(scope="module")
def triton(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Triton]:
    work = tmp_path_factory.mktemp("triton")
    # the network of its own is for Triton's ONNX Runtime, which is not in this wheel
    write_repository(model, work / "written", name="press_hall")
    (work / "models").mkdir()
    (work / "written" / "press_hall").rename(work / "models" / "press_hall")
    with serving(work / "models", work) as server:
        yield server


def ask(package: Any, client: Any, asked: Asked) -> dict[str, npt.NDArray[Any]] | str:
    """Outputs of a request by their names, or the sentence that it was refused with."""
    machines = np.array(asked.machines, object).reshape(-1, 1)
    samples = package.InferInput(
        asked.name, list(asked.samples.shape), "INT16" if asked.samples.dtype == np.int16 else "FP32"
    )
    names = package.InferInput("machine", list(machines.shape), "BYTES")
    samples.set_data_from_numpy(asked.samples)
    names.set_data_from_numpy(machines)
    try:
        answer = client.infer("press_hall", [samples, names])
    except Exception as error:  # noqa: BLE001 - the class is the client's, and differs
        return str(error).partition("] ")[2]
    return {name: answer.as_numpy(name) for name in SCORER_OUTPUTS}


def expected(detector: Detector, asked: Asked) -> dict[str, npt.NDArray[Any]] | str:
    """What `Detector.score` gives or says."""
    try:
        scores = detector.score(asked.samples, [name.decode() for name in asked.machines])
    except UnicodeDecodeError:
        return "machine is not UTF-8: invalid start byte at byte 0"
    except OssclError as error:
        return str(error)
    return outputs(scores)


def is_same(found: dict[str, npt.NDArray[Any]] | str, right: dict[str, npt.NDArray[Any]] | str) -> bool:
    """Whether two answers agree in every bit."""
    if isinstance(found, str) or isinstance(right, str):
        return found == right
    return all(_bits(found[name]) == _bits(right[name]) for name in SCORER_OUTPUTS)


def _bits(values: npt.NDArray[Any]) -> object:
    if values.dtype == object:
        return [each.decode() if isinstance(each, bytes) else each for each in values.ravel()]
    return values.dtype, values.shape, values.tobytes()


def mixed_requests(sounds: npt.NDArray[np.int16], machines: list[str], seed: int) -> list[Asked]:
    """Requests of one to four clips, of both types, of all machines; one in eight is bad."""
    rng = np.random.default_rng(seed)
    requests = []
    for number in range(N_REQUESTS):
        clips: npt.NDArray[Any] = sounds[rng.integers(len(sounds), size=rng.integers(1, 5))]
        named = [str(name).encode() for name in rng.choice(machines, size=len(clips))]
        if rng.integers(2):
            clips = np.multiply(clips, np.float32(1 / 32768), dtype=np.float32)
        requests.append(_spoilt(clips, named, rng) if number % 8 == 0 else Asked(clips, named))
    return requests


def _spoilt(clips: npt.NDArray[Any], named: list[bytes], rng: np.random.Generator) -> Asked:
    floats = clips.astype(np.float32)
    match rng.integers(6):
        case 0:
            return Asked(clips, [*named[:-1], b"press/id_99"])
        case 1:
            floats[-1, 70_000] = np.nan
            return Asked(floats, named)
        case 2:
            floats[0, 0] = 9.0
            return Asked(floats, named)
        case 3:
            return Asked(np.ascontiguousarray(clips[:, : N_SAMPLES - 1]), named)
        case 4:
            return Asked(clips[:, :0], named)
    return Asked(clips, [*named[:-1], b"\xff\xfe"])


@pytest.mark.timeout(1800)  # a minute of work, on a machine that others use too
def test_a_thousand_mixed_requests_of_eight_clients(
    triton: Triton, detector: Detector, sounds: npt.NDArray[np.int16]
) -> None:
    machines = [*(m for m in detector.machines if detector.judges.rule_of(m) == "memory"), BY_NETWORK_ALONE]
    requests = mixed_requests(sounds, machines, seed=17)
    started = threading.Barrier(N_CLIENTS)

    def client(number: int) -> list[dict[str, npt.NDArray[Any]] | str]:
        package, address = (http, triton.http) if number % 2 else (grpc, triton.grpc)
        with package.InferenceServerClient(address) as connection:
            started.wait(60)
            return [ask(package, connection, asked) for asked in requests[number::N_CLIENTS]]

    with ThreadPoolExecutor(N_CLIENTS) as pool:
        answers = list(pool.map(client, range(N_CLIENTS)))
    with grpc.InferenceServerClient(triton.grpc) as connection:
        [counted] = connection.get_inference_statistics("press_hall").model_stats
    assert counted.execution_count < counted.inference_stats.success.count  # some were put together
    right = [expected(detector, asked) for asked in requests]
    wrong = [
        (number, found)
        for number in range(N_REQUESTS)
        if not is_same(found := answers[number % N_CLIENTS][number // N_CLIENTS], right[number])
    ]
    assert wrong[:3] == []
    kinds = {word for each in right if not isinstance(each, str) for word in each["decision"].ravel()}
    assert kinds == {"anomaly", "normal", "unknown"}
    assert sum(isinstance(each, str) for each in right) == N_REQUESTS // 8


def test_answers_in_json(triton: Triton, detector: Detector, sounds: npt.NDArray[np.int16]) -> None:
    """Without a client of Triton's: what any program can send and read."""
    inputs = [
        {"name": "waveform_int16", "shape": [1, N_SAMPLES], "datatype": "INT16", "data": sounds[0].tolist()},
        {"name": "machine", "shape": [1, 1], "datatype": "BYTES", "data": [BY_NETWORK_ALONE]},
    ]
    question = Request(
        f"http://{triton.http}/v2/models/press_hall/infer", json.dumps({"inputs": inputs}).encode()
    )
    with urlopen(question, timeout=60) as answer:
        found = {each["name"]: each["data"][0] for each in json.load(answer)["outputs"]}
    scores = outputs(detector.score(sounds[:1], BY_NETWORK_ALONE))
    right = {name: values.ravel().tolist()[0] for name, values in scores.items()}
    assert np.float32(found["score"]) == np.float32(right["score"])
    assert (found["decision"], found["rule"]) == ("unknown", "network") == (right["decision"], right["rule"])
    assert np.isnan([found["p_value"], found["threshold"]]).all()


def test_a_model_that_cannot_be_opened_is_told_in_the_log(model: Path, tmp_path: Path) -> None:
    write_repository(model, tmp_path / "written", name="press_hall")
    (tmp_path / "models").mkdir()
    scorer = (tmp_path / "written" / "press_hall").rename(tmp_path / "models" / "press_hall")
    content = bytearray((scorer / "1" / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (scorer / "1" / "model.onnx").write_bytes(content)
    said = refusal(tmp_path / "models", tmp_path)
    assert "hash differs: tampered with or damaged" in said
    assert "Traceback" not in said
