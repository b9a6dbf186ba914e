"""As much of an ONNX graph as taking a part out of it needs, read and written without the onnx package."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from osscl.model_file import protobuf

_GRAPH = 7  # of ModelProto
_NODE, _INITIALIZER, _INPUT, _OUTPUT = 1, 5, 11, 12  # of GraphProto
_NODE_INPUT, _NODE_OUTPUT, _OPERATOR, _ATTRIBUTE = 1, 2, 4, 5  # of NodeProto
_ATTRIBUTE_NAME, _ATTRIBUTE_INT, _ATTRIBUTE_INTS = 1, 3, 8  # of AttributeProto
_DIMENSIONS, _DATA_TYPE, _TENSOR_NAME, _RAW_DATA = 1, 2, 8, 9  # of TensorProto
_DTYPES: dict[int, np.dtype[Any]] = {1: np.dtype("<f4"), 7: np.dtype("<i8")}  # TensorProto.DataType
_FLOAT = 1


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One node of a graph.

    Attributes
    ----------
    operator : str
        Such as "Conv".
    inputs, outputs : tuple of str
        Names of values.
    ints : mapping of str to tuple of int
        Attributes that are integers or lists of them.
    raw : bytes
        The node as it stands.
    """

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    ints: Mapping[str, tuple[int, ...]]
    raw: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Nodes and constants of a model.

    Attributes
    ----------
    nodes : list of Node
        In the order of the graph.
    outputs : list of str
        Names of the graph's outputs.
    tensors : dict of str to memoryview
        Constants by name, as they stand.
    """

    nodes: list[Node]
    outputs: list[str]
    tensors: dict[str, memoryview] = field(repr=False)

    def constant(self, name: str) -> npt.NDArray[Any] | None:
        """Content of a constant of float32 or int64; None where there is none of this name or these types."""
        return _array(self.tensors[name]) if name in self.tensors else None

    def producers(self) -> dict[str, Node]:
        """Node that computes each value."""
        return {name: node for node in self.nodes for name in node.outputs}


def read_graph(model: bytes) -> Graph:
    """Read the graph of a serialised ONNX model that `osscl.bundle.read_bundle` accepted."""
    graph = Graph([], [], {})
    for part in _parts(model):
        if part.number == _NODE:
            graph.nodes.append(_node(part.payload))
        elif part.number == _OUTPUT:
            graph.outputs.append(_texts(part.payload, 1)[0])
        elif part.number == _INITIALIZER:
            graph.tensors[_texts(part.payload, _TENSOR_NAME)[0]] = part.payload
    return graph


def with_input(model: bytes, graph: Graph, node: Node, index: int, name: str, shape: Sequence[int]) -> bytes:
    """Give a node another input, from outside the graph, and drop what then nothing depends on.

    Parameters
    ----------
    model : bytes
        A serialised ONNX model.
    graph : Graph
        Its graph.
    node : Node
        One of its nodes.
    index : int
        Which of the node's inputs shall come from outside.
    name : str
        Name of the new input of the graph.
    shape : sequence of int
        Its shape behind the batch axis; it is float32.

    Returns
    -------
    bytes
        A serialised ONNX model.
    """
    changed = _replace_input(node, index, name)
    needed = _needed([changed if each is node else each for each in graph.nodes], graph.outputs)
    kept = {name for each in needed for name in each.inputs}
    body = b"".join(protobuf.length_delimited(_NODE, each.raw) for each in needed)
    for part in _parts(model):
        is_dropped = part.number == _INITIALIZER and _texts(part.payload, _TENSOR_NAME)[0] not in kept
        if part.number != _NODE and not is_dropped:
            body += bytes(part.raw)
    body += protobuf.length_delimited(_INPUT, value_info(name, shape))
    rest = b"".join(bytes(part.raw) for part in protobuf.fields(memoryview(model)) if part.number != _GRAPH)
    return rest + protobuf.length_delimited(_GRAPH, body)


def value_info(name: str, shape: Sequence[int]) -> bytes:
    """Describe an input or output of a graph: ValueInfoProto of a float32 tensor [batch, *shape].

    Parameters
    ----------
    name : str
        Its name.
    shape : sequence of int
        Its shape behind the batch axis.

    Returns
    -------
    bytes
        The message.
    """
    dimensions = protobuf.length_delimited(2, b"batch"), *(protobuf.varint(1, size) for size in shape)
    shape_message = b"".join(protobuf.length_delimited(1, dimension) for dimension in dimensions)
    tensor = protobuf.varint(1, _FLOAT) + protobuf.length_delimited(2, shape_message)
    return protobuf.length_delimited(1, name.encode()) + protobuf.length_delimited(
        2, protobuf.length_delimited(1, tensor)
    )


def _parts(model: bytes) -> list[protobuf.Field]:
    return [
        part
        for top in protobuf.fields(memoryview(model))
        if top.number == _GRAPH
        for part in protobuf.fields(top.payload)
    ]


def _node(message: memoryview) -> Node:
    ints: dict[str, tuple[int, ...]] = {}
    for part in protobuf.fields(message):
        if part.number == _ATTRIBUTE:
            ints[_texts(part.payload, _ATTRIBUTE_NAME)[0]] = _numbers(
                part.payload, _ATTRIBUTE_INT, _ATTRIBUTE_INTS
            )
    (operator,) = _texts(message, _OPERATOR)
    inputs, outputs = (tuple(_texts(message, number)) for number in (_NODE_INPUT, _NODE_OUTPUT))
    return Node(operator, inputs, outputs, ints, bytes(message))


def _texts(message: memoryview, number: int) -> list[str]:
    return [bytes(part.payload).decode() for part in protobuf.fields(message) if part.number == number]


def _numbers(message: memoryview, *fields: int) -> tuple[int, ...]:
    return tuple(
        value
        for part in protobuf.fields(message)
        if part.number in fields and part.wire_type in (protobuf.VARINT, protobuf.LENGTH_DELIMITED)
        for value in protobuf.packed_varints(part.payload)
    )


def _array(tensor: memoryview) -> npt.NDArray[Any] | None:
    dtype = _DTYPES.get(_numbers(tensor, _DATA_TYPE)[0])
    raw = [part.payload for part in protobuf.fields(tensor) if part.number == _RAW_DATA]
    if dtype is None or not raw:
        return None
    array: npt.NDArray[Any] = np.frombuffer(raw[0], dtype)
    return array.reshape(_numbers(tensor, _DIMENSIONS))


def _replace_input(node: Node, index: int, name: str) -> Node:
    inputs = (*node.inputs[:index], name, *node.inputs[index + 1 :])
    written = b"".join(protobuf.length_delimited(_NODE_INPUT, each.encode()) for each in inputs)
    others = [part.raw for part in protobuf.fields(memoryview(node.raw)) if part.number != _NODE_INPUT]
    return Node(node.operator, inputs, node.outputs, node.ints, written + b"".join(map(bytes, others)))


def _needed(nodes: Sequence[Node], outputs: Sequence[str]) -> list[Node]:
    """Nodes that the outputs depend on, in order; nodes stand in an order in which they can be computed."""
    wanted = set(outputs)
    needed = []
    for node in reversed(nodes):
        if wanted.intersection(node.outputs):
            wanted.update(node.inputs)
            needed.append(node)
    return needed[::-1]
