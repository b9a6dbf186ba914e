"""A wide strided convolution of one channel, over frames that its windows share."""

import numpy as np
import onnx_ir as ir

from osscl.export.rewrites.edit import Replacement, attribute, constant


def share_frames(model: ir.Model) -> None:
    """Conv(x [B, 1, n], kernel K = a S, stride S) -> Conv(frames [B, S, n_blocks], kernel a).

    Cut into blocks of S samples, window f is blocks f ... f + a - 1: a sample becomes a channel, and the
    convolution one of S channels, for which every runtime has a fast kernel in every precision.
    """
    for node in list(model.graph):
        if node.op_type == "Conv" and _is_wide_and_strided(node):
            _share_frames(node)


def _is_wide_and_strided(node: ir.Node) -> bool:
    weight = constant(node.inputs[1])
    samples = node.inputs[0]
    if weight is None or weight.ndim != 3 or weight.shape[1] != 1 or _n_samples(samples) is None:
        return False
    (stride,) = attribute(node, "strides", [1])
    return bool(
        stride > 1
        and weight.shape[2] > stride
        and weight.shape[2] % stride == 0
        and attribute(node, "dilations", [1])[0] == 1
        and attribute(node, "group", 1) == 1
        and attribute(node, "auto_pad", "NOTSET") == "NOTSET"
        and attribute(node, "pads", [0, 0])[1] >= _padding_at_the_end(node)
    )


def _n_samples(samples: ir.Value | None) -> int | None:
    """Length of the input: that of the graph's input, of which it is a view."""
    while samples is not None and samples.shape is None:
        producer = samples.producer()
        samples = producer.inputs[0] if producer is not None and producer.op_type == "Unsqueeze" else None
    length = samples.shape[-1] if samples is not None and samples.shape is not None else None
    return length if isinstance(length, int) else None


def _n_blocks(node: ir.Node) -> int:
    n_samples, weight = _n_samples(node.inputs[0]), constant(node.inputs[1])
    assert n_samples is not None
    assert weight is not None
    kernel, (stride,) = weight.shape[2], attribute(node, "strides", [1])
    n_windows = (n_samples + sum(attribute(node, "pads", [0, 0])) - kernel) // stride + 1
    return int(n_windows - 1 + kernel // stride)


def _padding_at_the_end(node: ir.Node) -> int:
    """Zeros after the last sample that the last window still reaches."""
    n_samples = _n_samples(node.inputs[0])
    assert n_samples is not None
    (stride,) = attribute(node, "strides", [1])
    return int(_n_blocks(node) * stride - attribute(node, "pads", [0, 0])[0] - n_samples)


def _share_frames(node: ir.Node) -> None:
    weight = constant(node.inputs[1])
    assert weight is not None
    (stride,) = attribute(node, "strides", [1])
    n_channels, _, kernel = weight.shape
    before, after = attribute(node, "pads", [0, 0])[0], _padding_at_the_end(node)
    new = Replacement(node)
    pads = new.weight("pads", np.array([0, 0, before, 0, 0, after], np.int64))
    shape = new.weight("blocks", np.array([0, _n_blocks(node), stride], np.int64))  # 0 keeps the batch
    padded = new.op("Pad", [node.inputs[0], pads])  # [B, 1, n_blocks * S]
    blocks = new.op("Reshape", [padded, shape])  # [B, n_blocks, S]
    frames = new.op("Transpose", [blocks], {"perm": [0, 2, 1]})  # [B, S, n_blocks]
    by_block = weight.reshape(n_channels, kernel // stride, stride).transpose(0, 2, 1)  # [C, S, K / S]
    rest = [new.weight("weight", by_block), *node.inputs[2:]]
    new.replace(new.op("Conv", [frames, *rest], {"kernel_shape": [kernel // stride]}))
