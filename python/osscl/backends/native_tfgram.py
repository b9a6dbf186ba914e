"""TFgram computed natively, in place of the part of a model's graph that computes it.

Nearly two thirds of a clip's arithmetic is TFgram, and `csrc/tfgram.cpp` needs half the products for it. The
model file stays a plain ONNX graph. The part is taken out when a backend loads it, and only where it is
exactly the TFgram that the native code computes.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from osscl import _native, frontend
from osscl.audio.samples import Samples
from osscl.backends.tfgram_path import LENGTHS, STACK_INPUT, Float32, find_tfgram
from osscl.config import FRONTEND
from osscl.errors import ConfigError
from osscl.model_file.onnx_cut import with_input
from osscl.model_file.onnx_graph import Graph, read_graph
from osscl.model_file.protobuf import MalformedError

INPUT_NAME = "tfgram"
"""Name of the input that the rest of the graph takes in place of TFgram."""
VARIABLE = "OSSCL_TFGRAM"
"""Environment variable: ``graph`` leaves TFgram to the backend's runtime, ``native`` is the default."""

_N_FRAMES = LENGTHS[-1]


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
            weights=weights, lengths=LENGTHS, instruction_set=frontend.instruction_set()
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
        None where the model holds no TFgram, or one that is computed in another way, or its graph is not
        understood: whatever is wrong with it is the runtime's to say.

    Raises
    ------
    ConfigError
        The environment variable `VARIABLE` holds an unknown word.
    """
    if not is_wanted():
        return None
    try:
        graph = read_graph(model)
    except MalformedError:
        return None  # the runtime says in its own words what it makes of it
    found = find_tfgram(graph)
    if found is None or _has_value(graph, INPUT_NAME):
        return None
    shape = (1, FRONTEND.n_mels, _N_FRAMES)
    rest = with_input(model, graph, found.stack, STACK_INPUT, INPUT_NAME, shape, dispensable=found.nodes)
    return Cut(NativeTfgram(found.weights), rest)


def _has_value(graph: Graph, name: str) -> bool:
    names = {value.name for value in graph.inputs} | graph.tensors.keys() | graph.producers().keys()
    return name in names


def is_wanted() -> bool:
    """Whether TFgram may be taken out of a graph; raises `ConfigError` of an unknown word in `VARIABLE`."""
    word = os.environ.get(VARIABLE, "native")
    if word not in ("native", "graph"):
        raise ConfigError(f"{VARIABLE} is '{word}'; it must be native or graph")
    return word == "native"
