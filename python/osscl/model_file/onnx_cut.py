"""A graph without some of its nodes: a value that they computed comes from outside instead."""

from collections.abc import Collection, Iterable, Sequence

from osscl.model_file import protobuf
from osscl.model_file.onnx_graph import GRAPH, INITIALIZER, INPUT, NODE, NODE_INPUT, Graph, Node, tensor_name
from osscl.model_file.onnx_values import value_info


def with_input(
    model: bytes,
    graph: Graph,
    node: Node,
    index: int,
    name: str,
    shape: Sequence[int],
    dispensable: Collection[Node],
) -> bytes:
    """Give a node another input, from outside the graph, and drop what only served the old one.

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
    dispensable : collection of Node
        Nodes that are dropped where nothing depends on them any more. All others stay, needed or not, so
        that whoever loads the model finds every flaw in them that it would have found before.

    Returns
    -------
    bytes
        A serialised ONNX model.
    """
    changed = _replace_input(node, index, name)
    kept = _without_unused(graph, node, index, dispensable)
    dropped = {id(each) for each in graph.nodes} - {id(each) for each in kept}
    unused = _inputs(each for each in graph.nodes if id(each) in dropped) - _inputs(kept) - _outputs(graph)
    body = b"".join(
        protobuf.length_delimited(NODE, changed if each is node else bytes(each.raw)) for each in kept
    )
    top = protobuf.single(protobuf.fields(memoryview(model)), GRAPH)
    for part in protobuf.fields(protobuf.inner(top)) if top else ():
        is_unused = part.number == INITIALIZER and tensor_name(protobuf.inner(part)) in unused
        if part.number != NODE and not is_unused:
            body += bytes(part.raw)
    body += protobuf.length_delimited(INPUT, value_info(name, shape))
    rest = b"".join(bytes(part.raw) for part in protobuf.fields(memoryview(model)) if part.number != GRAPH)
    return rest + protobuf.length_delimited(GRAPH, body)


def _replace_input(node: Node, index: int, name: str) -> bytes:
    inputs = (*node.inputs[:index], name, *node.inputs[index + 1 :])
    written = b"".join(protobuf.length_delimited(NODE_INPUT, each.encode()) for each in inputs)
    others = [part.raw for part in protobuf.fields(node.raw) if part.number != NODE_INPUT]
    return written + b"".join(map(bytes, others))


def _without_unused(graph: Graph, node: Node, index: int, dispensable: Collection[Node]) -> list[Node]:
    """Nodes that stay, in order; nodes stand in an order in which they can be computed."""
    may_go = {id(each) for each in dispensable}
    wanted = _outputs(graph)
    kept = []
    for each in reversed(graph.nodes):
        if id(each) in may_go and not wanted.intersection(each.outputs):
            continue
        kept.append(each)
        wanted.update(each.inputs if each is not node else _others(node.inputs, index))
    return kept[::-1]


def _others(names: Sequence[str], index: int) -> tuple[str, ...]:
    return (*names[:index], *names[index + 1 :])


def _inputs(nodes: Iterable[Node]) -> set[str]:
    return {name for node in nodes for name in node.inputs}


def _outputs(graph: Graph) -> set[str]:
    return {value.name for value in graph.outputs}
