"""The TensorRT backend as a whole: probed, built, kept, opened, run; with stand-ins for card and engine."""

import logging
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import osscl
from osscl.backends import Backend, ComputeOptions, open_backend
from osscl.backends.tensorrt import opening
from osscl.backends.tensorrt.builder import BuiltPlan
from osscl.backends.tensorrt.heavy_nodes import heavy_nodes
from osscl.errors import DeviceError, DeviceMemoryError
from osscl.model_file.bundle import read_bundle
from osscl.model_file.golden import golden_clips
from support.host_kernels import host_kernels
from support.standin_gpu import StandInDriver, cards_that_get_all_back
from support.tensorrt_standin import StandIn

BUNDLE = read_bundle("demo")
CLIPS = golden_clips(2)


@pytest.fixture
def driver() -> Iterator[StandInDriver]:
    with cards_that_get_all_back(2) as loaded:
        loaded.add_front_end(host_kernels())
        yield loaded


@pytest.fixture
def trt(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    module = StandIn()
    module.layers = [
        {"Name": name, "LayerType": "CaskConvolution", "Weights": {"Type": "Float", "Count": 1}}
        for name in heavy_nodes(BUNDLE.model)
    ]

    def build(trt: Any, graph: bytes, inputs: Any, outputs: Any, options: Any, **more: Any) -> BuiltPlan:
        more["on_progress"]("Building engine", 1, 2)
        module.calls.append(("build", options.opt_batch, options.max_batch))
        if options.max_batch > 4:
            raise DeviceMemoryError("the build does not fit")
        return BuiltPlan(b"plan", b"timings")

    monkeypatch.setattr(opening, "import_tensorrt", lambda: module)
    monkeypatch.setattr(opening, "build_plan", build)
    return module


def opened(tmp_path: Path, device: str = "cuda", **options: Any) -> Backend:
    asked = ComputeOptions(device, "tensorrt", threads=1, engine_cache=tmp_path / "engines", **options)
    return open_backend(BUNDLE, asked)


def test_an_engine_is_built_once_and_run_on_what_the_front_end_wrote(
    driver: StandInDriver, trt: StandIn, tmp_path: Path
) -> None:
    steps: list[tuple[str, int, int]] = []
    with closing(opened(tmp_path, batch_size=2, on_build=lambda *step: steps.append(step))) as backend:
        assert steps == [("Building engine", 1, 2)]
        assert backend.facts["backend"] == "tensorrt"
        assert backend.facts["engine_built"] == "yes: it is not in the cache"
        assert backend.facts["front_end"] == "cuda"
        assert backend.facts["device"] == "cuda:0"
        trt.calls.clear()
        outputs = [backend.collect(backend.submit(CLIPS)) for _ in range(7)]
        assert trt.calls.count(("execute_async_v3", trt.calls[-1][1])) >= 3
        assert driver.count("graph_launches") > 0
        assert outputs[0].embedding.shape == (2, 128)
        assert np.isnan(outputs[0].cosine).all()  # the stand-in computes nothing: nobody else did either
    with closing(opened(tmp_path, batch_size=2)) as backend:
        assert backend.facts["engine_built"] == "no"
        assert len(steps) == 1


def test_a_build_that_does_not_fit_is_tried_with_smaller_batches(
    driver: StandInDriver, trt: StandIn, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "osscl"), closing(opened(tmp_path, batch_size=16)) as backend:
        assert backend.max_batch == 4
    assert [call[1:] for call in trt.calls if call[0] == "build"] == [(16, 16), (8, 8), (4, 4)]
    assert "batches of 16 clips do not fit, going on with 8: the build does not fit" in caplog.text


def test_each_card_of_several_opens_the_engine(driver: StandInDriver, trt: StandIn, tmp_path: Path) -> None:
    with closing(opened(tmp_path, "cuda:all", batch_size=2)) as backend:
        assert backend.facts["device"] == "cuda:0 | cuda:1"
    # a stand-in's name holds its number, so that each is another kind of card
    assert len([call for call in trt.calls if call[0] == "build"]) == 2


def test_nothing_of_tensorrt_is_made_without_a_card(
    driver: StandInDriver, trt: StandIn, tmp_path: Path
) -> None:
    driver.reset(devices=0)
    with pytest.raises(DeviceError, match="device 'cuda' was asked for, but the NVIDIA driver finds no GPU"):
        opened(tmp_path)
    assert trt.calls == trt.made == []


def test_load_passes_the_folder_of_engines_on(driver: StandInDriver, trt: StandIn, tmp_path: Path) -> None:
    options: dict[str, Any] = {"device": "cuda:1", "backend": "tensorrt", "batch_size": 1}
    with osscl.load("demo", **options, engine_cache=tmp_path / "mine") as detector:
        assert Path(detector.facts["engine"]).parent == tmp_path / "mine"
