"""OpenVINO: fp32 as ONNX Runtime computes it, bf16 where the file says so, no hang and no other precision."""

import os
import pickle
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from msgspec.structs import replace

import osscl
from osscl.backends import Backend, ComputeOptions, Outputs, Streams, open_backend
from osscl.backends import openvino as openvino_backend
from osscl.errors import BackendError
from osscl.export.half import in_half
from osscl.export.parity import TOLERANCE
from osscl.model_file.bundle import Bundle, in_memory_bundle, read_bundle
from osscl.model_file.golden import golden_clips

openvino = pytest.importorskip("openvino", reason="OpenVINO is not installed")

CLIPS = golden_clips(4)


@pytest.fixture(scope="module")
def computes_bf16() -> None:
    if "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        pytest.skip("this processor has no bf16 instructions that OpenVINO uses")


@pytest.fixture(scope="module", params=["random weights", "demonstration"])
def bundle(request: pytest.FixtureRequest, model_file: Path) -> Bundle:
    return read_bundle(model_file if request.param == "random weights" else "demo")


def by_hint(bundle: Bundle) -> Bundle:
    """In bf16 as schema 2 knew it: the graph stays fp32."""
    return in_memory_bundle(bundle.model, replace(bundle.manifest, precision="bf16", schema_version=2))


def in_bf16(bundle: Bundle) -> Bundle:
    network = onnx.ModelProto.FromString(bundle.model)
    network.ClearField("metadata_props")
    graph = in_half(network, "bf16").SerializeToString()
    return in_memory_bundle(graph, replace(bundle.manifest, precision="bf16", schema_version=3))


def outputs(bundle: Bundle, backend: str | None) -> Outputs:
    opened = open_backend(bundle, ComputeOptions("cpu", backend, threads=1))
    try:
        return opened.collect(opened.submit(CLIPS))
    finally:
        opened.close()


def test_fp32_equals_onnx_runtime(bundle: Bundle) -> None:
    ours, other = outputs(bundle, "openvino"), outputs(bundle, "onnxruntime")
    assert ours.embedding.dtype == ours.cosine.dtype == np.float32
    assert np.abs(ours.embedding - other.embedding).max() <= TOLERANCE.embedding
    assert np.abs(ours.cosine - other.cosine).max() <= TOLERANCE.cosine


def test_fp32_gives_the_files_own_golden_outputs(bundle: Bundle) -> None:
    ours, parity = outputs(bundle, "openvino"), bundle.manifest.network.parity
    assert np.abs(ours.embedding - np.array(parity.embedding)).max() <= TOLERANCE.embedding
    assert np.abs(ours.cosine - np.array(parity.cosine)).max() <= TOLERANCE.cosine


def test_the_log_mel_inside_the_graph_computes_too(
    checkpoint: Path, model_file: Path, tmp_path: Path
) -> None:
    from osscl.export import export_onnx

    export_onnx(checkpoint, tmp_path / "graph.onnx", front_end="graph")
    ours = outputs(read_bundle(tmp_path / "graph.onnx"), "openvino")
    other = outputs(read_bundle(model_file), "onnxruntime")
    assert np.abs(ours.cosine - other.cosine).max() <= TOLERANCE.cosine


@pytest.mark.usefixtures("computes_bf16")
@pytest.mark.parametrize("reduce", [in_bf16, by_hint])
def test_bf16_is_really_computed_and_close_to_fp32(reduce: Callable[[Bundle], Bundle]) -> None:
    bundle = read_bundle("demo")  # trained: random weights are further off
    opened = open_backend(reduce(bundle), ComputeOptions("auto", None, threads=1))
    assert opened.facts["backend"] == "openvino"
    assert opened.facts["precision"] == "bf16"
    reduced, full = opened.collect(opened.submit(CLIPS)), outputs(bundle, "openvino")
    opened.close()
    difference = np.abs(reduced.cosine - full.cosine).max()
    assert 10 * TOLERANCE.cosine < difference <= 0.02  # bf16 has 8 bits: fp32 under another name is closer
    assert np.abs(np.linalg.norm(reduced.embedding, axis=1) - 1).max() <= 1e-2


