"""Batches in pinned memory, lent to whoever reads recordings, so that a card copies them by itself."""

import logging
import weakref
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np
import numpy.typing as npt

from osscl.cuda.device import PinnedMemory
from osscl.errors import DeviceMemoryError

_log = logging.getLogger(__name__)


class PinnedBatches:
    """Arrays of int16 samples in pinned memory; a lent one comes back when nobody refers to it any more.

    Parameters
    ----------
    count : int
        Batches that may be lent at once; fewer, with a warning, where there is no memory for them.
    max_batch, n_samples : int
        Clips of a batch, and samples of a clip.
    """

    def __init__(self, count: int, max_batch: int, n_samples: int) -> None:
        self._n_samples = n_samples
        self._idle: SimpleQueue[PinnedMemory] = SimpleQueue()
        n_bytes = max_batch * n_samples * np.dtype(np.int16).itemsize
        for made in range(count):
            try:
                self._idle.put(PinnedMemory(n_bytes))
            except DeviceMemoryError as error:
                _log.warning("only %d of %d batches lie in pinned memory: %s", made, count, error)
                break

    def lend(self, n_clips: int) -> npt.NDArray[np.int16] | None:
        """An array [n_clips, n_samples], or None where all are lent."""
        try:
            memory = self._idle.get_nowait()
        except Empty:
            return None
        batch = memory.array(np.int16, n_clips, self._n_samples)
        # the array's base, and not the array: its rows and slices keep the base alone alive
        weakref.finalize(_owner(batch), self._idle.put, memory)
        return batch

    def close(self) -> None:
        """Give back what is not lent; the rest goes with the card."""
        while not self._idle.empty():
            self._idle.get().close()


def _owner(array: npt.NDArray[Any]) -> Any:
    owner: Any = array
    while isinstance(owner, np.ndarray):
        owner = owner.base
    return owner.obj  # of the memoryview that the array was made from
