"""One-dimensional layers as two-dimensional ones of height 1, for which runtimes have their fast kernels."""

from typing import Any

import numpy as np
import onnx_ir as ir

from osscl.export.rewrites.edit import Replacement, attribute, attributes, constant

_WINDOWED = {"Conv", "MaxPool"}
# Layers that look at each element alone, or along the last axis: another axis before that changes nothing.
_INDIFFERENT = {"Relu", "LeakyRelu", "Max", "Gather", "LayerNormalization"}
_AXIS_BY_DEFAULT = {"Gather": 0, "LayerNormalization": -1}
_HEIGHT_AXIS = np.array([2], np.int64)


def lift_to_2d(model: ir.Model) -> None:
    """Conv and MaxPool over [B, C, n] -> the same over [B, C, 1, n], with all layers in between.

    Runs of such layers are lifted as a whole: the axis comes in before the first and goes out after the last.
    """
    lifted: dict[ir.Value, ir.Value] = {}  # [B, C, n] -> [B, C, 1, n]
    replaced = []
    for node in list(model.graph):
        if _is_one_dimensional(node) or _continues_a_run(node, lifted):
            _lift(node, lifted)
            replaced.append(node)
    for node in replaced:
        _flatten_for_others(node, lifted[node.outputs[0]], replaced)
    model.graph.remove(replaced, safe=True)


def _is_one_dimensional(node: ir.Node) -> bool:
    if node.op_type not in _WINDOWED or len(attribute(node, "kernel_shape", [])) != 1:
        return False
    if len(node.outputs) != 1:  # indices of MaxPool
        return False
    return node.op_type == "MaxPool" or constant(node.inputs[1]) is not None


def _continues_a_run(node: ir.Node, lifted: dict[ir.Value, ir.Value]) -> bool:
    axis_by_default = _AXIS_BY_DEFAULT.get(node.op_type, -1)
    return (
        node.op_type in _INDIFFERENT
        and len(node.outputs) == 1
        and any(value in lifted for value in node.inputs)
        and all(value in lifted or _lies_along_the_last_axis(node, value) for value in node.inputs)
        and attribute(node, "axis", axis_by_default) == -1
    )


def _lies_along_the_last_axis(node: ir.Node, value: ir.Value | None) -> bool:
    """Whether a constant means the same beside [B, C, 1, n]; a scalar index would take the axis away."""
    array = constant(value)
    return array is not None and (array.ndim == 1 or (array.ndim == 0 and node.op_type != "Gather"))


def _lift(node: ir.Node, lifted: dict[ir.Value, ir.Value]) -> None:
    new = Replacement(node)
    data, *rest = node.inputs
    assert data is not None  # no layer here can do without its first input
    if node.op_type in _WINDOWED and data not in lifted:
        lifted[data] = new.op("Unsqueeze", [data, new.weight("height_axis", _HEIGHT_AXIS)])
    settings = attributes(node)
    if node.op_type in _WINDOWED:
        settings = {name: _for_two_axes(name, value) for name, value in settings.items()}
        rest = [_with_height(new, value) if i == 0 else value for i, value in enumerate(rest)]
    inputs = [value if value is None else lifted.get(value, value) for value in (data, *rest)]
    lifted[node.outputs[0]] = new.op(node.op_type, inputs, settings)
    new.insert()


def _for_two_axes(name: str, setting: Any) -> Any:
    """One setting of a layer over [n] for the layer over [1, n]."""
    if name == "pads":
        before, after = setting
        return [0, before, 0, after]
    return [1, *setting] if name in ("kernel_shape", "strides", "dilations") else setting


def _with_height(new: Replacement, weight: ir.Value | None) -> ir.Value:
    """Weight [C_out, C, k] -> [C_out, C, 1, k]."""
    array = constant(weight)
    assert array is not None
    return new.weight("weight_2d", array[:, :, np.newaxis, :])


def _flatten_for_others(node: ir.Node, high: ir.Value, replaced: list[ir.Node]) -> None:
    """Give layers that were not lifted the map without the axis."""
    old = node.outputs[0]
    others = [use for use in old.uses() if use.node not in replaced]
    if not others and not old.is_graph_output():
        return
    new = Replacement(node)
    flat = new.op("Squeeze", [high, new.weight("height_axis", _HEIGHT_AXIS)])
    new.insert()
    for use in others:
        use.node.replace_input_with(use.idx, flat)
    if old.is_graph_output():
        flat.name, old.name = old.name, None
        flat.type, flat.shape = old.type, old.shape
        assert isinstance(node.graph, ir.Graph)
        outputs = node.graph.outputs
        outputs[:] = [flat if output is old else output for output in outputs]