def test_an_fp32_model_is_compiled_as_such(bundle: Bundle) -> None:
    """OpenVINO's own choice on processors with AMX would be bf16."""
    compiled = openvino_backend._compile(openvino, bundle, Streams(1, 1))
    assert compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name() == "f32"
    assert compiled.get_property("NUM_STREAMS") == 1


def layers(bundle: Bundle) -> Counter[tuple[str, str]]:
    """Layers as OpenVINO runs them, with the type that each computes in."""
    compiled = openvino_backend._compile(openvino, bundle, Streams(1, 1))
    facts = [layer.get_rt_info() for layer in compiled.get_runtime_model().get_ops()]
    return Counter((each["layerType"].astype(str), each["runtimePrecision"].astype(str)) for each in facts)


@pytest.mark.usefixtures("computes_bf16")
def test_a_graph_in_bf16_is_computed_as_it_stands() -> None:
    found, full = layers(in_bf16(read_bundle("demo"))), layers(read_bundle("demo"))
    assert found["Convolution", "bf16"] == full["Convolution", "f32"] == 64
    assert found["Convolution", "f32"] == 0
    assert (found["FullyConnected", "bf16"], found["FullyConnected", "f32"]) == (2, 1)  # head, and cosine
    assert found["Reduce", "f32"] == full["Reduce", "f32"]  # the norms
    assert found["Convert", "bf16"] + found["Convert", "f32"] == 9  # as many as the graph has


def test_another_precision_than_the_files_is_an_error(bundle: Bundle) -> None:
    # as a processor without bf16 would do: compiled in fp32, while the file says bf16
    compiled = openvino_backend._compile(openvino, bundle, Streams(1, 1))
    openvino_backend._check_precision(compiled, bundle)
    for reduced in (in_bf16(bundle), by_hint(bundle)):
        with pytest.raises(
            BackendError, match="the model is bf16, but OpenVINO computes in f32 on this processor"
        ):
            openvino_backend._check_precision(compiled, reduced)


def test_a_file_that_says_bf16_of_a_graph_in_fp32_is_an_error(bundle: Bundle) -> None:
    manifest = replace(bundle.manifest, precision="bf16", schema_version=3)
    with pytest.raises(BackendError, match="the model is bf16, but OpenVINO computes in f32"):
        open_backend(in_memory_bundle(bundle.model, manifest), ComputeOptions("cpu", "openvino", threads=1))


def test_a_graph_that_openvino_cannot_read_is_named(bundle: Bundle) -> None:
    broken = in_memory_bundle(bundle.model[:-1000], bundle.manifest)
    with pytest.raises(BackendError, match=r"model in memory: OpenVINO \S+ cannot load the graph"):
        open_backend(broken, ComputeOptions("cpu", "openvino", threads=1))


def test_first_use_by_several_threads_at_once_does_not_hang() -> None:
    program = """
import threading, osscl
from osscl.model_file.golden import golden_clips
clips = golden_clips(1)
for _ in range(3):
    with osscl.load("demo", backend="openvino", threads=2) as detector:
        threads = [threading.Thread(target=detector.embed, args=[clips], daemon=True) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
print("done")
"""
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, timeout=120
    )
    assert result.stdout == "done\n", result.stderr


def test_a_closed_detector_says_so(model_file: Path) -> None:
    with osscl.load(model_file, backend="openvino", threads=2) as detector:
        detector.embed(CLIPS[:1])
    with pytest.raises(BackendError, match="the detector is closed"):
        detector.embed(CLIPS[:1])


