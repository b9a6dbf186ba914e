"""Weights and nodes that no output depends on."""

import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedNodesPass


def drop_unused(model: ir.Model) -> None:
    """Drop what nothing uses, such as the weights that other rewrites put new ones in place of."""
    RemoveUnusedNodesPass()(model)
