"""Running an engine, and opening one: looked up, built, confirmed, loaded."""

import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from osscl.backends.tensorrt import opening
from osscl.backends.tensorrt.builder import BuildStopped, BuiltPlan
from osscl.backends.tensorrt.cache import EngineCache
from osscl.backends.tensorrt.engine import PlanRefused, TensorRtEngine
from osscl.backends.tensorrt.heavy_nodes import heavy_nodes
from osscl.backends.tensorrt.options import BuildOptions
from osscl.backends.tensorrt.package import check_version, import_tensorrt
from osscl.cuda.devices import count_devices, open_device
from osscl.errors import BackendError, DeviceError, DeviceMemoryError, MissingExtraError
from osscl.model_file.bundle import in_memory_bundle, read_bundle
from support.standin_gpu import standin_driver
from support.tensorrt_standin import StandIn

BUNDLE = read_bundle("demo")
ADDRESSES = {"waveform": 100, "log_mel": 200, "embedding": 300, "cosine": 400}
OPTIONS = BuildOptions(opt_batch=8, max_batch=32)
STREAM = 77


@pytest.fixture(autouse=True)
def _card() -> Iterator[None]:
    standin_driver().reset()
    count_devices()
    device = open_device(0)
    with device.active():
        yield
    device.close()


@pytest.fixture
def trt() -> StandIn:
    module = StandIn()
    module.layers = [
        {"Name": name, "LayerType": "CaskConvolution", "Weights": {"Type": "Float", "Count": 1}}
        for name in heavy_nodes(BUNDLE.model)
    ]
    return module


def load(trt: StandIn) -> TensorRtEngine:
    return TensorRtEngine(trt, b"plan", BUNDLE.manifest.inputs, 32, STREAM, {"backend": "tensorrt"})


@pytest.fixture
def engine(trt: StandIn) -> TensorRtEngine:
    loaded = load(trt)
    trt.calls.clear()
    return loaded


def test_a_batch_is_queued_on_the_stream_once_shapes_and_addresses_are_set(
    trt: StandIn, engine: TensorRtEngine
) -> None:
    engine.enqueue(ADDRESSES, 5)
    assert trt.calls == [
        ("set_input_shape", "waveform", (5, 160_000)),
        ("set_input_shape", "log_mel", (5, 128, 313)),
        *(("set_tensor_address", name, address) for name, address in ADDRESSES.items()),
        ("execute_async_v3", STREAM),
    ]


def test_what_did_not_change_is_not_set_again(trt: StandIn, engine: TensorRtEngine) -> None:
    engine.enqueue(ADDRESSES, 5)
    trt.calls.clear()
    engine.enqueue(ADDRESSES, 5)
    assert trt.calls == [("execute_async_v3", STREAM)]
    engine.enqueue(ADDRESSES | {"cosine": 401}, 6)
    assert [call[:2] for call in trt.calls[1:]] == [
        ("set_input_shape", "waveform"),
        ("set_input_shape", "log_mel"),
        ("set_tensor_address", "cosine"),
        ("execute_async_v3", STREAM),
    ]


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("set_input_shape", r"refuses a batch of 33 clips, the engine takes 1 to 32: not in the profile"),
        ("set_tensor_address", r"refuses the address of waveform: not in the profile"),
        ("execute_async_v3", r"cannot compute a batch of 33 clips: not in the profile"),
    ],
)
def test_every_refusal_is_an_error_with_the_reason(
    trt: StandIn, engine: TensorRtEngine, what: str, says: str
) -> None:
    trt.failing[what] = "not in\n the profile"
    with pytest.raises(DeviceError, match=says) as raised:
        engine.enqueue(ADDRESSES, 33)
    assert not isinstance(raised.value, DeviceMemoryError)
    trt.failing.clear()
    trt.calls.clear()
    engine.enqueue(ADDRESSES, 33)  # nothing that was refused counts as set
    assert {call[0] for call in trt.calls} >= {what}


def test_less_clips_are_no_remedy_where_all_memory_is_there(trt: StandIn, engine: TensorRtEngine) -> None:
    trt.failing["execute_async_v3"] = "CUDA out of memory"
    with pytest.raises(DeviceError, match="cannot compute a batch of 5 clips: CUDA out of memory") as raised:
        engine.enqueue(ADDRESSES, 5)
    assert not isinstance(raised.value, DeviceMemoryError)
    trt.failing["execute_async_v3"] = "launch failure"
    with pytest.raises(DeviceError, match="clips: launch failure"):  # what was said before is forgotten
        engine.enqueue(ADDRESSES, 5)


