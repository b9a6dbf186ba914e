"""The benchmark of a GPU: on a stand-in for the driver; engine and front end run on the host."""

import ctypes
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace as changed
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import onnxruntime
import pytest
from msgspec.structs import replace

from osscl import frontend
from osscl.backends import ComputeOptions, choice, options
from osscl.bench import (
    AccuracyRequest,
    Benchmark,
    BenchmarkPlan,
    card_ceilings,
    card_lines,
    card_stages,
    clock,
    product_model,
    run_benchmark,
)
from osscl.bench.card_ceilings import CardCeilings
from osscl.bench.card_stages import (
    CardBatch,
    CardEngine,
    CardFrontEnd,
    CardNetwork,
    watched,
)
from osscl.bench.lines import Line
from osscl.bench.rounds import Repetition, Work
from osscl.cli.bench_table import print_benchmark
from osscl.cuda.device import Stream
from osscl.cuda.devices import count_devices, open_device
from osscl.cuda.front_end import CudaFrontEnd
from osscl.errors import ConfigError, DeviceMemoryError
from osscl.model_file.bundle import Bundle, graph_sha256, write_bundle
from osscl.model_file.golden import golden_clips
from osscl.scoring.task import readers_for
from support.audio_files import encoded
from support.host_kernels import host_kernels
from support.model_files import tiny_bundle
from support.standin_gpu import (
    ENGINE_S,
    HostCard,
    StandInDriver,
    cards_that_get_all_back,
    open_card,
    open_timed_card,
    standin_driver,
)

CLIPS = list(golden_clips(3))
PRODUCT_SIZE = 128
PLAN = BenchmarkPlan(n_clips=3, seconds=0.05, compute=ComputeOptions("cuda:1", threads=2, batch_size=4))
_HostFunction = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


def asked(**changes: Any) -> BenchmarkPlan:
    """The plan, the model computed otherwise."""
    return changed(PLAN, compute=changed(PLAN.compute, **changes))


def slow_front_end(monkeypatch: pytest.MonkeyPatch, seconds: float) -> list[Any]:
    """Let a card's front end take so much simulated time a call; the list grows by one with each call."""
    enqueue = CudaFrontEnd.enqueue
    calls: list[Any] = []

    def enqueue_slowly(self: CudaFrontEnd, *arguments: Any, stream: Stream, **named: Any) -> None:
        calls.append(_HostFunction(lambda _: standin_driver().pass_time(seconds)))
        library = standin_driver().library
        assert library.cuLaunchHostFunc(ctypes.c_void_p(stream.handle), calls[-1], None) == 0
        enqueue(self, *arguments, stream=stream, **named)

    monkeypatch.setattr(CudaFrontEnd, "enqueue", enqueue_slowly)
    return calls


@pytest.fixture
def driver() -> Iterator[StandInDriver]:
    with cards_that_get_all_back(2) as loaded:
        yield loaded


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return tiny_bundle()


