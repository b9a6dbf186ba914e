"""Rewrites of the graph: the same numbers, another shape; and what must stay as it is stays."""

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from osscl.audio.samples import to_waveform
from osscl.errors import ConfigError
from osscl.export.checkpoint import load_checkpoint
from osscl.export.rewrites import REWRITES, in_order, rewrite
from osscl.export.to_onnx import build_graph
from osscl.frontend import log_mel
from osscl.model_file.golden import golden_clips
from support.checkpoints import random_state, write_checkpoint

Array = npt.NDArray[Any]
Shape = list[int | str | None]
BATCH = "batch"
RNG = np.random.default_rng(0)


def noise(*shape: int) -> npt.NDArray[np.float32]:
    return RNG.standard_normal(shape).astype(np.float32)


def node(op_type: str, inputs: str, output: str = "y", **attributes: Any) -> onnx.NodeProto:
    """A layer; inputs and outputs as words, ``-`` for an input left out."""
    names = ["" if name == "-" else name for name in inputs.split()]
    return helper.make_node(op_type, names, output.split(), **attributes)


def model_of(
    nodes: list[onnx.NodeProto],
    x: Shape,
    outputs: dict[str, Shape] | None = None,
    integers: dict[str, Shape] | None = None,
    /,
    **weights: Any,
) -> onnx.ModelProto:
    """A checked model of one input x; one output y of unknown sizes unless said otherwise."""
    of_type = [
        (TensorProto.FLOAT, outputs or {"y": [BATCH, None, None]}),
        (TensorProto.INT64, integers or {}),
    ]
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x)],
        [
            helper.make_tensor_value_info(name, number, shape)
            for number, named in of_type
            for name, shape in named.items()
        ],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 18)])
    onnx.checker.check_model(model, full_check=True)
    return model


def run(model: onnx.ModelProto, feeds: dict[str, Array]) -> list[Array]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    outputs: list[Array] = session.run(
        None, {tensor.name: feeds[tensor.name] for tensor in session.get_inputs()}
    )
    return outputs


def operators(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


def settings_of(layer: onnx.NodeProto) -> dict[str, Any]:
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in layer.attribute}


def rewritten(model: onnx.ModelProto, *names: str, sizes: tuple[int, ...]) -> onnx.ModelProto:
    """The rewritten model, which gives the same for one clip and for three, and rewrites no further."""
    result: onnx.ModelProto = rewrite(model, names)
    for n_clips in (1, 3):
        feeds: dict[str, Array] = {"x": noise(n_clips, *sizes)}
        for got, wanted in zip(run(result, feeds), run(model, feeds), strict=True):
            assert got.shape == wanted.shape
            assert got.dtype == wanted.dtype
            assert np.abs(got - wanted).max() <= 1e-5 * np.abs(wanted).max()
    assert [output.name for output in result.graph.output] == [output.name for output in model.graph.output]
    assert rewrite(result, names).SerializeToString(deterministic=True) == result.SerializeToString(
        deterministic=True
    )
    return result


def unchanged(model: onnx.ModelProto, name: str, sizes: tuple[int, ...]) -> None:
    assert operators(rewritten(model, name, sizes=sizes)) == operators(model)


# --- 1-D layers ---------------------------------------------------------------------------------------------


