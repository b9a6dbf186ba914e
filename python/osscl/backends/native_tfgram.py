"""TFgram computed natively, in place of the part of a model's graph that computes it.

Nearly two thirds of a clip's arithmetic is TFgram, and `csrc/tfgram.cpp` needs half the products for it. The
model file stays a plain ONNX graph. The part is taken out when a backend loads it, and only where it is
exactly the TFgram that the native code computes.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from osscl import _native, frontend
from osscl.audio.samples import Samples
from osscl.config import CLIP, FRONTEND
from osscl.errors import ConfigError
from osscl.model_file.onnx_graph import Graph, Node, read_graph, with_input

Float32 = npt.NDArray[np.float32]

INPUT_NAME = "tfgram"
"""Name of the input that the rest of the graph takes in place of TFgram."""
VARIABLE = "OSSCL_TFGRAM"
"""Environment variable: ``graph`` leaves TFgram to the backend's runtime, ``native`` is the default."""

_N_FRAMES = FRONTEND.n_frames(CLIP.n_samples)
_STEM_STRIDE = 5
# of the samples, the stem's rows, and each stage's rows after pooling
_LENGTHS = (
    CLIP.n_samples,
    CLIP.n_samples // _STEM_STRIDE,
    CLIP.n_samples // _STEM_STRIDE // 4,
    2 * _N_FRAMES,
    _N_FRAMES,
)
_RESHAPING = {"Unsqueeze", "Squeeze", "Transpose"}  # which leave values and their order along time alone
_CONVOLUTIONS = ["Conv", "Relu", "Conv", "Relu"]
_LAYERS = [
    *("Conv", "Relu"),
    *(*_CONVOLUTIONS, "MaxPool"),
    *(*_CONVOLUTIONS, "MaxPool", "Gather", "Max"),
    *(*_CONVOLUTIONS, "MaxPool"),
]
_STACK_INPUT = 2  # log-mel, Tgram, TFgram


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A model in two parts.

    Attributes
    ----------
    tfgram : NativeTfgram
        The one part.
    rest : bytes
        The other: a serialised ONNX model with one input more, `INPUT_NAME` [B, 1, 128, 313].
    """

    tfgram: "NativeTfgram"
    rest: bytes


class NativeTfgram:
    """TFgram with the weights of one model.

    Parameters
    ----------
    weights : sequence of (ndarray, ndarray)
        Weight [n_out, n_in, taps] and bias [n_out] of each of the seven convolutions, batch norm folded in.
    """

    def __init__(self, weights: Sequence[tuple[Float32, Float32]]) -> None:
        self._plan = _native.Tfgram(
            weights=weights, lengths=_LENGTHS, instruction_set=frontend.instruction_set()
        )

    def __call__(self, samples: Samples, threads: int) -> Float32:
        """Samples [B, 160000] -> map [B, 1, 128, 313]; the same for any number of threads."""
        maps = np.empty((len(samples), FRONTEND.n_mels, _N_FRAMES), np.float32)
        self._plan.transform(samples, maps, threads)
        return maps[:, np.newaxis]


def cut_out(model: bytes) -> Cut | None:
    """Take TFgram out of a model.

    Parameters
    ----------
    model : bytes
        A serialised ONNX model in fp32.

    Returns
    -------
    Cut or None
        None where the model holds no TFgram, or one that is computed in another way.

    Raises
    ------
    ConfigError
        The environment variable `VARIABLE` holds an unknown word.
    """
    if not _is_wanted():
        return None
    graph = read_graph(model)
    for node in graph.nodes:
        weights = _weights(graph, node)
        if weights is not None:
            rest = with_input(model, graph, node, _STACK_INPUT, INPUT_NAME, (1, FRONTEND.n_mels, _N_FRAMES))
            return Cut(NativeTfgram(weights), rest)
    return None


def _is_wanted() -> bool:
    word = os.environ.get(VARIABLE, "native")
    if word not in ("native", "graph"):
        raise ConfigError(f"{VARIABLE} is '{word}'; it must be native or graph")
    return word == "native"


def _weights(graph: Graph, stack: Node) -> list[tuple[Float32, Float32]] | None:
    """Weights of the TFgram whose map a node stacks upon two others; None where it does no such thing."""
    if stack.operator != "Concat" or len(stack.inputs) != _STACK_INPUT + 1:
        return None
    path = [node for node in _path(graph, stack.inputs[_STACK_INPUT]) if node.operator not in _RESHAPING]
    if [node.operator for node in path] != _LAYERS or not _pools_as_expected(graph, path):
        return None
    weights = []
    for number, node in enumerate(node for node in path if node.operator == "Conv"):
        weight, bias = (
            (graph.constant(name) for name in node.inputs[1:]) if len(node.inputs) == 3 else (None, None)
        )
        if weight is None or bias is None or not _is_expected(node, weight, number):
            return None
        weights.append((weight.reshape(*weight.shape[:2], -1), bias))
    return weights


def _path(graph: Graph, name: str) -> list[Node]:
    """Nodes on the way from the waveform to a value, along the first input of each."""
    producers = graph.producers()
    path: list[Node] = []
    while name in producers:
        path.append(producers[name])
        name = producers[name].inputs[0]
    return path[::-1] if name == "waveform" else []


def _is_expected(node: Node, weight: npt.NDArray[Any], number: int) -> bool:
    """Whether a convolution has the shape that the native one computes in its place."""
    taps, stride, dilation = (11, _STEM_STRIDE, 1) if number == 0 else (3, 1, 2 - number % 2)
    padding = dilation * (taps // 2)
    expected = {"kernel_shape": taps, "strides": stride, "dilations": dilation}
    n_channels = (1, 64, 64, 64, 128, 128, 128, 128)
    return (
        weight.dtype == np.float32
        and weight.size == n_channels[number] * n_channels[number + 1] * taps
        and weight.shape[:2] == (n_channels[number + 1], n_channels[number])
        and all(node.ints.get(name, (1,))[-1] == value for name, value in expected.items())
        and node.ints.get("pads", (0,))[-1] == padding
        and sum(node.ints.get("pads", (0,))) == 2 * padding
        and node.ints.get("group", (1,)) == (1,)
    )


def _pools_as_expected(graph: Graph, path: Sequence[Node]) -> bool:
    """Whether the three poolings are those from 32000 rows to 8000, to 626 and to 313."""
    pools = [node for node in path if node.operator == "MaxPool"]
    windows = [(node.ints["kernel_shape"][-1], node.ints.get("strides", (1,))[-1]) for node in pools]
    if windows != [(4, 4), (13, 1), (2, 2)] or any(sum(node.ints.get("pads", (0,))) for node in pools):
        return False
    indices = list(_gather_indices(graph, path))
    n_in, n_out = _LENGTHS[2:4]
    begins = [i * n_in // n_out for i in range(n_out)]
    ends = [-(-(i + 1) * n_in // n_out) for i in range(n_out)]
    return indices == [begins, [end - 13 for end in ends]]


def _gather_indices(graph: Graph, path: Sequence[Node]) -> Iterator[list[int]]:
    producers = graph.producers()
    (maximum,) = (node for node in path if node.operator == "Max")
    for name in maximum.inputs:
        gather = producers[name]
        index = graph.constant(gather.inputs[1]) if gather.operator == "Gather" else None
        yield [] if index is None else index.tolist()
