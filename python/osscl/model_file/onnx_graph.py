"""As much of an ONNX graph as osscl looks at, read without the onnx package.

Whatever the bytes, reading them gives a graph or `protobuf.MalformedError`. What a part holds beyond what is
read here is marked (`is_plain`), so that nobody takes it for something that it is not.
"""

import math
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from osscl.model_file import protobuf
from osscl.model_file.onnx_values import Value, read_value

GRAPH = 7  # of ModelProto
NODE, INITIALIZER, INPUT, OUTPUT = 1, 5, 11, 12  # of GraphProto
NODE_INPUT = 1  # of NodeProto
_OPSET_IMPORT = 8  # of ModelProto
_OPSET_DOMAIN, _OPSET_VERSION = 1, 2  # of OperatorSetIdProto
_NODE_OUTPUT, _NODE_NAME, _OPERATOR, _ATTRIBUTE, _NODE_DOMAIN = 2, 3, 4, 5, 7  # of NodeProto
_ATTRIBUTE_NAME, _KIND = 1, 20  # of AttributeProto
_DIMENSIONS, _DATA_TYPE, _TENSOR_NAME, _RAW_DATA = 1, 2, 8, 9  # of TensorProto
_DTYPES: dict[int, np.dtype[Any]] = {1: np.dtype("<f4"), 7: np.dtype("<i8")}  # TensorProto.DataType

# What is read here, and names, documentation and metadata, which change nothing.
_PLAIN_MODEL = {1, 2, 3, 4, 5, 6, GRAPH, _OPSET_IMPORT, 14}
_PLAIN_GRAPH = {NODE, 2, INITIALIZER, 10, INPUT, OUTPUT, 16}
_PLAIN_NODE = {NODE_INPUT, _NODE_OUTPUT, _NODE_NAME, _OPERATOR, _ATTRIBUTE, 6, _NODE_DOMAIN, 9}
_PLAIN_TENSOR = {_DIMENSIONS, _DATA_TYPE, _TENSOR_NAME, _RAW_DATA, 12, 16}


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """A constant of a graph.

    Attributes
    ----------
    shape : tuple of int
        Its shape as stated: nothing says that the content fills it.
    data_type : int
        TensorProto.DataType.
    content : memoryview or None
        Its elements as bytes; None where they are stored in another way.
    is_plain : bool
        Whether it holds nothing else.
    """

    shape: tuple[int, ...]
    data_type: int
    content: memoryview | None
    is_plain: bool

    def array(self) -> npt.NDArray[Any] | None:
        """Content as float32 or int64; None where it is another type, empty, or does not fill its shape."""
        dtype = _DTYPES.get(self.data_type)
        if dtype is None or not self.content or not self.is_plain:
            return None
        if min(self.shape, default=1) < 1 or math.prod(self.shape) * dtype.itemsize != len(self.content):
            return None
        return np.frombuffer(self.content, dtype).reshape(self.shape)


Attribute: TypeAlias = int | float | str | tuple[int, ...] | Tensor | None
"""Value of a node's attribute; None where it is of another kind."""


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One node of a graph.

    Attributes
    ----------
    operator, domain : str
        Such as "Conv", of the operators of ONNX itself (the empty domain).
    name : str
        Its own name, often empty.
    inputs, outputs : tuple of str
        Names of values; an empty one is an input that is left out.
    attributes : mapping of str to Attribute
        By name.
    is_plain : bool
        Whether it holds nothing else, and every attribute could be read.
    raw : memoryview
        The node as it stands.
    """

    operator: str
    domain: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Attribute]
    is_plain: bool
    raw: memoryview


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Nodes and constants of a model.

    Attributes
    ----------
    opset : int
        Version of ONNX's operators that it is written in; 0 where it does not say.
    nodes : list of Node
        In the order of the graph.
    inputs, outputs : list of Value
        The graph's; constants that older files list among the inputs too are left out.
    tensors : dict of str to Tensor
        Constants by name.
    is_plain : bool
        Whether graph and model hold nothing else.
    """

    opset: int
    nodes: list[Node]
    inputs: list[Value]
    outputs: list[Value]
    tensors: dict[str, Tensor] = field(repr=False)
    is_plain: bool

    def constant(self, name: str) -> npt.NDArray[Any] | None:
        """Content of a constant; None where there is none of this name, or it cannot be read."""
        return self.tensors[name].array() if name in self.tensors else None

    def producers(self) -> dict[str, Node]:
        """Node that computes each value."""
        return {name: node for node in self.nodes for name in node.outputs if name}


