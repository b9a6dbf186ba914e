"""fp16 and bf16 in the graph: which layers compute in it, and that sound of any level survives it."""

from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest
from msgspec.structs import replace
from onnx import TensorProto, numpy_helper, parser

import osscl
from osscl.audio.samples import to_waveform
from osscl.backends import ComputeOptions, Outputs, open_backend
from osscl.config import ModelConfig
from osscl.errors import CheckpointError, ConfigError
from osscl.evaluation.gate_limits import GateLimits
from osscl.export import export_onnx
from osscl.export.half import Half, in_half
from osscl.export.rewrites import REWRITES, rewrite
from osscl.export.to_onnx import build_graph
from osscl.frontend import log_mel
from osscl.model import OSSCL
from osscl.model_file.bundle import in_memory_bundle, read_bundle
from osscl.model_file.golden import golden_clips
from osscl.synth import DatasetPlan, write_dataset

DEMO = read_bundle("demo")
TYPES = {"fp16": TensorProto.FLOAT16, "bf16": TensorProto.BFLOAT16}
OPSETS = {"fp16": 18, "bf16": 22}
FLOATS = {TensorProto.FLOAT, *TYPES.values()}
ISLANDS = {"LayerNormalization", "BatchNormalization", "ReduceL2", "Clip", "Div", "MatMul", "Mul", "Log"}
both = pytest.mark.parametrize("precision", ["fp16", "bf16"])


def demo_graph() -> onnx.ModelProto:
    graph: onnx.ModelProto = onnx.ModelProto.FromString(DEMO.model)
    graph.ClearField("metadata_props")
    return graph


@pytest.fixture(
    scope="module",
    params=[
        ("three_maps", "basic", "native", tuple(REWRITES)),
        ("three_maps", "none", "graph", tuple(REWRITES)),
        ("three_maps", "leaky_relu", "native", ()),
        ("log_mel", "leaky_relu", "native", tuple(REWRITES)),
        ("log_mel", "basic", "graph", ()),
    ],
    ids=lambda param: " ".join([*param[:3], "rewritten" if param[3] else "plain"]),
)
def network(request: pytest.FixtureRequest) -> onnx.ModelProto:
    """A network in fp32 with the weights it is born with."""
    inputs, head, front_end, rewrites = request.param
    model = OSSCL(ModelConfig(classes=("fan/id_00", "pump/id_02"), inputs=inputs, head=head))
    return rewrite(build_graph(model, front_end), rewrites)


def session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def types_of(graph: onnx.ModelProto) -> dict[str, int]:
    """Type of each tensor, as ONNX itself infers them."""
    inferred = onnx.shape_inference.infer_shapes(graph, strict_mode=True).graph
    types = {tensor.name: tensor.data_type for tensor in inferred.initializer}
    for value in (*inferred.input, *inferred.output, *inferred.value_info):
        types[value.name] = value.type.tensor_type.elem_type
    return types


def float_types(node: onnx.NodeProto, types: dict[str, int]) -> set[int]:
    """Floating-point types of all that a layer takes and gives."""
    return {types[name] for name in (*node.input, *node.output) if name and types[name] in FLOATS}


def by_name(graph: onnx.ModelProto) -> dict[str, npt.NDArray[Any]]:
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.graph.initializer}


@both
def test_heavy_layers_are_in_half_and_islands_in_fp32(network: onnx.ModelProto, precision: Half) -> None:
    before = network.SerializeToString()
    half = in_half(network, precision)
    assert network.SerializeToString() == before
    onnx.checker.check_model(half, full_check=True)
    assert [opset.version for opset in half.opset_import] == [OPSETS[precision]]
    assert (half.graph.input, half.graph.output) == (network.graph.input, network.graph.output)

    types = types_of(half)
    layers = [node for node in half.graph.node if node.op_type != "Cast"]
    assert Counter(node.op_type for node in layers) == Counter(node.op_type for node in network.graph.node)
    for node in layers:
        found = float_types(node, types)
        if node.op_type in ISLANDS or {"embedding", "cosine"} & {*node.input, *node.output}:
            assert found <= {TensorProto.FLOAT}, node
        elif node.op_type in {"Conv", "Gemm", "PRelu", "LeakyRelu", "MaxPool", "Max"}:
            assert found == {TYPES[precision]}, node
        else:
            assert len(found) <= 1, node  # no operator mixes types


