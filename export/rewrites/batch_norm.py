"""Batch norm before a linear layer, folded into it: the exporter itself folds those after convolutions."""

import numpy as np
import onnx_ir as ir

from osscl.export.rewrites.edit import Replacement, attribute, constant


def fold_batch_norm(model: ir.Model) -> None:
    """Gemm(BatchNormalization(x), W, b) -> Gemm(x, W', b').

    The norm is x * factor + shift for each input of the layer, so W' = W * factor and b' = b + W shift.
    """
    for node in list(model.graph):
        norm = node.inputs[0].producer() if node.op_type == "Gemm" and node.inputs[0] is not None else None
        if norm is not None and _is_known_norm(norm) and _is_plain(node):
            _fold(norm, node)


def _is_known_norm(node: ir.Node) -> bool:
    return node.op_type == "BatchNormalization" and all(
        constant(value) is not None for value in node.inputs[1:]
    )


def _is_plain(linear: ir.Node) -> bool:
    """Whether y = x W^T + b, with W and b known."""
    return (
        attribute(linear, "transB", 0) == 1
        and all(attribute(linear, name, 1.0) == 1.0 for name in ("alpha", "beta"))
        and attribute(linear, "transA", 0) == 0
        and len(linear.inputs) == 3
        and all(constant(value) is not None for value in linear.inputs[1:])
    )


def _fold(norm: ir.Node, linear: ir.Node) -> None:
    scale, bias, mean, variance = (constant(value).astype(np.float64) for value in norm.inputs[1:])  # type: ignore[union-attr]
    weight, offset = (constant(value) for value in linear.inputs[1:])
    assert weight is not None
    assert offset is not None
    factor = scale / np.sqrt(variance + attribute(norm, "epsilon", 1e-5))  # [inputs]
    shift = bias - mean * factor  # [inputs]
    new = Replacement(linear)
    new_weight = new.weight("weight", (weight * factor).astype(np.float32))
    new_offset = new.weight("bias", (offset + weight @ shift).astype(np.float32))
    new.replace(new.op("Gemm", [norm.inputs[0], new_weight, new_offset], {"transB": 1}))
