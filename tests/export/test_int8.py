"""int8: which layers are quantised, and what comes out of them."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from onnx import numpy_helper

import osscl
from osscl.backends.tensorrt.heavy_nodes import check_graph_precision, heavy_nodes
from osscl.errors import AccuracyError, BackendError, NoRecordingsError
from osscl.evaluation.gate_limits import GateLimits
from osscl.export import export_onnx
from osscl.export.int8 import calibration_feeds, inner_convolutions, quantise
from osscl.model_file.bundle import read_bundle
from osscl.synth import DatasetPlan, write_dataset

DEMO = read_bundle("demo")


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("int8") / "clips"
    for _ in write_dataset(folder, DatasetPlan(machines=12, normal=12, anomalous=12, seed=5)):
        pass
    return folder


@pytest.fixture(scope="module")
def quantised(clips: Path) -> onnx.ModelProto:
    graph = onnx.ModelProto.FromString(DEMO.model)
    feeds = [feed for feed, _ in zip(calibration_feeds(clips, DEMO.manifest, lambda: None), range(3))]  # noqa: B905
    return quantise(graph, feeds)


def named(graph: onnx.ModelProto) -> onnx.ModelProto:
    for number, node in enumerate(graph.graph.node):
        node.name = node.name or f"node_{number}"
    return graph


def test_dense_convolutions_inside_are_chosen() -> None:
    graph = named(onnx.ModelProto.FromString(DEMO.model))
    chosen = inner_convolutions(graph)
    sizes = {tensor.name: list(tensor.dims) for tensor in graph.graph.initializer}
    nodes = {node.name: node for node in graph.graph.node}
    shapes = [sizes[nodes[name].input[1]] for name in chosen]
    assert all(shape[1] >= 64 for shape in shapes)  # neither depthwise nor the stems
    assert [128, 512, 1, 2] not in shapes  # Tgram's first convolution
    # six of TFgram, three of Tgram, twelve of the bottlenecks, conv2; linear1 is the last, and left alone
    assert len(chosen) == 6 + 3 + 12 + 1
    assert not any("linear" in name for name in chosen)


def test_only_chosen_layers_are_quantised(quantised: onnx.ModelProto) -> None:
    model = ir.from_proto(quantised)
    convolutions = [node for node in model.graph if node.op_type == "Conv"]
    with_int8 = [
        node
        for node in convolutions
        if node.inputs[1] is not None
        and node.inputs[1].producer() is not None
        and node.inputs[1].producer().op_type == "DequantizeLinear"  # type: ignore[union-attr]
    ]
    assert len(with_int8) == 22
    weights = [node.inputs[1].producer() for node in with_int8 if node.inputs[1] is not None]
    for weight in weights:
        assert weight is not None
        values, scales = weight.inputs[0], weight.inputs[1]
        assert values is not None
        assert values.const_value is not None
        assert values.const_value.dtype == ir.DataType.INT8
        assert scales is not None
        assert scales.const_value is not None
        assert scales.const_value.shape[0] == values.const_value.shape[0]  # one a channel
    names = {value.name for node in model.graph for value in node.inputs if value is not None}
    assert all(name in names for name in model.graph.initializers)  # no weight is left over


def test_all_that_is_quantised_is_int8_about_zero(quantised: onnx.ModelProto) -> None:
    """As TensorRT needs it: no unsigned activations, no zero points, no quantised biases."""
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in quantised.graph.initializer}
    steps = [node for node in quantised.graph.node if node.op_type in ("QuantizeLinear", "DequantizeLinear")]
    assert len(steps) > 2 * 22
    for node in steps:
        value, scale, zero_point = (constants.get(name) for name in node.input)
        assert scale is not None
        assert zero_point is not None
        assert zero_point.dtype == np.int8
        assert not zero_point.any()
        assert value is None or value.ndim == 4  # the weight of a convolution
        assert value is not None or scale.shape == ()  # one for all channels of an activation
    biases = [
        node.input[2] for node in quantised.graph.node if node.op_type == "Conv" and len(node.input) > 2
    ]
    assert len(biases) > 22
    assert all(constants[name].dtype == np.float32 for name in biases)


def test_the_graph_states_that_it_is_int8(quantised: onnx.ModelProto) -> None:
    nodes = heavy_nodes(quantised.SerializeToString())
    check_graph_precision(nodes, "int8")
    with pytest.raises(BackendError, match=r"the model is fp16, but its graph is not \(weights.* in int8, "):
        check_graph_precision(nodes, "fp16")
    light = {"node_Conv_6", "node_Conv_582", "node_Conv_584"}  # first of Tgram, and what follows the encoder
    assert {name for name, node in nodes.items() if node.dtype != "int8"} == light


def test_calibration_takes_clips_spread_over_the_folder(clips: Path, tmp_path: Path) -> None:
    seen: list[int] = []
    feeds = list(calibration_feeds(clips, DEMO.manifest, lambda: seen.append(1)))
    assert len(feeds) == len(seen) == 24
    assert feeds[0]["waveform"].shape == (1, 160_000)
    assert feeds[0]["log_mel"].shape == (1, 128, 313)
    with pytest.raises(
        NoRecordingsError, match=r"no \.wav, \.flac, \.w64 or \.rf64 below .*: it holds no file"
    ):
        list(calibration_feeds(tmp_path, DEMO.manifest, lambda: None))


def test_a_model_in_int8_scores_on_both_runtimes(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = GateLimits(min_rank_correlation=0.9, max_auc_change=0.2)  # of 24 clips, and ranges of few
    monkeypatch.setattr("osscl.export.int8.N_CALIBRATION_CLIPS", 3)
    path = tmp_path / "int8.onnx"
    manifest = export_onnx("demo", path, precision="int8", calibration=clips, gate=clips, limits=limits)
    assert manifest.network.precision == "int8"
    assert manifest.accuracy is not None
    assert manifest.accuracy.score_error > 0.0
    sounds = osscl.read_audio_batch(sorted(clips.rglob("*.wav"))[:6])  # machines, as the ranges know them
    with osscl.load("demo") as detector:
        expected = detector.embed(sounds)
    pytest.importorskip("openvino", reason="OpenVINO is not installed")
    for backend in ("onnxruntime", "openvino"):
        with osscl.load(path, backend=backend) as detector:
            assert detector.facts["precision"] == "int8"
            assert detector.facts.get("tfgram", "graph") == "graph"
            cosine = (detector.embed(sounds) * expected).sum(axis=1)
        assert (cosine > 0.9).all()
        assert (cosine < 0.999999).any()


def test_a_gate_that_is_not_passed_writes_nothing(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bad(graph: onnx.ModelProto, _: Any) -> onnx.ModelProto:
        """Scale one weight out of all proportion, as ranges from wrong clips would."""
        broken: onnx.ModelProto = onnx.ModelProto.FromString(graph.SerializeToString())
        weight = next(t for t in broken.graph.initializer if list(t.dims) == [128, 64, 1, 3])
        array = np.frombuffer(weight.raw_data, np.float32) * np.float32(-3.0)
        weight.raw_data = array.tobytes()
        return broken

    monkeypatch.setattr("osscl.export.int8.quantise", bad)
    with pytest.raises(AccuracyError, match="does not pass the accuracy gate"):
        export_onnx("demo", tmp_path / "x.onnx", precision="int8", calibration=clips, gate=clips)
    assert list(tmp_path.iterdir()) == []
