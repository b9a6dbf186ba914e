"""Requests that Triton hands on together: one call of the detector, an answer each, a bad one by itself."""

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from osscl.audio.samples import Waveforms
from osscl.backends import ComputeOptions
from osscl.detector import Detector
from osscl.errors import BackendError, ConfigError, DeviceError, MissingExtraError, OssclError
from osscl.scoring.scores import Scores
from osscl.triton.answering import Request, answer_all, outputs
from osscl.triton.opening import open_detector
from support.model_files import CLASSES
from support.remembering import faulty_clips, normal_clips

REMEMBERED = "press/id_09"
NUMBERS, TEXTS = ("score", "p_value", "threshold"), ("decision", "rule", "quality")
SOUNDS = np.concatenate([normal_clips(5, 2), faulty_clips(6, 2)])


class Counting(Detector):
    """A detector that keeps in mind how many clips each of its calls was of."""

    def __init__(self, model: Path) -> None:
        super().__init__(model, ComputeOptions("cpu", threads=1))
        self.calls: list[tuple[int, str]] = []

    def __enter__(self) -> "Counting":
        return self

    def score(self, waveforms: Waveforms, *arguments: Any, **words: Any) -> Scores:
        self.calls.append((len(np.asarray(waveforms)), str(np.asarray(waveforms).dtype)))
        return super().score(waveforms, *arguments, **words)


@pytest.fixture
def detector(small_model: Path) -> Iterator[Counting]:
    with Counting(small_model) as opened:
        yield opened


def request(samples: npt.NDArray[Any], *machines: bytes | str) -> Request:
    named = [name if isinstance(name, bytes) else name.encode() for name in machines]
    names = np.array(named, object).reshape(-1, 1)
    return Request(samples, None, names) if samples.dtype == np.float32 else Request(None, samples, names)


def same(answer: Scores | OssclError, right: Scores) -> bool:
    """Whether two answers agree in every bit."""
    assert isinstance(answer, Scores), answer
    found, expected = outputs(answer), outputs(right)
    numbers = all(found[name].tobytes() == expected[name].tobytes() for name in NUMBERS)
    return numbers and all(found[name].tolist() == expected[name].tolist() for name in TEXTS)


def test_what_came_together_is_one_call_for_each_type(detector: Counting) -> None:
    floats = np.multiply(SOUNDS, np.float32(1 / 32768), dtype=np.float32)
    asked: Sequence[tuple[npt.NDArray[Any], list[str]]] = [
        (SOUNDS[:1], [REMEMBERED]),
        (floats[1:3], [CLASSES[0], REMEMBERED]),
        (SOUNDS[1:4], [REMEMBERED, CLASSES[1], REMEMBERED]),
        (floats[3:], [CLASSES[2]]),
    ]
    answers = answer_all(detector, [request(clips, *machines) for clips, machines in asked])
    assert detector.calls == [(4, "int16"), (3, "float32")]
    for answer, (clips, machines) in zip(answers, asked, strict=True):
        assert same(answer, detector.score(clips, machines))


