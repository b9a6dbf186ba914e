"""What a graph may ask for: no runtime bounds the time or memory that it takes to do as it says."""

import math
from collections.abc import Iterator, Mapping

import numpy as np

from osscl.errors import ModelFileError
from osscl.model_file import protobuf
from osscl.model_file.onnx_graph import Graph, Node, Tensor, read_tensor
from osscl.model_file.onnx_messages import ATTRIBUTE, FUNCTION, SPARSE_TENSOR, TENSOR, messages
from osscl.support.paths import brief

MAX_ELEMENTS = 2**26
"""Elements of a tensor whose size a constant or an attribute of the graph states: 256 MiB in float32."""

_ELEMENTS_IN_A_BYTE = 4  # of ONNX's smallest types, those of two bits
_GRAPHS_IN_ATTRIBUTE = {6, 11}  # of AttributeProto
# Operators that make a tensor of a size that one of their inputs states: which one does.
_SIZE_INPUT = {"ConstantOfShape": 0, "Expand": 1, "Tile": 1, "Pad": 1}
_SUMMED = {"Pad"}  # whose sizes are added to those of another tensor


def check_limits(model: bytes, graph: Graph) -> None:
    """Refuse a graph that may take any time or memory, as far as can be told without running it.

    Parameters
    ----------
    model : bytes
        A serialised ONNX model.
    graph : Graph
        Its graph.

    Raises
    ------
    ModelFileError
        It holds graphs in nodes, functions, sparse tensors, constants larger than what is stored of them, or
        nodes that ask for more than `MAX_ELEMENTS`.
    MalformedError
        The bytes are no model.
    """
    for flaw in (*_foreign_messages(model), *_boundless_nodes(graph)):
        raise ModelFileError(f"{flaw}; export the model again with osscl-export")


def _foreign_messages(model: bytes) -> Iterator[str]:
    """What no exporter of osscl writes, and what may take any time or memory."""
    for kind, message in messages(model):
        if kind == TENSOR:
            yield from _oversized(read_tensor(message), len(message))
        elif kind == SPARSE_TENSOR:
            yield "the graph holds a sparse tensor; expected dense ones"
        elif kind == FUNCTION:
            yield "the model holds functions of its own; expected operators of ONNX"
        elif kind == ATTRIBUTE and _GRAPHS_IN_ATTRIBUTE & {part.number for part in protobuf.fields(message)}:
            yield "a node holds a graph of its own (If, Loop, Scan); expected the same steps for each clip"


def _oversized(tensor: Tensor, n_bytes: int) -> Iterator[str]:
    """A constant cannot have more elements than its bytes can hold, but a runtime may take them all first."""
    if min(tensor.shape, default=0) < 0 or math.prod(tensor.shape) > _ELEMENTS_IN_A_BYTE * n_bytes:
        yield f"a constant states the shape {brief(list(tensor.shape))}, but has {n_bytes} bytes"


def _boundless_nodes(graph: Graph) -> Iterator[str]:
    """A few bytes may ask for gigabytes."""
    computed = {
        name: node.attributes.get("value")
        for node in graph.nodes
        if node.operator == "Constant"
        for name in node.outputs
    }
    for node in graph.nodes:
        for size in (*_attribute_sizes(node), *_input_sizes(graph, computed, node)):
            if size > MAX_ELEMENTS:
                yield (
                    f"a node {brief(node.operator)} of the graph asks for a size of {brief(size)}; "
                    f"{MAX_ELEMENTS} are allowed"
                )


def _attribute_sizes(node: Node) -> Iterator[int]:
    for value in node.attributes.values():
        if isinstance(value, int):
            yield abs(value)
        elif isinstance(value, tuple):
            yield math.prod(abs(number) or 1 for number in value)


def _input_sizes(graph: Graph, computed: Mapping[str, object], node: Node) -> Iterator[int]:
    index = _SIZE_INPUT.get(node.operator)
    if index is None or index >= len(node.inputs):
        return
    name = node.inputs[index]
    tensor = graph.tensors.get(name, computed.get(name))
    array = tensor.array() if isinstance(tensor, Tensor) else None
    if array is not None and array.dtype == np.int64:
        sizes = [abs(number) for number in array.ravel().tolist()]
        yield sum(sizes) if node.operator in _SUMMED else math.prod(sizes)