def test_what_is_recorded_has_a_context_of_its_own_and_the_same_memory(
    trt: StandIn, engine: TensorRtEngine
) -> None:
    (memory,) = {call for call in trt.made if call[0] == "set_device_memory"}
    trt.made.clear()
    queue_again = engine.recordable(ADDRESSES, 5)
    assert trt.made == [("create_execution_context",), memory]
    assert {call[0] for call in trt.calls} == {"set_input_shape", "set_tensor_address"}
    trt.calls.clear()
    queue_again()
    engine.enqueue({name: address + 1 for name, address in ADDRESSES.items()}, 6)
    trt.calls.clear()
    queue_again()
    assert trt.calls == [("execute_async_v3", STREAM)]


def test_a_closed_engine_leaves_no_memory_taken(trt: StandIn) -> None:
    before = standin_driver().memory_used()
    loaded = load(trt)
    assert standin_driver().memory_used() == before + 4096
    loaded.close()
    assert standin_driver().memory_used() == before


def test_a_plan_of_another_card_is_refused(trt: StandIn) -> None:
    trt.failing["deserialize_cuda_engine"] = "compiled for compute capability 8.9"
    with pytest.raises(PlanRefused, match=r"made for another card or by another TensorRT: compiled for"):
        load(trt)


@pytest.mark.parametrize("what", ["deserialize_cuda_engine", "create_execution_context"])
def test_an_engine_that_does_not_fit_says_so(trt: StandIn, what: str) -> None:
    trt.failing[what] = "Error Code 2: OutOfMemory"
    with pytest.raises(DeviceMemoryError, match="memory does not hold"):
        load(trt)
    assert standin_driver().memory_used() == 0


def test_a_runtime_that_cannot_be_made_is_one_error(trt: StandIn) -> None:
    trt.failing["Runtime"] = "CUDA initialization failure"
    with pytest.raises(
        BackendError, match=r"10\.16\.1\.11 cannot make a runtime: CUDA initialization failure"
    ):
        load(trt)
    trt.failing["Runtime"] = "Error Code 2: OutOfMemory"
    with pytest.raises(DeviceMemoryError, match="cannot make a runtime: Error Code 2"):
        load(trt)


def test_layers_are_described_for_a_batch_of_known_size(trt: StandIn, engine: TensorRtEngine) -> None:
    assert "CaskConvolution" in engine.describe_layers(8)
    assert trt.calls == [
        ("set_input_shape", "waveform", (8, 160_000)),
        ("set_input_shape", "log_mel", (8, 128, 313)),
    ]


class Card:
    """A GPU that remembers which threads it was active in."""

    name = "NVIDIA H200"
    compute_capability = (9, 0)
    driver_version = "12.2"

    def __init__(self) -> None:
        self.threads: list[int] = []
        self._device = open_device(0)

    def activate(self) -> None:
        self.threads.append(threading.get_ident())
        self._device.activate()


class Opener:
    """Opens the demonstration model with a builder that gives a numbered plan."""

    def __init__(self, trt: StandIn, folder: Path) -> None:
        self.trt, self.cache, self.card = trt, EngineCache(folder), Card()
        self.builds: list[dict[str, Any]] = []
        self.bundle = BUNDLE

    def build(
        self, trt: Any, graph: bytes, inputs: Any, outputs: Any, options: Any, **more: Any
    ) -> BuiltPlan:
        self.builds.append({"graph": graph, "options": options, "thread": threading.get_ident()} | more)
        more["on_progress"]("Building engine", 1, 1)
        return BuiltPlan(b"plan %d" % len(self.builds), b"timings %d" % len(self.builds))

    def open(self) -> TensorRtEngine:
        return opening.open_tensorrt_engine(
            self.bundle, self.card, STREAM, OPTIONS, self.cache, lambda phase, done, total: None
        )