def read_graph(model: bytes) -> Graph:
    """Read the graph of a model.

    Parameters
    ----------
    model : bytes
        A serialised ONNX model, or anything else.

    Returns
    -------
    Graph
        What it holds.

    Raises
    ------
    MalformedError
        The bytes are no model, or a part of it is malformed or stands twice.
    """
    tops = list(protobuf.fields(memoryview(model)))
    top = protobuf.single(tops, GRAPH)
    parts = list(protobuf.fields(protobuf.inner(top))) if top else []
    tensors = _tensors(part for part in parts if part.number == INITIALIZER)
    inputs, outputs = (
        [read_value(protobuf.inner(part)) for part in parts if part.number == number]
        for number in (INPUT, OUTPUT)
    )
    return Graph(
        opset=max((_opset(protobuf.inner(each)) for each in tops if each.number == _OPSET_IMPORT), default=0),
        nodes=[_node(protobuf.inner(part)) for part in parts if part.number == NODE],
        inputs=[value for value in inputs if value.name not in tensors],
        outputs=outputs,
        tensors=tensors,
        is_plain=_numbers(tops) <= _PLAIN_MODEL and _numbers(parts) <= _PLAIN_GRAPH,
    )


def tensor_name(message: memoryview) -> str:
    """Name of a constant, out of its TensorProto.

    Raises
    ------
    MalformedError
        It is malformed.
    """
    return protobuf.text(protobuf.single(protobuf.fields(message), _TENSOR_NAME))


def read_tensor(message: memoryview) -> Tensor:
    """Read a constant.

    Parameters
    ----------
    message : memoryview
        TensorProto.

    Returns
    -------
    Tensor
        What it holds.

    Raises
    ------
    MalformedError
        It is malformed.
    """
    parts = list(protobuf.fields(message))
    content = protobuf.single(parts, _RAW_DATA)
    return Tensor(
        shape=tuple(size for part in parts if part.number == _DIMENSIONS for size in protobuf.integers(part)),
        data_type=protobuf.integer(protobuf.single(parts, _DATA_TYPE)),
        content=None if content is None else protobuf.inner(content),
        is_plain=_numbers(parts) <= _PLAIN_TENSOR,
    )


def _numbers(parts: list[protobuf.Field]) -> set[int]:
    return {part.number for part in parts}


def _opset(message: memoryview) -> int:
    """Version of ONNX's own operators; 0 of any others."""
    parts = list(protobuf.fields(message))
    domain = protobuf.text(protobuf.single(parts, _OPSET_DOMAIN))
    version = protobuf.integer(protobuf.single(parts, _OPSET_VERSION))
    return 0 if domain else version


def _tensors(parts: Iterator[protobuf.Field]) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    for part in parts:
        message = protobuf.inner(part)
        name = tensor_name(message)
        if name in tensors:
            raise protobuf.MalformedError(f"two constants have the name {name[:40]!r}")
        tensors[name] = read_tensor(message)
    return tensors


def _node(message: memoryview) -> Node:
    parts = list(protobuf.fields(message))
    attributes: dict[str, Attribute] = {}
    for part in parts:
        if part.number == _ATTRIBUTE:
            name, value = _attribute(protobuf.inner(part))
            if name in attributes:
                raise protobuf.MalformedError(f"a node has two attributes {name[:40]!r}")
            attributes[name] = value
    inputs, outputs = (
        tuple(protobuf.text(part) for part in parts if part.number == number)
        for number in (NODE_INPUT, _NODE_OUTPUT)
    )
    operator, domain, name = (
        protobuf.text(protobuf.single(parts, number)) for number in (_OPERATOR, _NODE_DOMAIN, _NODE_NAME)
    )
    is_plain = _numbers(parts) <= _PLAIN_NODE and None not in attributes.values()
    return Node(operator, domain, name, inputs, outputs, attributes, is_plain, message)


def _attribute(message: memoryview) -> tuple[str, Attribute]:
    """Name and value. A value that its kind does not announce makes it one of another kind."""
    parts = list(protobuf.fields(message))
    name = protobuf.text(protobuf.single(parts, _ATTRIBUTE_NAME))
    kind = protobuf.integer(protobuf.single(parts, _KIND))
    if kind not in _READERS:
        return name, None
    number, read = _READERS[kind]
    if not _numbers(parts) <= {_ATTRIBUTE_NAME, _KIND, number}:
        return name, None
    return name, read([part for part in parts if part.number == number])


def _float(value: protobuf.Field | None) -> float:
    if value is None:
        return 0.0
    if value.wire_type != protobuf.FIXED_32:
        raise protobuf.MalformedError(f"field {value.number} is not a float")
    (number,) = struct.unpack("<f", value.payload)
    return float(number)


def _integers(values: list[protobuf.Field]) -> tuple[int, ...]:
    return tuple(number for value in values for number in protobuf.integers(value))


def _tensor(value: protobuf.Field | None) -> Tensor | None:
    return None if value is None else read_tensor(protobuf.inner(value))


# AttributeProto.AttributeType -> the field that holds such a value, and what reads it
_READERS: dict[int, tuple[int, Callable[[list[protobuf.Field]], Attribute]]] = {
    1: (2, lambda values: _float(protobuf.single(values, 2))),
    2: (3, lambda values: protobuf.integer(protobuf.single(values, 3))),
    3: (4, lambda values: protobuf.text(protobuf.single(values, 4))),
    4: (5, lambda values: _tensor(protobuf.single(values, 5))),
    7: (8, _integers),
}
