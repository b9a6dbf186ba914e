"""fp16 and bf16 written into the graph: heavy layers and what lies between them, with islands of fp32."""

from collections.abc import Collection
from typing import Literal, TypeAlias

import numpy as np
import onnx
import onnx_ir as ir

from osscl.errors import ConfigError
from osscl.export.rewrites.unused import drop_unused

Half: TypeAlias = Literal["fp16", "bf16"]

_TYPES = {"fp16": ir.DataType.FLOAT16, "bf16": ir.DataType.BFLOAT16}
_OPSET_WITH_BF16 = 22  # the first whose convolutions and poolings know it

_HEAVY = {"Conv", "Gemm"}
# Layers that round no worse than a cast does: they take the type of what is around them. All others stay in
# fp32, such as layer norm, the L2 norm, and the front end's transform where it stands in the graph.
_BETWEEN = {
    *("Add", "LeakyRelu", "Max", "MaxPool", "PRelu", "Relu"),
    *("Concat", "Gather", "Pad", "Reshape", "Squeeze", "Transpose", "Unsqueeze"),
}


def in_half(graph: onnx.ModelProto, precision: Half) -> onnx.ModelProto:
    """Write a 16-bit type into a graph.

    Convolutions and linear layers compute in it, and so does a layer between them where one of its inputs is
    of that type, or all that read it are. Weights are rounded here; casts stand where the type changes, each
    value cast once. The graph's inputs stay float32, as do the layers that give its outputs.

    Parameters
    ----------
    graph : onnx.ModelProto
        In fp32; stays as it is.
    precision : {"fp16", "bf16"}
        The type.

    Returns
    -------
    onnx.ModelProto
        The same network; every operator is given one floating-point type alone, as strongly typed runtimes
        demand. For bf16 the opset is 22.

    Raises
    ------
    ConfigError
        A weight is too large for fp16.
    """
    if precision == "bf16":
        graph = onnx.version_converter.convert_version(graph, _OPSET_WITH_BF16)
    model = ir.from_proto(onnx.shape_inference.infer_shapes(graph, strict_mode=True))
    _retype(model.graph, _nodes_in_half(model.graph), precision)
    drop_unused(model)
    proto: onnx.ModelProto = ir.to_proto(model)
    proto.graph.ClearField("value_info")  # states the types of before
    onnx.checker.check_model(proto, full_check=True)
    return proto


def _nodes_in_half(graph: ir.Graph) -> set[ir.Node]:
    nodes = [node for node in graph if not any(value.is_graph_output() for value in node.outputs)]
    half = {node for node in nodes if node.op_type in _HEAVY}
    between = [node for node in nodes if node.op_type in _BETWEEN and _is_float32(node.outputs[0])]
    for node in between:
        if not half.isdisjoint(node.predecessors()):
            half.add(node)
    for node in reversed(between):  # so that inputs are cast before they are moved, which moves half as much
        if half.issuperset(node.successors()):
            half.add(node)
    return half


def _is_float32(value: ir.Value | None) -> bool:
    return value is not None and value.dtype == ir.DataType.FLOAT


def _retype(graph: ir.Graph, half: Collection[ir.Node], precision: Half) -> None:
    """Let nodes compute in half, and give all nodes their inputs in the type they compute in."""
    casts = _Casts(graph, precision)
    computed = {value for node in half for value in node.outputs if _is_float32(value)}
    readers = [(node, index, value) for node in graph for index, value in enumerate(node.inputs)]
    for node, index, value in readers:
        if value in computed and node not in half:
            node.replace_input_with(index, casts.to_float32(value))
        elif value not in computed and node in half and value is not None and _is_float32(value):
            node.replace_input_with(index, casts.to_half(value))
    for value in computed:
        value.dtype = _TYPES[precision]


class _Casts:
    """Values in another type than they are computed in, each cast once for all that read it."""

    def __init__(self, graph: ir.Graph, precision: Half) -> None:
        self._graph = graph
        self._precision = precision
        self._done: dict[ir.Value, ir.Value] = {}

    def to_half(self, value: ir.Value) -> ir.Value:
        if value not in self._done:
            is_weight = value.const_value is not None
            self._done[value] = (
                self._rounded(value) if is_weight else self._cast(value, _TYPES[self._precision])
            )
        return self._done[value]

    def to_float32(self, value: ir.Value) -> ir.Value:
        if value not in self._done:
            self._done[value] = self._cast(value, ir.DataType.FLOAT)
        return self._done[value]

    def _cast(self, value: ir.Value, to: ir.DataType) -> ir.Value:
        node = ir.node("Cast", [value], {"to": int(to)})
        (output,) = node.outputs
        output.name, output.dtype = f"{value.name}.{to.name.lower()}", to
        producer = value.producer()
        if producer is None:
            self._graph.insert_before(self._graph[0], node)
        else:
            self._graph.insert_after(producer, node)
        return output

    def _rounded(self, weight: ir.Value) -> ir.Value:
        """The weight as a constant of the type."""
        assert weight.const_value is not None
        array = weight.const_value.numpy()
        dtype = _TYPES[self._precision]
        with np.errstate(over="ignore"):
            rounded = array.astype(dtype.numpy())
        if not np.isfinite(rounded.astype(np.float32)).all():
            raise ConfigError(
                f"precision is {self._precision}, but the weight {weight.name} reaches "
                f"{np.abs(array).max():.3g}, beyond that type: choose bf16 or fp32"
            )
        name = f"{weight.name}.{self._precision}"
        value = ir.Value(name=name, const_value=ir.tensor(rounded, dtype=dtype, name=name))
        self._graph.register_initializer(value)
        return value