@pytest.fixture
def opener(trt: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Opener:
    made = Opener(trt, tmp_path / "engines")
    monkeypatch.setattr(opening, "import_tensorrt", lambda: trt)
    monkeypatch.setattr(opening, "build_plan", made.build)
    return made


def test_an_engine_is_built_confirmed_and_kept(opener: Opener) -> None:
    first, second = opener.open(), opener.open()
    (build,) = opener.builds
    assert (build["graph"], build["options"]) == (BUNDLE.model, OPTIONS)
    assert first.max_batch == 32
    assert first.facts["engine_built"] == "yes: it is not in the cache"
    assert second.facts == {
        "backend": "tensorrt",
        "backend_version": "10.16.1.11",
        "engine": str(next(opener.cache.folder.glob("*.engine"))),
        "engine_built": "no",
    }
    sidecar, _ = opener.cache.read(next(opener.cache.folder.glob("*.engine")).stem)
    assert {layer.nodes[0] for layer in sidecar.layers} == set(heavy_nodes(BUNDLE.model))


def test_the_card_is_active_in_the_thread_that_builds(opener: Opener) -> None:
    opener.open()
    assert opener.builds[0]["thread"] in opener.card.threads
    assert opener.builds[0]["thread"] != threading.get_ident()


def test_timings_are_kept_for_the_next_build(opener: Opener) -> None:
    opener.open()
    opener.cache.remove(next(opener.cache.folder.glob("*.engine")).stem)
    opener.open()
    assert [build["timing_cache"] for build in opener.builds] == [b"", b"timings 1"]
    timings = opener.cache.folder / "timings-10.16.1.11-9.0"
    assert timings.read_bytes() == b"timings 2"
    timings.chmod(0o666)
    opener.cache.remove(next(opener.cache.folder.glob("*.engine")).stem)
    opener.open()
    assert opener.builds[-1]["timing_cache"] == b""


def test_an_engine_in_another_precision_is_an_error_and_not_kept(opener: Opener) -> None:
    opener.trt.layers[3]["TacticName"] = "sm80_xmma_fprop_implicit_gemm_f32f32_tf32f32_f32"
    with pytest.raises(BackendError, match="in tf32 instead of fp32"):
        opener.open()
    assert list(opener.cache.folder.glob("*.engine")) == []


def test_a_model_whose_graph_has_another_precision_is_refused_before_the_build(opener: Opener) -> None:
    opener.bundle = in_memory_bundle(BUNDLE.model, replace(BUNDLE.manifest, precision="bf16"))
    with pytest.raises(BackendError, match="bf16, but its graph is not"):
        opener.open()
    assert opener.builds == []


def test_an_engine_that_tensorrt_refuses_is_rebuilt_once(opener: Opener) -> None:
    opener.open()
    opener.trt.loads = lambda plan: plan != b"plan 1"
    engine = opener.open()
    assert len(opener.builds) == 2
    assert engine.facts["engine_built"].startswith("yes")
    opener.trt.loads = lambda plan: False
    with pytest.raises(PlanRefused, match="made for another card"):
        opener.open()
    assert len(opener.builds) == 3


def test_ctrl_c_reaches_the_caller_once_the_build_has_stopped(
    opener: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(*_: Any, **more: Any) -> BuiltPlan:
        signal.raise_signal(signal.SIGINT)
        while not more["is_stopped"]():
            pass
        opener.builds.append({})
        raise BuildStopped

    monkeypatch.setattr(opening, "build_plan", build)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # the tests may ignore it
    try:
        with pytest.raises(KeyboardInterrupt):
            opener.open()
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(opener.builds) == 1
    assert list(opener.cache.folder.glob("*.engine")) == []


def test_a_missing_package_says_what_to_install() -> None:
    with pytest.raises(
        MissingExtraError, match=r'tensorrt, which is not installed: pip install "osscl\[tens'
    ):
        import_tensorrt()


@pytest.mark.parametrize("version", ["10.16.0", "10.16.1.11", "10.17", "11.4.0.106", "11.99"])
def test_versions_from_10_16_to_below_12_will_do(version: str) -> None:
    check_version(version)


@pytest.mark.parametrize("version", ["8.6.1", "10.15.1", "12.0.0", "12", "unknown"])
def test_other_versions_are_refused_in_one_sentence(version: str) -> None:
    with pytest.raises(BackendError, match=f"TensorRT {version} is installed; osscl needs 10.16 or newer"):
        check_version(version)