def test_a_bad_request_alone_hears_of_it(detector: Counting) -> None:
    good = request(SOUNDS[:2], REMEMBERED, CLASSES[0])
    unsound = np.multiply(SOUNDS[:1], np.float32(1 / 32768), dtype=np.float32)
    unsound[0, 7] = np.inf
    names = np.array([[REMEMBERED.encode()]], object)
    bad = {
        "machine press/id_10 is not known": request(SOUNDS[:2], REMEMBERED, "press/id_10"),
        "samples hold NaN or infinity": request(unsound, REMEMBERED),
        "samples reach a magnitude of": request(SOUNDS[:1].astype(np.float32), REMEMBERED),
        r"waveforms has shape \[1, 9\]; expected": request(SOUNDS[:1, :9], REMEMBERED),
        r"waveforms has shape \[1, 0\]": request(SOUNDS[:1, :0], REMEMBERED),
        "machine is not UTF-8": request(SOUNDS[:1], b"\xff"),
        "1 machine for 2 clips": request(SOUNDS[:2], REMEMBERED),
        "the request holds neither of the inputs": Request(None, None, names),
        "the request holds both inputs": Request(unsound, SOUNDS[:1], names),
        "the request holds no machine": Request(None, SOUNDS[:1], None),
    }
    answers = answer_all(detector, [good, *bad.values(), good])
    assert detector.calls == [(4, "int16")]
    right = detector.score(SOUNDS[:2], [REMEMBERED, CLASSES[0]])
    assert same(answers[0], right)
    assert same(answers[-1], right)
    for answer, sentence in zip(answers[1:-1], bad, strict=True):
        with pytest.raises(OssclError, match=f"^{sentence}"):
            raise answer if isinstance(answer, OssclError) else AssertionError(answer)


def test_a_device_that_fails_is_told_to_all(detector: Counting) -> None:
    detector.close()
    answers = answer_all(detector, [request(SOUNDS[:1], REMEMBERED), request(SOUNDS[:1], CLASSES[0])])
    assert [type(answer) for answer in answers] == [BackendError, BackendError]


def test_nothing_asked_is_nothing_answered(detector: Counting) -> None:
    assert answer_all(detector, []) == []
    assert detector.calls == []


def test_a_clip_of_which_nothing_is_decided_is_unknown(detector: Counting) -> None:
    silent = np.zeros((1, 160_000), np.int16)
    clips = np.concatenate([SOUNDS[[0, 2, 0]], silent])
    [answer] = answer_all(detector, [request(clips, REMEMBERED, REMEMBERED, CLASSES[0], REMEMBERED)])
    assert isinstance(answer, Scores)
    found = {name: values.ravel().tolist() for name, values in outputs(answer).items()}
    assert found["decision"] == ["normal", "anomaly", "unknown", "anomaly"]
    assert np.isnan(found["p_value"]).tolist() == [False, False, True, False]
    assert np.isnan(found["threshold"]).tolist() == [False, False, True, False]
    assert found["rule"] == ["memory", "memory", "network", "memory"]
    assert found["quality"][0] == ""
    assert "hardly any sound" in found["quality"][3]


# What Triton tells


@pytest.fixture
def version(tmp_path: Path, small_model: Path) -> Path:
    """The folder of a model's version, with a model file in it."""
    folder = tmp_path / "small" / "1"
    folder.mkdir(parents=True)
    shutil.copyfile(small_model, folder / "model.onnx")
    return folder


def told(version: Path, kind: str = "CPU", **parameters: str) -> dict[str, str]:
    """What the Python backend hands to a model."""
    config = {"parameters": {name: {"string_value": value} for name, value in parameters.items()}}
    return {
        "model_config": json.dumps(config),
        "model_instance_kind": kind,
        "model_instance_device_id": "3",
        "model_repository": str(version.parent),
        "model_version": version.name,
    }


def test_a_model_is_opened_as_its_parameters_say(version: Path) -> None:
    words = {"rule": "memory", "false_alarm_rate": "0.25", "backend": "onnxruntime"}
    with open_detector(told(version, **words)) as detector:
        assert detector.judges.rule_of(REMEMBERED) == "memory"
        assert detector.judges.of(REMEMBERED).rate == 0.25
    with open_detector(told(version, threads="2", streams="1")) as detector:
        assert (detector.facts["threads"], detector.facts["streams"]) == (2, 1)
        assert detector.facts["device"] == "cpu"
    with pytest.raises(ConfigError, match="threads is 0"):
        open_detector(told(version, threads="0"))


def test_an_instance_on_a_gpu_never_falls_back_to_the_cpu(version: Path) -> None:
    with pytest.raises((DeviceError, MissingExtraError, BackendError), match=r"cuda:3|package|driver"):
        open_detector(told(version, kind="GPU"))
