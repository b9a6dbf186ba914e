"""Shapes of a graph's values, as far as they follow from its inputs and constants, and what cannot fit.

ONNX Runtime looks for itself. OpenVINO takes axes that a value does not have, and sizes that differ, and
reads or writes beyond the memory of its tensors. Nothing here guesses: what is not known is let be.
"""

from collections.abc import Mapping

import numpy as np

from osscl.errors import ModelFileError
from osscl.model_file.onnx_graph import Graph, Tensor
from osscl.model_file.shape_rules import Call, MisfitError, Shape, Size, shape_of
from osscl.support.paths import brief

_BATCH = "batch"


def check_shapes(graph: Graph) -> None:
    """Refuse a graph in which a node is given what does not fit.

    Parameters
    ----------
    graph : Graph
        Its nodes stand in an order in which they can be computed.

    Raises
    ------
    ModelFileError
        A node names an axis that its input does not have, or its inputs have sizes that cannot meet.
    """
    known: dict[str, Shape] = {value.name: _without_names(value.shape) for value in graph.inputs}
    known.update({name: tensor.shape for name, tensor in graph.tensors.items()})
    constants = dict(graph.tensors)
    for node in graph.nodes:
        value = node.attributes.get("value")
        if node.operator == "Constant" and isinstance(value, Tensor) and node.outputs:
            constants[node.outputs[0]] = value
            known[node.outputs[0]] = value.shape
        elif node.outputs and not node.domain:
            integers = [_integers(constants.get(name)) for name in node.inputs]
            call = Call(node, [known.get(name) for name in node.inputs], integers)
            known[node.outputs[0]] = _shape(call)
    _check_outputs(graph, known)


def _check_outputs(graph: Graph, known: Mapping[str, Shape]) -> None:
    for output in graph.outputs:
        computed, stated = known.get(output.name), _without_names(output.shape)
        if computed is not None and stated is not None and not _agree(computed, stated):
            raise ModelFileError(
                f"the graph computes {brief(output.name)} of the shape {brief(list(computed))} and states "
                f"{brief(list(stated))}; export the model again with osscl-export"
            )


def _without_names(shape: Shape) -> Shape:
    """All sizes that have a name stand for the batch, whatever the name is."""
    return None if shape is None else tuple(_BATCH if isinstance(size, str) else size for size in shape)


def _agree(one: tuple[Size, ...], other: tuple[Size, ...]) -> bool:
    pairs = zip(one, other, strict=False)
    return len(one) == len(other) and all(a == b or None in (a, b) for a, b in pairs)


def _integers(tensor: Tensor | None) -> list[int] | None:
    array = None if tensor is None else tensor.array()
    return array.ravel().tolist() if array is not None and array.dtype == np.int64 else None


def _shape(call: Call) -> Shape:
    try:
        return shape_of(call)
    except MisfitError as misfit:
        raise ModelFileError(
            f"a node {brief(call.node.operator)} of the graph {misfit}; "
            "export the model again with osscl-export"
        ) from None