@pytest.fixture
def model(bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model file; on GPUs it is computed by the stand-in, and in sizes that the host can manage."""
    path = tmp_path / "tiny.onnx"
    write_bundle(path, bundle.model, bundle.manifest)
    entry = choice._Entry("gpu.card", "Card", lambda: True)
    load = choice._Entry.load
    monkeypatch.setattr(choice._Entry, "load", lambda self: HostCard if self == entry else load(self))
    monkeypatch.setitem(choice._CUDA, "tensorrt", entry)
    monkeypatch.setattr(card_ceilings, "SIZE", PRODUCT_SIZE)
    monkeypatch.setattr(card_lines, "CARD_FRONT_END_BATCHES", (1, 2))
    monkeypatch.setattr(card_stages, "_N_IN_GRAPH", 3)
    return path


def lines(found: Benchmark) -> list[tuple[str, int | None, int, str | None]]:
    return [(line.stage, line.threads, line.batch_size, line.memory) for line in found.measurements]


def test_every_stage_is_measured_and_its_figures_agree(driver: StandInDriver, model: Path) -> None:
    steps: list[str] = []
    found = run_benchmark(model, PLAN, lambda what, _: steps.append(what))
    assert lines(found) == [
        ("front_end", None, 1, None),
        ("front_end", None, 2, None),
        ("front_end", None, 4, None),
        *(("decode", readers, 1, None) for readers in dict.fromkeys((1, readers_for(2, 1)))),
        ("engine", None, 1, None),
        ("engine", None, 4, None),
        ("network", None, 1, "pinned"),
        ("network", None, 4, "pinned"),
        ("network", None, 1, "pageable"),
        ("network", None, 4, "pageable"),
        ("end_to_end", 2, 4, None),
        ("latency", None, 1, None),
    ]
    (product,), copies = found.matrix_product, found.copies
    assert copies is not None
    assert (product.precision, product.threads, product.size) == ("fp32", None, PRODUCT_SIZE)
    assert 0.0 < product.gflop_per_s <= product.best_gflop_per_s
    assert copies.n_bytes == 4 * 160_000 * 2
    assert 0.0 < copies.gb_per_s <= copies.best_gb_per_s
    assert copies.best_gb_per_s * 1e9 == pytest.approx(copies.best_clips_per_s * 320_000)
    for line in found.measurements:
        assert line.clips_per_s * line.ms_per_clip == pytest.approx(1000.0)
        assert line.n_calls >= line.n_repetitions >= 1
        gflop_per_s = line.clips_per_s * found.model.gflop_per_clip
        is_network = line.stage in ("engine", "network", "end_to_end")
        assert line.peak_share == (
            pytest.approx(gflop_per_s / product.best_gflop_per_s) if is_network else None
        )
        is_fed = line.stage in ("network", "end_to_end")
        assert (line.copy_share is not None) == (line.idle_share is not None) == is_fed
        if line.copy_share is not None:
            assert line.copy_share == pytest.approx(line.clips_per_s / copies.best_clips_per_s)
    assert found.computed_by["front_end"] == "cuda"
    gpu = found.machine.gpu
    assert gpu is not None
    assert (gpu.device, gpu.name, gpu.compute_capability, gpu.driver) == (
        "cuda:1",
        "Stand-in 1",
        "9.0",
        "13.0",
    )
    assert gpu.memory_bytes == 4 * 2**30
    assert steps.count("repetitions") == 5 * (len(found.measurements) + 2)
    assert msgspec.json.decode(msgspec.json.encode(found), type=Benchmark) == found


def test_a_card_without_a_front_end_is_measured_with_the_host_s(
    driver: StandInDriver, model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OSSCL_CUDA", "off")
    found = run_benchmark(model, asked(threads=1), lambda *_: None)
    assert lines(found) == [
        *(("front_end", 1, size, None) for size in (1, 8, 32)),
        ("decode", 1, 1, None),
        ("engine", None, 1, None),
        ("engine", None, 4, None),
        ("network", 1, 1, "pageable"),
        ("network", 1, 4, "pageable"),
        ("end_to_end", 1, 4, None),
        ("latency", 1, 1, None),
    ]
    print_benchmark(found)
    assert "front end native, OSSCL_CUDA is off" in " ".join(capsys.readouterr().out.split())


def test_the_table_tells_of_the_card(
    driver: StandInDriver, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    print_benchmark(run_benchmark(model, PLAN, lambda *_: None))
    printed = " ".join(capsys.readouterr().out.split())
    for part in (
        "stage threads batch ms a clip clips/s p50 ms p95 ms p99 ms of peak of copies idle calls",
        "engine alone 4",
        "network, pinned 4",
        "computed by host 1, batches of 4 clips at most; front end cuda",
        "GPU cuda:1, Stand-in 1, compute capability 9.0, 4 GiB; driver for CUDA 13.0",
        "peak fp32 matrix product by host, best repetition: ",
        "copies of 1.3 MB from pinned memory, best repetition: ",
    ):
        assert part in printed


def test_log_mel_of_a_card_is_fetched(driver: StandInDriver, model: Path, bundle: Bundle) -> None:
    settings = bundle.manifest.front_end.settings
    driver.add_front_end(host_kernels())
    count_devices()
    with closing(open_device(0)) as device, device.active(), ExitStack() as opened:
        batch = CardBatch(np.stack(CLIPS), settings, opened)
        batch.transform()
        got = batch.fetch()
    assert np.abs(got - frontend.log_mel(np.stack(CLIPS), settings)).max() < 1e-2


def test_the_front_end_of_a_card_is_timed_call_by_call(
    driver: StandInDriver, model: Path, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow_front_end(monkeypatch, 0.2)
    driver.add_front_end(host_kernels())
    driver.simulate_time()
    count_devices()
    with closing(open_device(0)) as device:
        done = CardFrontEnd(device, CLIPS, bundle.manifest.front_end.settings, 2).run(0.0)
    assert done.n_clips == 6
    assert done.elapsed_s == pytest.approx(3 * 0.2)


def test_ceilings_are_told_in_the_units_of_their_names(
    driver: StandInDriver, model: Path, bundle: Bundle
) -> None:
    with closing(open_card(bundle, batch_size=4)) as card, ExitStack() as opened:
        ceilings = CardCeilings(card, 1.0, opened)
        copies, products = ceilings.works
        copies.done += [Repetition(4000, 2.0), Repetition(8000, 2.0), Repetition(2000, 2.0)]
        products.done += [Repetition(10, 2.0), Repetition(30, 2.0), Repetition(2, 2.0)]
    (product,) = ceilings.products()
    assert product.gflop_per_s == pytest.approx(5 * 16 * 2 * PRODUCT_SIZE**3 / 1e9)
    assert product.best_gflop_per_s == pytest.approx(3 * product.gflop_per_s)
    assert product.n_products == 16 * 42
    found = ceilings.copies()
    assert found.gb_per_s == pytest.approx(2000 * 320_000 / 1e9)
    assert found.best_gb_per_s == pytest.approx(2 * found.gb_per_s)
    assert found.best_clips_per_s == 4000


def test_the_engine_alone_is_timed_without_what_leads_to_it(
    driver: StandInDriver, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = slow_front_end(monkeypatch, 0.1)
    monkeypatch.setattr(clock, "now", driver.now_s)
    with closing(open_timed_card(bundle, batch_size=2)) as card:
        alone = CardEngine(card, np.stack(CLIPS[:2])).run(0.2)
        assert len(calls) == card.n_in_flight  # the clips that it computes on were brought there
    # before each call that is timed there is one that is not
    assert alone.n_clips == 2 * 5
    assert alone.elapsed_s == pytest.approx(5 * ENGINE_S)


def test_the_idle_share_is_the_time_without_the_engine(
    driver: StandInDriver, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OSSCL_CUDA", "off")
    monkeypatch.setattr(clock, "now", driver.now_s)
    with closing(open_timed_card(bundle, batch_size=2)) as card:

        def dawdle() -> Repetition:
            start = clock.now()
            card.collect(card.submit(np.stack(CLIPS[:2])))
            driver.pass_time(4 * ENGINE_S)
            return Repetition(2, clock.now() - start)

        busy = Work(CardNetwork(card, CLIPS, 2, is_pinned=False).run, 1.0)
        busy.done.append(busy.run(20 * ENGINE_S))
        idle = Work(lambda _: watched(card, dawdle), 1.0)
        idle.done.append(idle.run(0.0))
        assert Work(lambda _: dawdle(), 1.0, [dawdle()]).idle_share is None
    assert busy.done[0].n_clips >= 2 * 20
    assert busy.idle_share == pytest.approx(0.0, abs=1e-6)
    assert idle.idle_share == pytest.approx(4 / 5)


def test_pinned_batches_are_copied_by_the_card_and_given_back(
    driver: StandInDriver, model: Path, bundle: Bundle
) -> None:
    with closing(open_card(bundle, batch_size=2)) as card:
        for is_pinned, used, other in (
            (True, "pinned_copies", "staged_copies"),
            (False, "staged_copies", "pinned_copies"),
        ):
            before = driver.count(used), driver.count(other)
            CardNetwork(card, CLIPS, 2, is_pinned).run(0.01)
            assert driver.count(used) > before[0]
            assert driver.count(other) == before[1]
        lent = [card.lend_batch(2) for _ in range(6)]
        assert all(batch is not None for batch in lent)
        lent.clear()


def test_int8_has_no_peak(driver: StandInDriver, model: Path, bundle: Bundle) -> None:
    int8 = changed(bundle, manifest=replace(bundle.manifest, precision="int8"))
    with closing(open_card(int8, batch_size=1)) as card, ExitStack() as opened:
        ceilings = CardCeilings(card, 1.0, opened)
        assert len(ceilings.works) == 1
        assert ceilings.products() == ()
        assert ceilings.peak_gflop_per_s(Line("engine", lambda _: Repetition(1, 1.0), None)) is None


def test_products_that_do_not_fit_give_all_memory_back(
    driver: StandInDriver, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(card_ceilings, "SIZE", 1024)
    driver.reset(devices=2, memory=16 * 2**20)
    with pytest.raises(DeviceMemoryError):
        run_benchmark(model, asked(batch_size=1), lambda *_: None)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"device": "cuda:0,1"}, "device 'cuda:0,1' stands for several GPUs, and a benchmark measures one"),
        ({"streams": 2}, "streams is 2, but cuda:1 has no processors to share out; leave --streams out"),
    ],
)
def test_what_a_card_cannot_do_is_refused(
    driver: StandInDriver, model: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        run_benchmark(model, asked(**changes), lambda *_: None)


def test_the_accuracy_gate_compares_the_card_with_the_cpu(
    driver: StandInDriver, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the stand-in's engine tells its own name, by which the gate asks for it
    monkeypatch.setitem(choice._CUDA, "host", choice._CUDA["tensorrt"])
    monkeypatch.setattr(options, "BACKENDS", (*options.BACKENDS, "host"))
    folder = tmp_path / "fan" / "test"
    folder.mkdir(parents=True)
    for number, clip in enumerate(CLIPS):
        (folder / f"normal_id_00_{number:08d}.wav").write_bytes(encoded(clip))
    found = run_benchmark(model, changed(PLAN, accuracy=AccuracyRequest(tmp_path)), lambda *_: None)
    assert found.accuracy is not None
    assert found.accuracy.reference == "the same model by the CPU's preferred backend"
    assert (found.accuracy.measured.backend, found.accuracy.measured.n_clips) == ("host 1", 3)
    assert found.accuracy.measured.score_error < 1e-4


@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-5), ("fp16", 0.02)])
def test_the_model_of_products_multiplies(bundle: Bundle, precision: str, tolerance: float) -> None:
    made = product_model.product_bundle(replace(bundle.manifest, precision=precision), 64)
    matrix = np.random.default_rng(5).standard_normal((2, 64, 64), np.float32)
    session = onnxruntime.InferenceSession(made.model, providers=["CPUExecutionProvider"])
    got = session.run(["embedding", "cosine"], {"waveform": matrix.reshape(2, -1)})
    expected = matrix
    for _ in range(product_model.N_PRODUCTS):
        expected = expected @ product_model._weight(64)
    assert 0.5 < expected.std() < 2.0  # no precision overflows or vanishes
    assert np.abs(got[0] - expected.max(axis=1)).max() < tolerance
    assert np.abs(got[1] - expected.min(axis=1)).max() < tolerance


@pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16"])
def test_the_model_of_products_is_sound(bundle: Bundle, precision: str) -> None:
    made = product_model.product_bundle(replace(bundle.manifest, precision=precision), 8)
    graph = onnx.ModelProto.FromString(made.model)
    onnx.checker.check_model(graph, full_check=True)
    (weight,) = (tensor for tensor in graph.graph.initializer if tensor.name == "weight")
    stored = onnx.numpy_helper.to_array(weight).astype(np.float32)
    assert np.abs(stored - product_model._weight(8)).max() < 5e-3
    assert graph_sha256(made.model) == made.manifest.graph_sha256
