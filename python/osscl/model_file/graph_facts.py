"""Facts about an ONNX graph, read without the onnx package."""

import math
from collections import Counter
from typing import Any

from osscl.model_file.onnx_graph import read_graph


def graph_facts(model: bytes) -> dict[str, Any]:
    """Count what a graph holds.

    Parameters
    ----------
    model : bytes
        A serialised ONNX model, as `osscl.bundle.read_bundle` accepted it.

    Returns
    -------
    dict
        ``opset``, ``n_nodes``, ``n_parameters`` (elements of all constant tensors) and ``operators``
        (operator -> number of nodes).

    Raises
    ------
    MalformedError
        The bytes are no model; never for one that `osscl.bundle.read_bundle` accepted.
    """
    graph = read_graph(model)
    operators = Counter(node.operator for node in graph.nodes)
    return {
        "opset": graph.opset,
        "n_nodes": operators.total(),
        "n_parameters": sum(math.prod(tensor.shape) for tensor in graph.tensors.values()),
        "operators": dict(sorted(operators.items())),
    }
