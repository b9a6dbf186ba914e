"""Batch norm is folded into linear layers."""

from collections import Counter
from typing import Any

import numpy as np
import onnx
import pytest

from support.graphs import BATCH, Array, model_of, node, noise, operators, rewritten, unchanged


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
