"""Finds TFgram in a graph, only where every node on the way computes exactly what the native code does.

Axes have a meaning: what a node does is followed from the waveform's ("batch", "time") on. Whatever is not
known here, an operator, an attribute, a constant of another kind, makes it another graph.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeGuard

import numpy as np
import numpy.typing as npt

from osscl.config import CLIP, FRONTEND
from osscl.model_file.graph_order import order_flaws
from osscl.model_file.onnx_graph import Attribute, Graph, Node

Float32 = npt.NDArray[np.float32]
Axes: TypeAlias = tuple[str, ...]
"""What each axis counts: "batch", "channel", "time", or "one" where its size is 1."""

STACK_INPUT = 2
"""Which of the three stacked maps is TFgram: log-mel, Tgram, TFgram."""
_N_FRAMES = FRONTEND.n_frames(CLIP.n_samples)
_STEM_STRIDE = 5
LENGTHS = (
    CLIP.n_samples,
    CLIP.n_samples // _STEM_STRIDE,
    CLIP.n_samples // _STEM_STRIDE // 4,
    2 * _N_FRAMES,
    _N_FRAMES,
)
"""Samples, rows of the stem, and rows of each stage after its pooling."""

_OPSET_WITH_AXES_AS_INPUTS = 13
_RESHAPING = {"Unsqueeze", "Squeeze", "Transpose"}  # which leave values and their order along time alone
_CONVOLUTIONS = ["Conv", "Relu", "Conv", "Relu"]
_LAYERS = [
    *("Conv", "Relu"),
    *(*_CONVOLUTIONS, "MaxPool"),
    *(*_CONVOLUTIONS, "MaxPool", "Gather", "Max"),
    *(*_CONVOLUTIONS, "MaxPool"),
]
_CHANNELS = (1, 64, 64, 64, 128, 128, 128, 128)
_POOLS = [(4, 4), (13, 1), (2, 2)]  # window and step: 32000 rows to 8000, to 626 and to 313


@dataclass(frozen=True, slots=True, eq=False)
class FoundTfgram:
    """TFgram in a graph.

    Attributes
    ----------
    stack : Node
        The node that stacks its map upon two others.
    nodes : list of Node
        All that compute the map.
    weights : list of (ndarray, ndarray)
        Weight [n_out, n_in, taps] and bias [n_out] of each convolution.
    """

    stack: Node
    nodes: list[Node]
    weights: list[tuple[Float32, Float32]]


def find_tfgram(graph: Graph) -> FoundTfgram | None:
    """Look for TFgram.

    Parameters
    ----------
    graph : Graph
        A model's graph.

    Returns
    -------
    FoundTfgram or None
        None where there is none, or one that the native code does not compute, or the graph as a whole holds
        anything that is not understood.
    """
    if not _is_understood(graph):
        return None
    found = (_found(graph, node) for node in graph.nodes)
    return next(filter(None, found), None)


def _is_understood(graph: Graph) -> bool:
    return (
        graph.is_plain
        and graph.opset >= _OPSET_WITH_AXES_AS_INPUTS
        and all(node.is_plain for node in graph.nodes)
        and not any(order_flaws(graph))
    )


def _found(graph: Graph, stack: Node) -> FoundTfgram | None:
    if stack.operator != "Concat" or len(stack.inputs) != STACK_INPUT + 1:
        return None
    path = _path(graph, stack.inputs[STACK_INPUT])
    axes: Axes | None = ("batch", "time")
    for node in path:
        step = _STEPS.get(node.operator)
        if axes is None or step is None or node.domain or len(node.outputs) != 1:
            return None
        axes = step(graph, node, axes)
    if axes != ("batch", "one", "channel", "time") or stack.attributes != {"axis": 1} or stack.domain:
        return None
    layers = [node for node in path if node.operator not in _RESHAPING]
    if [node.operator for node in layers] != _LAYERS or not _pools_as_expected(graph, layers):
        return None
    weights = [_weights(graph, node, number) for number, node in enumerate(_of("Conv", layers))]
    if None in weights:
        return None
    (maximum,) = _of("Max", layers)
    gathers = [node for node in graph.nodes if set(node.outputs) & set(maximum.inputs)]
    return FoundTfgram(stack, [*path, *gathers], [each for each in weights if each is not None])


def _path(graph: Graph, name: str) -> list[Node]:
    """Nodes on the way from the waveform to a value, along the first input of each."""
    producers = graph.producers()
    path: list[Node] = []
    while name in producers and producers[name].inputs:
        path.append(producers[name])
        name = producers[name].inputs[0]
    return path[::-1] if name == "waveform" else []


def _of(operator: str, nodes: Sequence[Node]) -> list[Node]:
    return [node for node in nodes if node.operator == operator]


def _states(node: Node, n_inputs: int, expected: Mapping[str, Attribute], **defaults: Attribute) -> bool:
    """Whether a node has so many inputs and these attributes and no others; defaults need not be written."""
    return (
        len(node.inputs) == n_inputs
        and node.attributes.keys() <= expected.keys()
        and {**defaults, **node.attributes} == expected
    )


def _unsqueezed(graph: Graph, node: Node, axes: Axes) -> Axes | None:
    added = _axis_numbers(graph, node, len(axes), growing=True)
    if added is None:
        return None
    remaining = iter(axes)
    n_axes = len(axes) + len(added)
    return tuple("one" if number in added else next(remaining) for number in range(n_axes))


def _squeezed(graph: Graph, node: Node, axes: Axes) -> Axes | None:
    dropped = _axis_numbers(graph, node, len(axes), growing=False)
    if dropped is None or any(axes[number] != "one" for number in dropped):
        return None
    return tuple(axis for number, axis in enumerate(axes) if number not in dropped)


def _axis_numbers(graph: Graph, node: Node, n_axes: int, *, growing: bool) -> set[int] | None:
    """Axes that the second input names, counted from the front; None where it names none, or one twice."""
    constant = graph.constant(node.inputs[1]) if _states(node, 2, {}) else None
    if constant is None or constant.dtype != np.int64 or constant.ndim != 1:
        return None
    rank = n_axes + len(constant) if growing else n_axes
    numbers = {number + rank if number < 0 else number for number in constant.tolist()}
    is_right = len(numbers) == len(constant) and all(0 <= number < rank for number in numbers)
    return numbers if is_right else None


def _transposed(graph: Graph, node: Node, axes: Axes) -> Axes | None:
    order = node.attributes.get("perm")
    if not isinstance(order, tuple) or sorted(order) != list(range(len(axes))):
        return None
    return tuple(axes[number] for number in order) if _states(node, 1, {"perm": order}) else None


def _rectified(graph: Graph, node: Node, axes: Axes) -> Axes | None:
    return axes if _states(node, 1, {}) else None


def _convolved(graph: Graph, node: Node, axes: Axes) -> Axes | None:
    return (axes[0], "channel", *axes[2:]) if _runs_along_time(axes) and len(node.inputs) == 3 else None


def _pooled(graph: Graph, node: Node, axes: Axes) -> Axes | None:
    return axes if _runs_along_time(axes) and axes[1] == "channel" and len(node.inputs) == 1 else None


def _runs_along_time(axes: Axes) -> bool:
    """Whether it is [batch, channels, time] or [batch, channels, 1, time]."""
    return axes[:1] == ("batch",) and axes[1:2] in (("channel",), ("one",)) and axes[2:] in _ALONG_TIME


_ALONG_TIME = (("time",), ("one", "time"))


def _gathered(graph: Graph, node: Node, axes: Axes) -> Axes | None:
    axis = node.attributes.get("axis", 0)
    if not isinstance(axis, int) or not -len(axes) <= axis < len(axes) or axes[axis] != "time":
        return None
    return axes if _states(node, 2, {"axis": axis}, axis=0) else None


def _maximum(graph: Graph, node: Node, axes: Axes) -> Axes | None:
    """The greater of two gatherings from the same value, along the same axis."""
    producers = graph.producers()
    sources = [producers.get(name) for name in node.inputs]
    if not _states(node, 2, {}) or any(each is None or each.operator != "Gather" for each in sources):
        return None
    first, second = (each for each in sources if each is not None)
    alike = first.inputs[:1] == second.inputs[:1] and not second.domain and len(second.outputs) == 1
    return _gathered(graph, second, axes) if alike else None


_STEPS: dict[str, Callable[[Graph, Node, Axes], Axes | None]] = {
    "Unsqueeze": _unsqueezed,
    "Squeeze": _squeezed,
    "Transpose": _transposed,
    "Relu": _rectified,
    "Conv": _convolved,
    "MaxPool": _pooled,
    "Gather": _gathered,
    "Max": _maximum,
}


def _weights(graph: Graph, node: Node, number: int) -> tuple[Float32, Float32] | None:
    """Weight and bias of a convolution; None where it is not the one that the native code computes."""
    taps, stride, dilation = (11, _STEM_STRIDE, 1) if number == 0 else (3, 1, 2 - number % 2)
    padding = dilation * (taps // 2)
    n_in, n_out = _CHANNELS[number : number + 2]
    weight, bias = (graph.constant(name) for name in node.inputs[1:])
    if not (_are_numbers(weight) and _are_numbers(bias)):
        return None
    n_axes = weight.ndim - 2  # in front of time, an axis of size 1 that the graph may have
    ones, zeros = (1,) * (n_axes - 1), (0,) * (n_axes - 1)
    expected: dict[str, Attribute] = {
        "auto_pad": "NOTSET",
        "dilations": (*ones, dilation),
        "group": 1,
        "kernel_shape": (*ones, taps),
        "pads": (*zeros, padding, *zeros, padding),
        "strides": (*ones, stride),
    }
    is_expected = (
        weight.shape == (n_out, n_in, *ones, taps)
        and bias.shape == (n_out,)
        and _states(
            node,
            3,
            expected,
            auto_pad="NOTSET",
            dilations=(1,) * n_axes,
            group=1,
            kernel_shape=weight.shape[2:],
            pads=(0,) * 2 * n_axes,
            strides=(1,) * n_axes,
        )
    )
    return (weight.reshape(n_out, n_in, taps), bias) if is_expected else None


def _are_numbers(constant: npt.NDArray[Any] | None) -> TypeGuard[Float32]:
    """Whether it is float32 and finite: Winograd's sums would spread a NaN among neighbours."""
    return constant is not None and constant.dtype == np.float32 and bool(np.isfinite(constant).all())