@both
def test_casts_stand_at_the_shores_of_islands_alone(network: onnx.ModelProto, precision: Half) -> None:
    half = in_half(network, precision)
    types = types_of(half)
    makers = {name: node.op_type for node in half.graph.node for name in node.output}
    casts = [node for node in half.graph.node if node.op_type == "Cast"]
    for cast in casts:
        readers = {node.op_type for node in half.graph.node if cast.output[0] in node.input}
        if types[cast.output[0]] == TensorProto.FLOAT:
            assert types[cast.input[0]] == TYPES[precision]
            assert readers <= ISLANDS
        else:
            assert types[cast.input[0]] == TensorProto.FLOAT
            assert makers.get(cast.input[0], "an input") in {*ISLANDS, "an input"}
            assert readers.isdisjoint(ISLANDS)
    assert max(Counter(cast.input[0] for cast in casts).values()) == 1


def test_every_network_computes_nearly_the_same_in_fp16(network: onnx.ModelProto) -> None:
    waveform = to_waveform(golden_clips(3))
    feeds = {"waveform": waveform, "log_mel": log_mel(waveform)}
    full, half = (session(model) for model in (network, in_half(network, "fp16")))
    for size in (1, 3):
        batch = {tensor.name: feeds[tensor.name][:size] for tensor in full.get_inputs()}
        for expected, got in zip(full.run(None, batch), half.run(None, batch), strict=True):
            assert got.dtype == np.float32
            assert np.abs(got - expected).max() <= 5e-3


def test_inputs_are_cast_before_they_are_moved() -> None:
    half = in_half(demo_graph(), "bf16")
    cast = {node.input[0] for node in half.graph.node if node.op_type == "Cast"}
    assert {"waveform", "log_mel"} <= cast
    readers = [node.op_type for node in half.graph.node if "waveform" in node.input]
    assert readers == ["Cast"]


@both
def test_weights_are_rounded_to_the_nearest_number(precision: Half) -> None:
    full, half = by_name(demo_graph()), by_name(in_half(demo_graph(), precision))
    rounded = {name: array for name, array in half.items() if name.endswith(f".{precision}")}
    assert len(rounded) > 50
    for name, array in rounded.items():
        original = full[name.removesuffix(f".{precision}")].astype(np.float64)
        error = np.abs(array.astype(np.float64) - original)
        bits = {"fp16": 11, "bf16": 8}[precision]
        assert (error <= 2.0**-bits * np.abs(original) + 2.0**-25).all()  # half a step of fp16 near zero
    sizes = [sum(array.nbytes for array in arrays.values()) for arrays in (half, full)]
    assert sizes[0] < 0.52 * sizes[1]  # no weight is left over in fp32


def test_no_operator_means_something_else_in_the_opset_of_bf16() -> None:
    before = demo_graph()
    after = onnx.version_converter.convert_version(before, 22)
    assert list(after.graph.node) == list(before.graph.node)
    assert {tensor.name for tensor in after.graph.initializer} == by_name(before).keys()


SMALL = """
<ir_version: 10, opset_import: ["" : 18]>
small (float[batch, 1, 8] x) => (float[batch, 1, 8] y, float[batch, 1, 8] z)
<float[1, 1, 3] weight = {1.0, 2.0, 3.0}, float one = {1.0}>
{
    sum = Add(x, one)
    both_ways = Relu(sum)
    island = Exp(both_ways)
    before = LeakyRelu(island)
    heavy = Conv <pads = [1, 1]> (before, weight)
    again = Conv <pads = [1, 1]> (both_ways, weight)
    joined = Add(heavy, again)
    after = Relu(joined)
    y = Sigmoid(after)
    z = Add(y, after)
}
"""


def test_a_layer_in_between_follows_what_is_around_it() -> None:
    half = in_half(parser.parse_model(SMALL), "fp16")
    types = types_of(half)
    in_fp16 = {node.output[0] for node in half.graph.node if types[node.output[0]] == TensorProto.FLOAT16}
    # `both_ways` is read by an island too, so that it stays; `before` is read by a heavy layer alone
    assert in_fp16 == {"both_ways.float16", "island.float16", "before", "heavy", "again", "joined", "after"}
    assert types["after.float"] == TensorProto.FLOAT  # cast once, for both outputs
    x = np.linspace(-1, 1, 8, dtype=np.float32).reshape(1, 1, 8)
    results = [session(model).run(None, {"x": x}) for model in (parser.parse_model(SMALL), half)]
    for expected, got in zip(*results, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-3)


def test_a_weight_beyond_fp16_is_named() -> None:
    graph = demo_graph()
    weight = next(tensor for tensor in graph.graph.initializer if tensor.name == "linear_1.weight")
    large = numpy_helper.to_array(weight) * np.float32(1e6)
    weight.CopyFrom(numpy_helper.from_array(large, weight.name))
    with pytest.raises(
        ConfigError, match=r"the weight linear_1.weight reaches \S+, beyond that type: choose"
    ):
        in_half(graph, "fp16")
    in_half(graph, "bf16")


