"""All rewrites of a network: what it computes stays the same."""

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from osscl.audio.samples import to_waveform
from osscl.errors import ConfigError
from osscl.export.checkpoint import load_checkpoint
from osscl.export.rewrites import REWRITES, in_order, rewrite
from osscl.export.to_onnx import build_graph
from osscl.frontend import log_mel
from osscl.model_file.golden import golden_clips
from support.checkpoints import random_state, write_checkpoint
from support.graphs import BATCH, Array, model_of, node, operators, run, settings_of


@pytest.fixture(scope="module", params=["three maps", "front end inside", "log-mel only"])
def network(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> onnx.ModelProto:
    """A plain export of the network."""
    inputs: Any = "log_mel" if request.param == "log-mel only" else "three_maps"
    path = write_checkpoint(tmp_path_factory.mktemp("plain") / "x.pth", random_state(inputs=inputs), {})
    model = load_checkpoint(path, margin=0.4, head="basic", inputs=inputs).model
    plain: onnx.ModelProto = build_graph(model, "graph" if request.param == "front end inside" else "native")
    return plain


@pytest.fixture(scope="module")
def feeds() -> dict[str, Array]:
    clips = golden_clips(3)
    return {"waveform": to_waveform(clips), "log_mel": log_mel(clips)}


def worst_error(model: onnx.ModelProto, expected: list[Array], feeds: dict[str, Array]) -> float:
    return max(float(np.abs(a - b).max()) for a, b in zip(run(model, feeds), expected, strict=True))


def worst(model: onnx.ModelProto, other: onnx.ModelProto, feeds: dict[str, Array]) -> float:
    return worst_error(model, run(other, feeds), feeds)


def test_each_rewrite_and_all_of_them_leave_the_network_what_it_computes(
    network: onnx.ModelProto, feeds: dict[str, Array]
) -> None:
    before = network.SerializeToString(deterministic=True)
    given = [{name: feed[:n_clips] for name, feed in feeds.items()} for n_clips in (1, 3)]
    expected = [run(network, some) for some in given]
    for names in [*((name,) for name in REWRITES), tuple(REWRITES)]:
        result = rewrite(network, names)
        assert network.SerializeToString(deterministic=True) == before  # it was handed over to be read only
        for some, wanted in zip(given, expected, strict=True):
            assert worst_error(result, wanted, some) <= 1e-5, names


def test_all_rewrites_do_what_they_promise(network: onnx.ModelProto) -> None:
    assert {"PRelu", "BatchNormalization", "Gemm"} <= set(operators(network))
    result = rewrite(network, REWRITES)
    producers = {name: n.op_type for n in result.graph.node for name in n.output}
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in result.graph.initializer}
    for layer in result.graph.node:
        if layer.op_type in ("Conv", "MaxPool"):
            assert len(settings_of(layer)["kernel_shape"]) == 2, layer.name
        if layer.op_type == "Gemm":
            assert producers[layer.input[0]] != "BatchNormalization"
    assert "PRelu" not in operators(result)
    used = {name for layer in result.graph.node for name in layer.input}
    assert weights.keys() <= used
    if "waveform" in {tensor.name for tensor in network.graph.input}:
        kernels = [weight.shape for name, weight in weights.items() if name in used and weight.ndim == 4]
        assert (128, 512, 1, 2) in kernels
    assert [i.name for i in result.graph.input] == [i.name for i in network.graph.input]
    assert list(result.opset_import) == list(network.opset_import)


def test_rewriting_twice_or_again_gives_the_same_bytes(network: onnx.ModelProto) -> None:
    once = rewrite(network, REWRITES).SerializeToString(deterministic=True)
    assert rewrite(network, reversed(REWRITES)).SerializeToString(deterministic=True) == once
    twice = rewrite(onnx.ModelProto.FromString(once), REWRITES)
    assert twice.SerializeToString(deterministic=True) == once


def test_a_steep_slope_keeps_its_prelu_and_the_rest_is_rewritten(
    network: onnx.ModelProto, feeds: dict[str, Array]
) -> None:
    steep = onnx.ModelProto.FromString(network.SerializeToString())
    first = next(layer for layer in steep.graph.node if layer.op_type == "PRelu")
    n_steep = sum(first.input[1] in layer.input for layer in steep.graph.node)  # equal slopes are stored once
    for tensor in steep.graph.initializer:
        if tensor.name == first.input[1]:
            slopes = numpy_helper.to_array(tensor).copy()
            slopes.flat[::2] = 1.5
            tensor.CopyFrom(numpy_helper.from_array(slopes, tensor.name))
    result = rewrite(steep, REWRITES)
    assert operators(result).count("PRelu") == n_steep < operators(network).count("PRelu")
    assert worst(result, steep, feeds) <= 1e-5
    assert worst(steep, network, feeds) > 1e-5  # the slope counts


def test_no_rewrite_at_all_changes_no_layer(network: onnx.ModelProto, feeds: dict[str, Array]) -> None:
    result = rewrite(network, [])
    assert operators(result) == operators(network)
    assert worst(result, network, feeds) == 0.0


def test_names_are_put_in_order_and_checked() -> None:
    assert in_order(["unused_dropped", "batch_norm_folded", "unused_dropped"]) == (
        "batch_norm_folded",
        "unused_dropped",
    )
    with pytest.raises(ConfigError, match=r"is magic; choose out of: batch_norm_folded, strided"):
        in_order(["magic", "unused_dropped"])
    with pytest.raises(ConfigError, match="without_rewrite is magic"):
        rewrite(model_of([node("Relu", "x")], [BATCH, 4, 6]), ["magic"])
