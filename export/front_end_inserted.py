"""The log-mel put inside a graph that was exported without it."""

import onnx

from osscl.config import ModelConfig
from osscl.errors import CheckpointError
from osscl.export.to_onnx import OPSET, build_front_end
from osscl.model_file.signature import graph_inputs

_PREFIX = "front_end."


def with_front_end(graph: onnx.ModelProto, model: ModelConfig) -> onnx.ModelProto:
    """Let a graph compute the log-mel itself, as one does that is exported so from a checkpoint.

    Parameters
    ----------
    graph : onnx.ModelProto
        The network, with the log-mel among its inputs; it stays as it is.
    model : ModelConfig
        Its shape.

    Returns
    -------
    onnx.ModelProto
        The network with the waveform as its one input.

    Raises
    ------
    CheckpointError
        It is written in another opset than the front end is.
    """
    opsets = {each.domain: each.version for each in graph.opset_import}
    if opsets != {"": OPSET}:
        raise CheckpointError(
            f"the model is written in opset {opsets.get('', 'none')}, the log-mel in {OPSET}: "
            "export its checkpoint with --front-end graph instead"
        )
    (waveform,) = graph_inputs(model, "graph")
    front_end = build_front_end(waveform).graph
    renamed = _names(front_end)
    joined = onnx.ModelProto()
    joined.CopyFrom(graph)
    nodes = list(graph.graph.node)
    del joined.graph.node[:], joined.graph.input[:]
    for node in front_end.node:
        added = joined.graph.node.add()
        added.CopyFrom(node)
        added.name = _PREFIX + node.name
        added.input[:] = [renamed[name] for name in node.input]
        added.output[:] = [renamed[name] for name in node.output]
    joined.graph.node.extend(nodes)
    for tensor in front_end.initializer:
        added_tensor = joined.graph.initializer.add()
        added_tensor.CopyFrom(tensor)
        added_tensor.name = renamed[tensor.name]
    joined.graph.input.extend(front_end.input)
    onnx.checker.check_model(joined, full_check=True)
    return joined


def _names(front_end: onnx.GraphProto) -> dict[str, str]:
    """New name of each value of the front end: both ends keep theirs, no other meets one of the network's."""
    names = {tensor.name for tensor in front_end.initializer}
    names.update(name for node in front_end.node for name in (*node.input, *node.output))
    ends = {value.name for value in (*front_end.input, *front_end.output)} | {""}
    return {name: name if name in ends else _PREFIX + name for name in names}