def test_a_detector_pickles_with_its_backend(model_file: Path) -> None:
    with osscl.load(model_file, backend="openvino", threads=2, streams=1) as detector:
        scores = detector.score(CLIPS, "fan/id_00").score
        with pickle.loads(pickle.dumps(detector)) as copy:
            assert copy.facts == detector.facts
            assert copy.facts["backend"] == "openvino"
            assert copy.facts["streams"] == 1
            assert np.abs(copy.score(CLIPS, "fan/id_00").score - scores).max() <= 1e-4


@pytest.mark.parametrize("threads", [1, 2])
def test_a_forked_child_reopens_the_model_and_ends(threads: int) -> None:
    """What the parent opened is left alone there: OpenVINO would wait for threads that do not exist."""
    program = """
import gc, os, sys, numpy as np, osscl
from osscl.model_file.golden import golden_clips
open_it = lambda: osscl.load("demo", backend="openvino", threads=int(sys.argv[1]))
detector, other = open_it(), open_it()
clips = golden_clips(2)
before = detector.embed(clips)
child = os.fork()
if child == 0:
    after = detector.embed(clips)
    del other
    gc.collect()
    sys.exit(0 if np.abs(after - before).max() <= 1e-6 else 1)
status = os.waitpid(child, 0)[1]
assert np.array_equal(detector.embed(clips), before)
sys.exit(os.waitstatus_to_exitcode(status))
"""
    command = [sys.executable, "-W", "ignore", "-c", program, str(threads)]
    with subprocess.Popen(command, start_new_session=True) as process:
        try:
            assert process.wait(timeout=300) == 0
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # the child too
            raise


def test_a_folder_run_records_what_computed(tmp_path: Path) -> None:
    import soundfile

    path = tmp_path / "blower" / "normal_id_00_00000000.wav"
    path.parent.mkdir()
    soundfile.write(path, CLIPS[2], 16_000)
    with osscl.load("demo", backend="openvino") as detector:
        assert isinstance(detector.backend, Backend)
        (record,) = detector.score_files([path])
    assert record.status == "ok"


def test_models_closed_in_any_order_leave_signals_working() -> None:
    """Each of OpenVINO's cores changes the process's stack for signals, and changes it back."""
    program = """
import faulthandler, gc, signal, subprocess, sys
import osscl
faulthandler.enable()
signal.signal(signal.SIGCHLD, lambda *_: None)
first = osscl.load("demo", backend="openvino")
second = osscl.load("demo", backend="openvino")
for name in ("first", "second"):
    globals().pop(name).close()
    gc.collect()
subprocess.run([sys.executable, "-c", ""], check=True)
"""
    assert subprocess.run([sys.executable, "-c", program], timeout=300).returncode == 0


@pytest.mark.parametrize("threads", [1, 2])
def test_a_child_forked_after_a_model_was_closed_says_what_to_do(threads: int) -> None:
    """OpenVINO keeps the threads of a closed model for the next one, and would wait for them in a child."""
    program = """
import os, sys, osscl
from osscl.model_file.golden import golden_clips
open_it = lambda: osscl.load("demo", backend="openvino", threads=int(sys.argv[1]))
clips = golden_clips(1)
detector = open_it()
detector.close()
detector = open_it()
child = os.fork()
if child == 0:
    try:
        detector.embed(clips)
    except osscl.errors.BackendError as error:
        print(error, flush=True)
        os._exit(0)
    os._exit(1)
status = os.waitpid(child, 0)[1]
assert len(detector.embed(clips)) == 1  # the parent goes on
again = open_it()  # it takes the threads that lay idle: the next child has none of them to wait for
child = os.fork()
if child == 0:
    os._exit(0 if len(again.embed(clips)) == 1 else 1)
sys.exit(os.waitstatus_to_exitcode(status) or os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    command = [sys.executable, "-W", "ignore", "-c", program, str(threads)]
    with subprocess.Popen(command, start_new_session=True, stdout=subprocess.PIPE, text=True) as process:
        try:
            said, _ = process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # the child too
            raise
    assert process.returncode == 0
    assert said.startswith("a model was closed before this process was forked")
    assert "'spawn'" in said
    assert said.count("\n") == 1
