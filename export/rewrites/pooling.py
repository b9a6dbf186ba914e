"""The adaptive pooling's gathers, by rows of all channels instead of single numbers."""

import onnx_ir as ir

from osscl.export.rewrites.edit import Replacement, attribute, constant

_CHANNELS_LAST, _CHANNELS_FIRST = [0, 2, 3, 1], [0, 3, 1, 2]
_LENGTH_AXIS = 2  # of [B, 1, n, C]


def gather_rows(model: ir.Model) -> None:
    """Max(Gather(x, a), Gather(x, b)) along n of x [B, C, 1, n] -> the same with the channels last.

    So each index moves C neighbouring numbers at once. Runtimes that keep channels together around
    convolutions, as ONNX Runtime and OpenVINO do, get into this layout on the way.
    """
    for node in list(model.graph):
        if node.op_type == "Max" and len(node.inputs) == 2 and _are_gathers_of_one_map(node):
            _gather_rows(node)


def _are_gathers_of_one_map(node: ir.Node) -> bool:
    gathers = [None if value is None else value.producer() for value in node.inputs]
    if not all(gather is not None and _picks_along_the_last_axis(gather) for gather in gathers):
        return False
    pooled = {gather.inputs[0] for gather in gathers if gather is not None}
    producer = next(iter(pooled)).producer() if len(pooled) == 1 else None  # type: ignore[union-attr]
    return (
        producer is not None
        and producer.op_type == "MaxPool"
        and len(attribute(producer, "kernel_shape", [])) == 2  # so x has four axes
    )


def _picks_along_the_last_axis(node: ir.Node) -> bool:
    index = constant(node.inputs[1]) if node.op_type == "Gather" else None
    return index is not None and index.ndim == 1 and attribute(node, "axis", 0) == -1


def _gather_rows(node: ir.Node) -> None:
    new = Replacement(node)
    producers = [None if value is None else value.producer() for value in node.inputs]
    gathers = [gather for gather in producers if gather is not None]  # both of them
    rows = new.op("Transpose", [gathers[0].inputs[0]], {"perm": _CHANNELS_LAST})  # [B, 1, n, C]
    picked = [new.op("Gather", [rows, each.inputs[1]], {"axis": _LENGTH_AXIS}) for each in gathers]
    new.replace(new.op("Transpose", [new.op("Max", picked)], {"perm": _CHANNELS_FIRST}))
