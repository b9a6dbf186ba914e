"""The order of a graph's nodes: every value is computed once, before it is used, as ONNX demands.

ONNX Runtime refuses anything else in its own words; OpenVINO walks around a circle for ever.
"""

from collections.abc import Iterator

from osscl.errors import ModelFileError
from osscl.model_file.onnx_graph import Graph
from osscl.support.paths import brief


def check_order(graph: Graph) -> None:
    """Refuse a graph that cannot be computed from its first node to its last.

    Parameters
    ----------
    graph : Graph
        The graph.

    Raises
    ------
    ModelFileError
        A value is used before it is computed, or computed twice.
    """
    for flaw in order_flaws(graph):
        raise ModelFileError(f"{flaw}; export the model again with osscl-export")


def order_flaws(graph: Graph) -> Iterator[str]:
    """Find what keeps a graph from being computed in its order.

    Parameters
    ----------
    graph : Graph
        The graph.

    Yields
    ------
    str
        One sentence for each value that is used too early or computed again.
    """
    known = {value.name for value in graph.inputs} | graph.tensors.keys()
    for node in graph.nodes:
        for name in node.inputs:
            if name and name not in known:
                yield f"a node {brief(node.operator)} of the graph uses '{brief(name)}' before it is computed"
        for name in node.outputs:
            if name in known:
                yield f"the graph computes '{brief(name)}' twice"
            if name:
                known.add(name)
    for value in graph.outputs:
        if value.name not in known:
            yield f"nothing computes the output '{brief(value.name)}' of the graph"
