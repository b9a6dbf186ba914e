"""Gathers after pooling move rows of channels."""

from typing import Any

import numpy as np
import onnx
import pytest

from support.graphs import BATCH, Shape, model_of, node, operators, rewritten, settings_of, unchanged


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
