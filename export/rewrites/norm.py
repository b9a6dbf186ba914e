"""Division by a norm that was spread over all components first: broadcasting does the same.

What spreads it computes shapes, and ONNX Runtime computes those on the CPU, whatever device the rest runs on.
"""

import onnx_ir as ir

from osscl.export.rewrites.edit import attribute


def divide_by_norm(model: ir.Model) -> None:
    """Div(x, Expand(y, shape)) -> Div(x, y), where y is the norm of x or that norm bounded.

    The norm keeps the axes of x, so that x's shape is the one to which it can be spread here.
    """
    for node in model.graph:
        spread = node.inputs[1].producer() if node.op_type == "Div" and node.inputs[1] is not None else None
        if spread is not None and spread.op_type == "Expand" and _is_norm(spread.inputs[0], node.inputs[0]):
            node.replace_input_with(1, spread.inputs[0])


def _is_norm(value: ir.Value | None, x: ir.Value | None) -> bool:
    node = None if value is None else value.producer()
    if node is not None and node.op_type == "Clip" and node.inputs[0] is not None:
        node = node.inputs[0].producer()
    return (
        node is not None
        and node.op_type == "ReduceL2"
        and node.inputs[0] is x
        and attribute(node, "keepdims", 1) == 1
    )
