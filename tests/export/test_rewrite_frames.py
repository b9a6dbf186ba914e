"""Windows of convolutions are read out of shared blocks; division by the norm."""

from typing import Any

import numpy as np
import onnx
import pytest

from support.graphs import BATCH, conv, model_of, node, noise, operators, rewritten, unchanged


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