def _pools_as_expected(graph: Graph, layers: Sequence[Node]) -> bool:
    """Whether the poolings, and the gatherings behind the second, take the rows that the native ones do."""
    pools = _of("MaxPool", layers)
    if not all(_is_pool(node, *sizes) for node, sizes in zip(pools, _POOLS, strict=True)):
        return False
    producers = graph.producers()
    (maximum,) = _of("Max", layers)
    indices = [graph.constant(producers[name].inputs[1]) for name in maximum.inputs]
    n_in, n_out = LENGTHS[2:4]
    begins = [i * n_in // n_out for i in range(n_out)]
    ends = [-(-(i + 1) * n_in // n_out) for i in range(n_out)]
    expected = (begins, [end - 13 for end in ends])
    return all(
        got is not None and got.dtype == np.int64 and got.tolist() == wanted
        for got, wanted in zip(indices, expected, strict=True)
    )


def _is_pool(node: Node, window: int, step: int) -> bool:
    kernel = node.attributes.get("kernel_shape")
    n_axes = len(kernel) if isinstance(kernel, tuple) else 0
    ones = (1,) * (n_axes - 1)
    defaults: dict[str, Attribute] = {
        "auto_pad": "NOTSET",
        "ceil_mode": 0,
        "dilations": (1,) * n_axes,
        "pads": (0,) * 2 * n_axes,
        "storage_order": 0,
        "strides": (1,) * n_axes,
    }
    expected = {**defaults, "kernel_shape": (*ones, window), "strides": (*ones, step)}
    return _states(node, 1, expected, **defaults)
