"""What a runtime finds in a graph, and what it gives that the manifest does not say: always BackendError."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import osscl
from osscl.backends import Outputs, Streams
from osscl.backends.feeds import Feeds
from osscl.backends.outputs import check_outputs
from osscl.backends.streams import StreamedBackend
from osscl.errors import BackendError
from osscl.model_file.golden import golden_clips
from support.model_files import tiny_bundle, tiny_graph, tiny_manifest, write_unchecked

BACKENDS = ("onnxruntime", "openvino")
MANIFEST = tiny_bundle().manifest
CLIPS = golden_clips(2)


def outputs(**changes: Any) -> Outputs:
    right = {"embedding": np.zeros((2, 128), np.float32), "cosine": np.zeros((2, 3), np.float32)}
    return Outputs(**right | changes)


def test_outputs_as_the_manifest_says_pass() -> None:
    check_outputs(outputs(), MANIFEST, 2, Path("m.onnx"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"cosine": np.zeros((2, 4), np.float32)},
            r"m\.onnx: for 2 clips the graph gave cosine as float32 \[2, 4\], expected float32 \[2, 3\]",
        ),
        ({"cosine": np.zeros((1, 3), np.float32)}, r"cosine as float32 \[1, 3\], expected float32 \[2, 3\]"),
        ({"cosine": np.zeros((2, 3))}, r"cosine as float64 \[2, 3\], expected float32 \[2, 3\]"),
        ({"cosine": np.float32(1)}, "cosine as float32, expected"),
        ({"cosine": [np.zeros(3, np.float32)]}, "cosine as list, expected"),
        ({"embedding": np.zeros((2, 3), np.float32)}, r"embedding as float32 \[2, 3\], expected"),
    ],
)
def test_other_outputs_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BackendError, match=message):
        check_outputs(outputs(**changes), MANIFEST, 2, Path("m.onnx"))


def with_steps(change: Callable[[onnx.ModelProto], None], path: Path) -> Path:
    model = tiny_graph()
    change(model)
    content = model.SerializeToString()
    write_unchecked(path, content, tiny_manifest(content))
    return path


def size_by_sound(model: onnx.ModelProto, size: int) -> str:
    """A size that only a run tells: as given for silence, greater for louder sound."""
    thousand = numpy_helper.from_array(np.array(1000, np.float32), "thousand")
    least = numpy_helper.from_array(np.array([size], np.int64), "size")
    model.graph.initializer.extend([thousand, least])
    nodes = [
        helper.make_node("ReduceMax", ["waveform"], ["peak"], keepdims=0),
        helper.make_node("Mul", ["peak", "thousand"], ["loudness"]),
        helper.make_node("Cast", ["loudness"], ["whole"], to=TensorProto.INT64),
        helper.make_node("Add", ["whole", "size"], ["sized"]),
    ]
    for node in nodes[::-1]:
        model.graph.node.insert(0, node)
    return "sized"


def cosines_that_depend_on_sound(model: onnx.ModelProto) -> None:
    """As many as there shall be of silence alone: the weights are repeated and cut off at such a column."""
    size = size_by_sound(model, 3)
    tiles = numpy_helper.from_array(np.array([1, 1000], np.int64), "tiles")
    model.graph.initializer.append(tiles)
    (product,) = (node for node in model.graph.node if node.op_type == "MatMul")
    at = list(model.graph.node).index(product)
    product.input[1] = "columns"
    model.graph.node.insert(at, helper.make_node("Slice", ["tiled", "start", size, "axis"], ["columns"]))
    model.graph.node.insert(at, helper.make_node("Tile", ["weights", "tiles"], ["tiled"]))


def memory_that_depends_on_sound(model: onnx.ModelProto) -> None:
    """One zero for silence, for sound as many as no memory holds."""
    size = size_by_sound(model, 0)
    constants = {"million": np.array([10**6], np.int64), "one": np.array([1], np.int64)}
    model.graph.initializer.extend(numpy_helper.from_array(each, name) for name, each in constants.items())
    (total,) = (node for node in model.graph.node if node.op_type == "Add" and "sum" in node.output)
    at = list(model.graph.node).index(total)
    total.input[0] = "and nothing"  # first: an insertion lets references point to other nodes
    added = [
        helper.make_node("Mul", [size, "million"], ["millions"]),
        helper.make_node("Add", ["millions", "one"], ["many"]),
        helper.make_node("Concat", ["many", "many", "many"], ["much"], axis=0),
        helper.make_node("ConstantOfShape", ["much"], ["zeros"]),
        helper.make_node("ReduceMax", ["zeros"], ["nothing"], keepdims=0),
        helper.make_node("Add", ["beginning", "nothing"], ["and nothing"]),
    ]
    for node in added[::-1]:
        model.graph.node.insert(at, node)


@pytest.mark.parametrize("backend", BACKENDS)
def test_outputs_of_a_shape_that_only_a_run_tells(backend: str, tmp_path: Path) -> None:
    path = with_steps(cosines_that_depend_on_sound, tmp_path / "model.onnx")
    with osscl.load(path, "cpu", backend, threads=1) as detector:
        assert detector.embed(np.zeros_like(CLIPS)).shape == (2, 128)
        with pytest.raises(BackendError, match=r"for 1 clip the graph gave cosine as float32 \[1,"):
            detector.score(CLIPS, detector.machines[0])


@pytest.mark.parametrize("threads", [1, 2])
def test_what_a_runtime_finds_while_it_runs(threads: int, tmp_path: Path) -> None:
    path = with_steps(memory_that_depends_on_sound, tmp_path / "model.onnx")
    with osscl.load(path, "cpu", "onnxruntime", threads=threads) as detector:
        assert detector.embed(np.zeros_like(CLIPS)).shape == (2, 128)
        with pytest.raises(BackendError, match=r"onnxruntime .* cannot compute the graph: .*") as got:
            detector.embed(CLIPS)
        assert got.value.__cause__ is not None
        # the stream that failed serves the next batch
        assert detector.embed(np.zeros_like(CLIPS)).shape == (2, 128)


class Failing(StreamedBackend):
    """A runtime that raises what it was given."""

    precisions = frozenset({"fp32"})

    def __init__(self, error: Exception, streams: Streams) -> None:
        super().__init__(tiny_bundle(), streams)
        self.facts = {"backend": "some runtime", "backend_version": "1"}
        self._take_turns([error] * streams.count)

    def _run(self, runner: Any, feeds: Feeds) -> Outputs:
        raise runner


@pytest.mark.parametrize("error", [RuntimeError("no"), MemoryError("no"), IndexError("no"), ValueError("no")])
@pytest.mark.parametrize("streams", [Streams(1, 1), Streams(2, 1)])
def test_whatever_a_runtime_raises(error: Exception, streams: Streams) -> None:
    with closing(Failing(error, streams)) as backend:
        for _ in range(3):  # the stream comes back each time
            with pytest.raises(BackendError, match=r"some runtime 1 cannot compute the graph: no$") as got:
                backend.collect(backend.submit(CLIPS[:1]))
            assert got.value.__cause__ is error


@pytest.mark.parametrize("backend", BACKENDS)
def test_more_memory_than_there_is(backend: str, tmp_path: Path) -> None:
    """Sizes that are computed are out of reach of what the file is checked for."""

    def ask_for_a_petabyte(model: onnx.ModelProto) -> None:
        sizes = [
            numpy_helper.from_array(np.array([2**24], np.int64), f"size_{number}") for number in range(3)
        ]
        model.graph.initializer.extend(sizes)
        (total,) = (node for node in model.graph.node if node.op_type == "Add")
        at = list(model.graph.node).index(total)
        total.input[0] = "beginning and nothing"
        added = [
            helper.make_node("Concat", ["size_0", "size_1", "size_2"], ["sizes"], axis=0),
            helper.make_node("ConstantOfShape", ["sizes"], ["zeros"]),
            helper.make_node("ReduceSum", ["zeros"], ["nothing"], keepdims=0),
            helper.make_node("Add", ["beginning", "nothing"], ["beginning and nothing"]),
        ]
        for node in added[::-1]:
            model.graph.node.insert(at, node)

    path = with_steps(ask_for_a_petabyte, tmp_path / "model.onnx")
    with (
        pytest.raises(BackendError, match=r"model\.onnx: "),
        osscl.load(path, "cpu", backend, threads=1) as detector,
    ):
        detector.embed(CLIPS)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_node_that_no_runtime_knows(backend: str, tmp_path: Path) -> None:
    def break_a_node(model: onnx.ModelProto) -> None:
        (total,) = (node for node in model.graph.node if node.op_type == "Add")
        total.op_type = "NoSuchOperator"

    path = with_steps(break_a_node, tmp_path / "model.onnx")
    with pytest.raises(BackendError, match=r"model\.onnx: .* cannot load the graph: "):
        osscl.load(path, "cpu", backend, threads=1)
