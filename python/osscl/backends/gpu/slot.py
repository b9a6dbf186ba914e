"""The memory of one batch in flight on a card, allocated once."""

import math
from collections.abc import Callable
from contextlib import ExitStack, closing
from typing import TypeAlias

import numpy as np

from osscl.backends.base import Outputs
from osscl.cuda.device import Event, Graph, Memory, PinnedMemory, Stream
from osscl.model_file.manifest import Manifest
from osscl.model_file.signature import TensorSpec

Part: TypeAlias = tuple[int, int]
"""Neighbouring clips of a slot: the first one, and how many."""

_FLOAT_BYTES = 4


class Slot:
    """Where a batch lies on a card, from its samples to its outputs, and how far it is.

    Parameters
    ----------
    manifest : Manifest
        Inputs and outputs of the model.
    max_batch : int
        Clips that it holds.

    Attributes
    ----------
    max_batch : int
        As above.
    samples : Memory
        [max_batch, n_samples], int16 or float32.
    copied, ready, begun, computed, done : Event
        The samples are on the card; so are the inputs; the engine began, and ended; the outputs are back.
    graphs : dict of Part to Graph
        Recorded work of the engine.
    seen : set of Part
        What was computed before.
    feeds : object
        What is being copied in.

    Raises
    ------
    DeviceMemoryError
        The card's memory does not hold it.
    """

    def __init__(self, manifest: Manifest, max_batch: int) -> None:
        self.max_batch = max_batch
        self.graphs: dict[Part, Graph] = {}
        self.seen: set[Part] = set()
        self.feeds: object = None
        self._clip_bytes = {spec.name: _clip_bytes(spec) for spec in (*manifest.inputs, *manifest.outputs)}
        with ExitStack() as made:
            self.samples = made.enter_context(
                closing(Memory(max_batch * manifest.clip.n_samples * _FLOAT_BYTES))
            )
            self._tensors = {
                name: made.enter_context(closing(Memory(max_batch * size)))
                for name, size in self._clip_bytes.items()
            }
            self._fetched = {
                spec.name: made.enter_context(closing(PinnedMemory(max_batch * self._clip_bytes[spec.name])))
                for spec in manifest.outputs
            }
            self.copied, self.ready, self.begun, self.computed, self.done = (
                made.enter_context(closing(Event())) for _ in range(5)
            )
            self._made = made.pop_all()

    def addresses(self, first: int = 0) -> dict[str, int]:
        """Where inputs and outputs of the clips from `first` on lie, by name."""
        return {
            name: memory.address + first * self._clip_bytes[name] for name, memory in self._tensors.items()
        }

    def fetch(self, stream: Stream, n_clips: int) -> None:
        """Queue the copies of the outputs to the host."""
        for name, memory in self._fetched.items():
            stream.copy_out(
                memory.array(np.uint8, n_clips * self._clip_bytes[name]), self._tensors[name].address
            )

    def outputs(self, n_clips: int) -> Outputs:
        """Outputs that were fetched; copied, since the slot holds the next batch's soon."""
        return Outputs(
            self._output("embedding", n_clips), self._output("cosine", n_clips)
        )  # [B, 128], [B, K]

    def _output(self, name: str, n_clips: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        size = self._clip_bytes[name] // _FLOAT_BYTES
        return self._fetched[name].array(np.float32, n_clips, size).copy()

    def keep_graph(self, part: Part, graph: Graph, queue_again: Callable[[], None]) -> None:
        """Keep recorded work of a part, and with it what that work needs."""
        self.graphs[part] = graph
        self._made.callback(_close_graph, graph, queue_again)

    def close(self) -> None:
        """Give all memory back."""
        self._made.close()


def _close_graph(graph: Graph, _needed: object) -> None:
    graph.close()


def _clip_bytes(spec: TensorSpec) -> int:
    return _FLOAT_BYTES * math.prod(size for size in spec.shape if isinstance(size, int))