def conv(inputs: str = "x w", output: str = "y", **settings: Any) -> onnx.NodeProto:
    return node("Conv", inputs, output, **({"kernel_shape": [3], "pads": [1, 1]} | settings))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"pads": [2, 0]},
        {"strides": [2]},
        {"dilations": [2], "pads": [0, 3]},
        {"auto_pad": "SAME_LOWER", "pads": None, "strides": [2]},
        {"group": 2},
    ],
)
def test_a_1d_convolution_becomes_a_2d_one(bias: bool, settings: dict[str, Any]) -> None:
    weights = {"w": noise(6, 4 // settings.get("group", 1), 3)} | ({"b": noise(6)} if bias else {})
    # make_node leaves out attributes that are None
    model = model_of([conv(" ".join(["x", *weights]), **settings)], [BATCH, 4, 21], **weights)
    result = rewritten(model, "conv1d_as_conv2d", sizes=(4, 21))
    assert operators(result) == ["Unsqueeze", "Conv", "Squeeze"]


def test_a_bias_left_out_by_an_empty_name_stays_out() -> None:
    model = model_of([conv("x w -")], [BATCH, 4, 20], w=noise(5, 4, 3))
    assert operators(rewritten(model, "conv1d_as_conv2d", sizes=(4, 20)))[1] == "Conv"


def test_a_run_of_layers_is_lifted_as_a_whole() -> None:
    model = model_of(
        [
            conv("x w", "a"),
            node("LayerNormalization", "a scale shift", "b", axis=-1, epsilon=1e-3),
            node("LeakyRelu", "b", "c", alpha=0.3),
            node("MaxPool", "c", "d", kernel_shape=[2], strides=[2]),
            node("Gather", "d even", "e", axis=-1),
            node("Gather", "d odd", "f", axis=-1),
            node("Max", "e f floor", "g"),
            node("Relu", "g", "h"),
            conv("h w2", "y"),
        ],
        [BATCH, 4, 20],
        w=noise(5, 4, 3),
        w2=noise(2, 5, 3),
        scale=noise(20),
        shift=noise(20),
        even=np.arange(0, 10, 2),
        odd=np.arange(1, 10, 2),
        floor=np.float32(-0.2),
    )
    result = rewritten(model, "conv1d_as_conv2d", sizes=(4, 20))
    before = operators(model)
    assert operators(result) == ["Unsqueeze", *before, "Squeeze"]
    attributes = {layer.op_type: settings_of(layer) for layer in result.graph.node}
    assert attributes["LeakyRelu"]["alpha"] == pytest.approx(0.3)
    assert attributes["LayerNormalization"]["epsilon"] == pytest.approx(1e-3)
    assert attributes["MaxPool"]["kernel_shape"] == [1, 2]


def test_a_lifted_map_may_also_be_an_output_or_be_used_elsewhere() -> None:
    model = model_of(
        [conv("x w", "a"), node("Relu", "a", "b"), node("Sigmoid", "b", "c"), node("Add", "b c", "y")],
        [BATCH, 4, 20],
        {"y": [BATCH, 5, 20], "a": [BATCH, 5, 20], "b": [BATCH, 5, 20]},
        w=noise(5, 4, 3),
    )
    result = rewritten(model, "conv1d_as_conv2d", sizes=(4, 20))
    assert Counter(operators(result))["Squeeze"] == 2  # one for a, one for all who use b


@pytest.mark.parametrize(
    "settings", [{"ceil_mode": 1, "strides": [2]}, {"storage_order": 1}, {"dilations": [2], "pads": [1, 0]}]
)
def test_settings_of_max_pool_are_kept(settings: dict[str, Any]) -> None:
    model = model_of([node("MaxPool", "x", kernel_shape=[3], **settings)], [BATCH, 4, 20])
    result = rewritten(model, "conv1d_as_conv2d", sizes=(4, 20))
    assert operators(result) == ["Unsqueeze", "MaxPool", "Squeeze"]


def test_max_pool_that_tells_places_stays() -> None:
    model = model_of(
        [node("MaxPool", "x", "y places", kernel_shape=[3])],
        [BATCH, 4, 20],
        {"y": [BATCH, 4, 18]},
        {"places": [BATCH, 4, 18]},
    )
    unchanged(model, "conv1d_as_conv2d", (4, 20))


def test_a_convolution_whose_weight_is_computed_stays() -> None:
    unchanged(
        model_of([node("Relu", "w", "v"), conv("x v")], [BATCH, 4, 20], w=noise(5, 4, 3)),
        "conv1d_as_conv2d",
        (4, 20),
    )


def test_2d_layers_stay() -> None:
    model = model_of(
        [conv("x w", "a", kernel_shape=[1, 3], pads=[0, 1, 0, 1]), node("MaxPool", "a", kernel_shape=[2, 2])],
        [BATCH, 4, 6, 7],
        {"y": [BATCH, None, None, None]},
        w=noise(5, 4, 1, 3),
    )
    unchanged(model, "conv1d_as_conv2d", (4, 6, 7))


@pytest.mark.parametrize(
    ("layer", "output", "weights"),
    [
        (node("Gather", "a i", axis=1), [BATCH, 2, 20], {"i": np.array([0, 3])}),
        (node("Gather", "a i", axis=0), [None, 5, 20], {"i": np.array([0, 0])}),
        (node("Gather", "a i"), [None, 5, 20], {"i": np.array([0, 0])}),  # axis 0
        (node("Gather", "a i", axis=-1), [BATCH, 5], {"i": np.int64(7)}),  # the axis goes
        (node("LayerNormalization", "a s", axis=1), [BATCH, 5, 20], {"s": noise(5, 20)}),
        (node("Max", "a c"), [BATCH, 5, 20], {"c": noise(5, 1)}),  # one a channel
        (node("Max", "a c"), [BATCH, 5, 20], {"c": noise(5, 20)}),
        (node("Sigmoid", "a"), [BATCH, 5, 20], {}),
    ],
)
def test_layers_that_look_along_other_axes_get_the_map_without_height(
    layer: onnx.NodeProto, output: Shape, weights: dict[str, Array]
) -> None:
    model = model_of([conv("x w", "a"), layer], [BATCH, 5, 20], {"y": output}, w=noise(5, 5, 3), **weights)
    result = rewritten(model, "conv1d_as_conv2d", sizes=(5, 20))
    assert operators(result) == ["Unsqueeze", "Conv", "Squeeze", layer.op_type]


def test_max_with_a_map_that_is_not_lifted_gets_both_without_height() -> None:
    model = model_of(
        [conv("x w", "a"), node("Sigmoid", "x", "b"), node("Max", "b a")], [BATCH, 5, 20], w=noise(5, 5, 3)
    )
    result = rewritten(model, "conv1d_as_conv2d", sizes=(5, 20))
    assert Counter(operators(result)) == Counter(["Unsqueeze", "Conv", "Squeeze", "Sigmoid", "Max"])


@pytest.mark.parametrize("bound", [np.float32(0.1), noise(20)])
def test_max_with_a_constant_in_front_is_lifted(bound: Array) -> None:
    model = model_of([conv("x w", "a"), node("Max", "c a")], [BATCH, 5, 20], w=noise(5, 5, 3), c=bound)
    result = rewritten(model, "conv1d_as_conv2d", sizes=(5, 20))
    assert operators(result) == ["Unsqueeze", "Conv", "Max", "Squeeze"]


def test_layer_norm_that_gives_its_mean_too_is_not_lifted() -> None:
    model = model_of(
        [conv("x w", "a"), node("LayerNormalization", "a s", "y mean")],
        [BATCH, 5, 20],
        {"y": [BATCH, 5, 20], "mean": [BATCH, 5, 1]},
        w=noise(5, 5, 3),
        s=noise(20),
    )
    result = rewritten(model, "conv1d_as_conv2d", sizes=(5, 20))
    assert operators(result) == ["Unsqueeze", "Conv", "Squeeze", "LayerNormalization"]


# --- gathers after pooling ----------------------------------------------------------------------------------


def pooled(*layers: onnx.NodeProto, y: Shape | None = None, **constants: Any) -> onnx.ModelProto:
    """Layers over the map m, pooled from x [B, 4, 1, 20] to [B, 4, 1, 18]."""
    nodes = [node("MaxPool", "x", "m", kernel_shape=[1, 3]), *layers]
    return model_of(nodes, [BATCH, 4, 1, 20], {"y": y or [BATCH, 4, 1, None]}, **constants)


def gather(inputs: str, output: str, axis: int = -1) -> onnx.NodeProto:
    return node("Gather", inputs, output, axis=axis)


FIRST, LAST = np.array([0, 3, 3, 11]), np.array([1, 4, 5, 17])


def test_gathers_move_rows_of_channels() -> None:
    layers = [gather("m a", "p"), gather("m b", "q"), node("Max", "p q")]
    result = rewritten(
        pooled(*layers, a=FIRST, b=LAST), "gathers_by_rows", "unused_dropped", sizes=(4, 1, 20)
    )
    assert operators(result) == ["MaxPool", "Transpose", "Gather", "Gather", "Max", "Transpose"]
    assert all(settings_of(layer) == {"axis": 2} for layer in result.graph.node if layer.op_type == "Gather")


def test_a_gather_that_others_use_stays_for_them() -> None:
    layers = [gather("m a", "p"), gather("m b", "q"), node("Max", "p q", "r"), node("Add", "p r")]
    result = rewritten(pooled(*layers, a=FIRST, b=LAST), "gathers_by_rows", sizes=(4, 1, 20))
    assert operators(result).count("Gather") == 4


@pytest.mark.parametrize(
    "model",
    [
        pooled(
            gather("m a", "p", 1),
            gather("m b", "q", 1),
            node("Max", "p q"),
            a=[0, 1],
            b=[2, 3],
            y=[BATCH, 2, 1, 18],
        ),
        pooled(gather("m a", "p"), gather("x b", "q"), node("Max", "p q"), a=FIRST, b=LAST),
        pooled(gather("m a", "p"), gather("m b", "q"), node("Add", "p q"), a=FIRST, b=LAST),
        pooled(gather("m a", "p"), node("Max", "p b"), a=FIRST, b=np.float32(0.5)),
        pooled(
            gather("m a", "p"),
            gather("m b", "q"),
            node("Max", "p q"),
            y=[BATCH, 4, 1],
            a=np.int64(2),
            b=np.int64(3),
        ),
    ],
    ids=["along channels", "of two maps", "added", "against a bound", "of one place"],
)
def test_other_gathers_stay(model: onnx.ModelProto) -> None:
    unchanged(model, "gathers_by_rows", (4, 1, 20))


# --- PReLU --------------------------------------------------------------------------------------------------


def prelu(slopes: Array) -> onnx.ModelProto:
    return model_of([node("PRelu", "x a")], [BATCH, 4, 6, 7], {"y": [BATCH, 4, 6, 7]}, a=slopes)


@pytest.mark.parametrize("shape", [(4, 1, 1), (1, 4, 1, 1)])
@pytest.mark.parametrize("slopes", [[0.25, 0.0, 0.9, 0.1], [1.0, -0.5, -3.0, 1e-6]])
def test_prelu_is_spelled_out(slopes: list[float], shape: tuple[int, ...]) -> None:
    result = rewritten(prelu(np.array(slopes, np.float32).reshape(shape)), "prelu_as_relu", sizes=(4, 6, 7))
    assert Counter(operators(result)) == {"Conv": 2, "Relu": 1, "Add": 1}


@pytest.mark.parametrize(
    "slopes",
    [
        np.array([0.25, 1.01, 0.0, 0.5], np.float32).reshape(4, 1, 1),
        np.full((4, 1, 1), 2.0, np.float32),
        np.full((1, 1, 1), 0.25, np.float32),  # one for all channels
        np.float32(0.25),
        np.linspace(0, 1, 7, dtype=np.float32),  # one a column
    ],
)
def test_prelu_stays_where_the_spelling_would_not_hold(slopes: Array) -> None:
    unchanged(prelu(slopes), "prelu_as_relu", (4, 6, 7))


def test_prelu_with_computed_slopes_stays() -> None:
    model = model_of(
        [node("Relu", "a", "b"), node("PRelu", "x b")],
        [BATCH, 4, 6, 7],
        {"y": [BATCH, 4, 6, 7]},
        a=noise(4, 1, 1) / 9,
    )
    unchanged(model, "prelu_as_relu", (4, 6, 7))


# --- batch norm ---------------------------------------------------------------------------------------------


def batch_norm(*layers: onnx.NodeProto, **changes: Any) -> onnx.ModelProto:
    weights = {
        "scale": noise(6),
        "shift": noise(6),
        "mean": noise(6),
        "variance": noise(6) ** 2 + np.float32(0.1),
        "w": noise(5, 6),
        "c": noise(5),
    }
    norm = node("BatchNormalization", "x scale shift mean variance", "n", epsilon=1e-3)
    return model_of([norm, *layers], [BATCH, 6], {"y": [BATCH, 5]}, **weights | changes)


def test_batch_norm_is_folded_into_the_linear_layer() -> None:
    model = batch_norm(node("Gemm", "n w c", transB=1))
    result = rewritten(model, "batch_norm_folded", "unused_dropped", sizes=(6,))
    assert operators(result) == ["Gemm"]
    assert {tensor.name for tensor in result.graph.initializer} == {"y.weight", "y.bias"}


@pytest.mark.parametrize(
    ("linear", "changes"),
    [
        (node("Gemm", "n w", transB=1), {}),
        (node("Gemm", "n w c"), {"w": noise(6, 5)}),
        (node("Gemm", "n w c", transB=1, alpha=0.5), {}),
        (node("Gemm", "n w c", transB=1, beta=2.0), {}),
    ],
)
def test_batch_norm_before_other_linear_layers_stays(
    linear: onnx.NodeProto, changes: dict[str, Array]
) -> None:
    unchanged(batch_norm(linear, **changes), "batch_norm_folded", (6,))


def test_batch_norm_that_others_use_stays_for_them() -> None:
    model = batch_norm(
        node("Gemm", "n w c", "g", transB=1), node("Sigmoid", "n", "m"), node("Gemm", "m w g", transB=1)
    )
    result = rewritten(model, "batch_norm_folded", sizes=(6,))
    assert Counter(operators(result))["BatchNormalization"] == 1


def test_batch_norm_with_computed_figures_stays() -> None:
    model = batch_norm(node("Gemm", "n w c", transB=1))
    model.graph.node[0].input[1] = "s"  # of the norm: its scale
    model.graph.node.insert(0, node("Relu", "scale", "s"))
    unchanged(model, "batch_norm_folded", (6,))


# --- frames -------------------------------------------------------------------------------------------------


def strided(kernel: int, stride: int, length: int, *, channels: int = 1, **settings: Any) -> onnx.ModelProto:
    group = settings.get("group", 1)
    weight = noise(4, channels // group, kernel)
    settings = {"kernel_shape": [kernel], "strides": [stride], "pads": [0, 0]} | settings
    return model_of([node("Conv", "x w b", **settings)], [BATCH, channels, length], w=weight, b=noise(4))


def normalised(norm: str = "ReduceL2", of: str = "x", keepdims: int = 1) -> onnx.ModelProto:
    nodes = [
        node("Abs", "x", "other"),
        node(norm, f"{of} axes", "norm", keepdims=keepdims),
        node("Clip", "norm smallest", "bounded"),
        node("Shape", "x", "shape"),
        node("Expand", "bounded shape", "spread"),
        node("Div", "x spread"),
    ]
    constants = {"axes": np.array([-1]), "smallest": np.float32(1e-12)}
    return model_of(nodes, [BATCH, 6], {"y": [BATCH, 6]}, **constants)


def test_division_by_the_norm_needs_no_shapes() -> None:
    result = rewritten(normalised(), "norm_not_spread", "unused_dropped", sizes=(6,))
    assert operators(result) == ["ReduceL2", "Clip", "Div"]


@pytest.mark.parametrize("model", [normalised("ReduceSum"), normalised(of="other")], ids=["sum", "other"])
def test_division_by_anything_else_stays(model: onnx.ModelProto) -> None:
    unchanged(model, "norm_not_spread", (6,))


@pytest.mark.parametrize(
    ("kernel", "stride", "length", "pads"),
    [
        (1024, 512, 160_000, [512, 512]),  # the network's own
        (1024, 512, 4096, [512, 512]),
        (8, 4, 40, [0, 0]),  # fits without remainder
        (8, 4, 43, [0, 0]),  # samples left over at the end are cut off
        (8, 4, 43, [4, 4]),
        (8, 4, 41, [3, 7]),
        (12, 4, 41, [5, 8]),
        (6, 2, 9, [1, 0]),
        (8, 4, 8, [0, 0]),  # one window
    ],
)
def test_windows_are_read_out_of_shared_blocks(
    kernel: int, stride: int, length: int, pads: list[int]
) -> None:
    model = strided(kernel, stride, length, pads=pads)
    result = rewritten(model, "strided_conv_over_frames", "unused_dropped", sizes=(1, length))
    assert operators(result) == ["Pad", "Reshape", "Transpose", "Conv"]
    weights = {tensor.name: list(tensor.dims) for tensor in result.graph.initializer}
    assert weights["y.weight"] == [4, stride, kernel // stride]
    assert "w" not in weights


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(strided(9, 4, 40), id="kernel is no multiple of the stride"),
        pytest.param(strided(4, 4, 40), id="windows share nothing"),
        pytest.param(strided(3, 1, 40), id="stride 1"),
        pytest.param(strided(8, 4, 60, dilations=[2]), id="dilation"),
        pytest.param(strided(8, 4, 40, channels=2), id="two channels"),
        pytest.param(strided(8, 4, 40, channels=2, group=2), id="two groups"),
        pytest.param(strided(8, 4, 41, auto_pad="SAME_UPPER", pads=None), id="padding unsaid"),
    ],
)
def test_other_convolutions_are_left_alone(model: onnx.ModelProto) -> None:
    channels, length = (dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim[1:])
    unchanged(model, "strided_conv_over_frames", (channels, length))


def test_a_convolution_over_an_unknown_length_is_left_alone() -> None:
    weight = noise(4, 1, 8)
    model = model_of([conv(kernel_shape=[8], strides=[4])], [BATCH, 1, "n"], w=weight)
    unchanged(model, "strided_conv_over_frames", (1, 40))


# --- all together -------------------------------------------------------------------------------------------


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


def worst(model: onnx.ModelProto, other: onnx.ModelProto, feeds: dict[str, Array]) -> float:
    pairs = zip(run(model, feeds), run(other, feeds), strict=True)
    return max(float(np.abs(a - b).max()) for a, b in pairs)


def test_each_rewrite_and_all_of_them_leave_the_network_what_it_computes(
    network: onnx.ModelProto, feeds: dict[str, Array]
) -> None:
    before = network.SerializeToString(deterministic=True)
    for names in [*((name,) for name in REWRITES), tuple(REWRITES)]:
        result = rewrite(network, names)
        assert network.SerializeToString(deterministic=True) == before  # it was handed over to be read only
        for n_clips in (1, 3):
            some = {name: feed[:n_clips] for name, feed in feeds.items()}
            assert worst(result, network, some) <= 1e-5, names


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
    with pytest.raises(ConfigError, match=r"no rewrite magic; choose out of: batch_norm_folded, strided"):
        in_order(["magic", "unused_dropped"])
    with pytest.raises(ConfigError, match="no rewrite magic"):
        rewrite(prelu(noise(4, 1, 1)), ["magic"])
