"""PReLU is spelled out where the spelling holds."""

from collections import Counter

import numpy as np
import onnx
import pytest

from support.graphs import BATCH, Array, model_of, node, noise, operators, rewritten, unchanged


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
