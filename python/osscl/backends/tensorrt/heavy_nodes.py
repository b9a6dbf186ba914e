"""The heavy layers of a graph, and the type in which it states each of them."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from osscl.errors import BackendError
from osscl.model_file.manifest import Precision
from osscl.model_file.onnx_graph import Attribute, Graph, Node, read_graph

HEAVY_WEIGHTS = 2**14
"""Weights of a convolution or matrix product that make it heavy."""

_PRODUCTS = {"Conv", "Gemm", "MatMul"}
_PASSED_THROUGH = {"Cast", "DequantizeLinear", "Identity", "Reshape", "Transpose", "Unsqueeze"}
_TYPES = {1: "fp32", 3: "int8", 10: "fp16", 16: "bf16"}  # TensorProto.DataType


@dataclass(frozen=True, slots=True)
class HeavyNode:
    """A convolution or matrix product with many weights.

    Attributes
    ----------
    dtype : str
        Type of its weights: a precision's name.
    n_weights : int
        How many there are.
    """

    dtype: str
    n_weights: int


def heavy_nodes(model: bytes) -> dict[str, HeavyNode]:
    """Find the heavy layers of a graph.

    Parameters
    ----------
    model : bytes
        A serialised ONNX model that `osscl.bundle.read_bundle` accepted.

    Returns
    -------
    dict of str to HeavyNode
        By the name of the node.
    """
    graph = read_graph(model)
    producers = graph.producers()
    found = {}
    for node in graph.nodes:
        if node.operator not in _PRODUCTS or len(node.inputs) < 2:
            continue
        weights = _weights(graph, producers, node.inputs[1])
        if weights is not None and weights.n_weights >= HEAVY_WEIGHTS:
            found[_name(node)] = weights
    return found


def check_graph_precision(nodes: Mapping[str, HeavyNode], precision: Precision) -> None:
    """Refuse a graph that does not state its precision itself, as TensorRT needs it.

    Parameters
    ----------
    nodes : mapping of str to HeavyNode
        Its heavy layers.
    precision : str
        What its manifest says.

    Raises
    ------
    BackendError
        Less than half of their weights are of that type.
    """
    weights: Counter[str] = Counter()
    for node in nodes.values():
        weights[node.dtype] += node.n_weights
    if 2 * weights[precision] < weights.total() or not weights:
        stated = ", ".join(f"{count:,} in {dtype}" for dtype, count in weights.most_common()) or "none"
        raise BackendError(
            f"the model is {precision}, but its graph is not (weights of its heavy layers: {stated}), and "
            f"TensorRT computes what the graph says: export it again (osscl-export --precision {precision})"
        )


def _weights(graph: Graph, producers: Mapping[str, Node], value: str) -> HeavyNode | None:
    """The constant behind a value, through the nodes that change its type or shape."""
    cast_to: Attribute = None
    passed: set[str] = set()
    while value not in graph.tensors:
        node = producers.get(value)
        if node is None or node.operator not in _PASSED_THROUGH or not node.inputs or value in passed:
            return None
        passed.add(value)
        if node.operator == "Cast":
            cast_to = cast_to or node.attributes.get("to")
        value = node.inputs[0]
    tensor = graph.tensors[value]
    data_type = cast_to if isinstance(cast_to, int) else tensor.data_type
    return HeavyNode(_TYPES.get(data_type, f"ONNX type {data_type}"), math.prod(tensor.shape))


def _name(node: Node) -> str:
    """Name of a node; TensorRT names one without a name by its output."""
    return node.name or next(iter(node.outputs), "")
