"""What is asked of a computation: checked at once, written down, carried to other processes."""

import json
import math
import pickle
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osscl.backends import BACKENDS, DEFAULT_OPTIONS, ComputeOptions, choice
from osscl.errors import ConfigError

ASKED = ComputeOptions("cuda:0,1", "tensorrt", threads=6, streams=3, batch_size=8, engine_cache="/engines")


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"device": "gpu"}, ConfigError, "device 'gpu' does not exist; choose auto, cpu, cuda"),
        ({"backend": "caffe"}, ConfigError, "backend 'caffe' does not exist; choose one of: onnxruntime"),
        ({"threads": 0}, ConfigError, "threads is 0; it must be at least 1"),
        ({"streams": 4}, ConfigError, "streams is 4 for 6 threads; it must divide the number of threads"),
        ({"batch_size": 0}, ConfigError, "batch_size is 0; it must be at least 1"),
        ({"batch_size": 65_536}, ConfigError, "batch_size is 65536; it must be at most 65535"),
        ({"threads": 10**12}, ConfigError, "threads is 1000000000000; it must be at most 4096"),
        ({"streams": 10**12}, ConfigError, "streams is 1000000000000 for 6 threads"),
        ({"device": 3}, ConfigError, "device '3' does not exist; choose auto, cpu, cuda"),
        ({"backend": ["openvino"]}, ConfigError, "does not exist; choose one of: onnxruntime"),
        ({"engine_cache": 3}, ConfigError, "engine_cache is 3; expected the path of a folder"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_opened(
    changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        replace(ASKED, **changes)


@pytest.mark.parametrize("name", ["threads", "streams", "batch_size"])
@pytest.mark.parametrize("value", [2.5, 2.0, "3", True, math.nan, [2]])
def test_what_is_no_whole_number_is_refused(name: str, value: object) -> None:
    with pytest.raises(ConfigError, match=f"^{name} is {re.escape(repr(value))}; expected a whole number$"):
        ComputeOptions(**{name: value})  # type: ignore[arg-type]


def test_whole_numbers_of_numpy_become_plain_ones() -> None:
    options = ComputeOptions("cpu", threads=np.int64(6), streams=np.uint8(3), batch_size=np.int16(8))  # type: ignore[arg-type]
    assert json.loads(json.dumps(options.record())) == options.record()
    assert options == ComputeOptions("cpu", threads=6, streams=3, batch_size=8)


def test_the_record_is_json_that_makes_the_same_options() -> None:
    for options in (ASKED, DEFAULT_OPTIONS):
        assert ComputeOptions(**json.loads(json.dumps(options.record()))) == options


def test_options_pickle_without_what_belongs_to_their_process() -> None:
    shown = replace(ASKED, on_build=lambda *_: None)  # a function that no pickle can hold
    copy = pickle.loads(pickle.dumps(shown))
    assert copy == ASKED
    assert copy.on_build is None


def test_a_folder_of_engines_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert ComputeOptions(engine_cache=Path("engines")).engine_cache == str(tmp_path / "engines")


def test_every_backend_that_can_be_named_can_be_opened() -> None:
    assert set(BACKENDS) == {*choice._CPU, *choice._CUDA}