def clips() -> dict[str, npt.NDArray[np.float32]]:
    """Clips [B, 160000] of all levels."""
    rng = np.random.default_rng(0)
    machines = to_waveform(golden_clips(2))
    impulse = np.zeros((1, 160_000), np.float32)
    impulse[0, 8000] = 1.0
    return {
        "machines": machines,
        "machines at -80 dBFS": machines / np.abs(machines).max() * np.float32(1e-4),
        "dither": rng.integers(-1, 2, (1, 160_000)).astype(np.float32) / np.float32(32768),
        "full scale": rng.choice(np.array([-1, 1], np.float32), (1, 160_000)),
        "constant": np.ones((1, 160_000), np.float32),
        "impulse": impulse,
        "silence": np.zeros((1, 160_000), np.float32),
    }


@pytest.mark.parametrize("level", list(clips()))
def test_fp16_holds_every_tensor_of_sound_of_any_level(level: str) -> None:
    """As outputs, the tensors between layers are really rounded to fp16, which the runtime spares itself."""
    waveform = clips()[level]
    half = in_half(demo_graph(), "fp16")
    typed = onnx.shape_inference.infer_shapes(half, strict_mode=True).graph
    half.graph.output.extend(
        value for value in typed.value_info if value.type.tensor_type.elem_type == TensorProto.FLOAT16
    )
    feeds = {"waveform": waveform, "log_mel": log_mel(waveform)}
    embedding, cosine, *between = session(half).run(None, feeds)
    expected = session(demo_graph()).run(None, feeds)
    assert len(between) > 100
    largest = max(float(np.abs(tensor.astype(np.float32)).max()) for tensor in between)
    assert largest < 65_504 / 100  # far from the end of the type, and no NaN
    assert np.abs(embedding - expected[0]).max() <= 2e-3
    assert np.abs(cosine - expected[1]).max() <= 2e-3


def computed(precision: Half | None, backend: str, waveform: npt.NDArray[np.float32]) -> Outputs:
    bundle = DEMO
    if precision is not None:
        graph = in_half(demo_graph(), precision).SerializeToString()
        bundle = in_memory_bundle(graph, replace(DEMO.manifest, precision=precision, schema_version=3))
    with closing(open_backend(bundle, ComputeOptions("cpu", backend, threads=1))) as opened:
        return opened.collect(opened.submit(waveform))


def test_bf16_computes_sound_of_any_level() -> None:
    openvino = pytest.importorskip("openvino", reason="OpenVINO is not installed")
    if "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        pytest.skip("this processor has no bf16 instructions that OpenVINO uses")
    waveform = np.concatenate(list(clips().values()))
    expected, got = computed(None, "onnxruntime", waveform), computed("bf16", "openvino", waveform)
    difference = np.abs(got.cosine - expected.cosine).max()
    assert 1e-3 < difference <= 3e-2
    assert np.abs(np.linalg.norm(got.embedding, axis=1) - 1.0).max() <= 1e-6  # the L2 norm is not in bf16


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("half") / "synthetic"
    for _ in write_dataset(folder, DatasetPlan(machines=12, normal=12, anomalous=12, seed=5)):
        pass
    return folder


def test_an_export_in_fp16_passes_the_gate_and_tells_of_it(gate: Path, tmp_path: Path) -> None:
    path = tmp_path / "fp16.onnx"
    manifest = export_onnx("demo", path, precision="fp16", gate=gate)
    bundle = read_bundle(path)
    assert bundle.manifest == manifest
    assert (manifest.network.precision, manifest.graph_precision, manifest.schema_version) == (
        "fp16",
        "fp16",
        6,
    )
    assert manifest.network.parity.measured.cosine <= 2e-5  # of the graph in fp32
    accuracy = manifest.accuracy
    assert accuracy is not None
    assert accuracy.backend.startswith("onnxruntime ")
    assert accuracy.backend.endswith(", fp32 where there is no fp16 kernel")
    assert 1e-4 < accuracy.score_error < 0.1
    assert accuracy.rank_correlation >= GateLimits().min_rank_correlation
    assert accuracy.auc == accuracy.auc_fp32
    sounds = golden_clips(3)
    with osscl.load(path) as detector, osscl.load("demo") as full:
        facts = detector.facts
        assert (facts["backend"], facts["precision"], facts["tfgram"]) == ("onnxruntime", "fp16", "graph")
        assert facts["arithmetic"] == "fp32 where there is no fp16 kernel"
        assert "arithmetic" not in full.facts
        assert 1e-5 < np.abs(detector.embed(sounds) - full.embed(sounds)).max() <= 2e-3
    with pytest.raises(CheckpointError, match="the model is fp16; expected a model in fp32, or a checkpoint"):
        export_onnx(path, tmp_path / "again.onnx")
