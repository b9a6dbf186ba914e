"""1-D layers become 2-D ones: the same numbers, another shape; and what must stay as it is stays."""

from collections import Counter
from typing import Any

import numpy as np
import onnx
import pytest

from support.graphs import (
    BATCH,
    Array,
    Shape,
    conv,
    model_of,
    node,
    noise,
    operators,
    rewritten,
    settings_of,
    unchanged,
)


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
