"""PReLU out of layers that ONNX Runtime computes in its blocked layout, which PReLU itself would leave."""

from typing import Any

import numpy as np
import onnx_ir as ir

from osscl.export.rewrites.edit import Replacement, constant


def spell_out_prelu(model: ir.Model) -> None:
    """PRelu(y, a) -> Relu((1 - a) y) + a y, the factors as depthwise 1 x 1 convolutions.

    Equal where each slope a is at most 1: then (1 - a) y has the sign of y. Others stay as they are, as do
    slopes that are not one a channel of a map [B, C, H, W]; a single slope may be that of many channels.
    """
    for node in list(model.graph):
        slopes = constant(node.inputs[1]) if node.op_type == "PRelu" else None
        if slopes is not None and _is_one_a_channel(slopes) and (slopes <= 1.0).all():
            _spell_out(node, slopes.reshape(-1, 1, 1, 1))


def _is_one_a_channel(slopes: np.ndarray) -> bool:
    return slopes.size > 1 and slopes.shape[-3:] == (slopes.size, 1, 1)


def _spell_out(node: ir.Node, slopes: np.ndarray) -> None:  # slopes [C, 1, 1, 1]
    new = Replacement(node)
    y = node.inputs[0]
    per_channel: dict[str, Any] = {"group": len(slopes), "kernel_shape": [1, 1]}
    rest = new.op("Conv", [y, new.weight("one_minus_slope", 1.0 - slopes)], per_channel)
    part = new.op("Conv", [y, new.weight("slope", slopes)], per_channel)
    new.replace(new.op("Add", [new.op("Relu", [rest]), part]))
