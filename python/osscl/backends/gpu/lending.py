"""Batches in pinned memory, lent to whoever reads recordings, so that a card copies them by itself."""

import threading
import weakref
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt

from osscl.cuda.device import Device, PinnedMemory
from osscl.errors import DeviceLostError, DeviceMemoryError
from osscl.support.log import quiet_logger

_log = quiet_logger(__name__)


class PinnedBatches:
    """Arrays of int16 samples in pinned memory; a lent one comes back when nobody refers to it any more.

    Parameters
    ----------
    device : Device
        The card, active; it is closed when all is given back.
    count : int
        Batches that may be lent at once; fewer, with a warning, where there is no memory for them.
    max_batch, n_samples : int
        Clips of a batch, and samples of a clip.
    """

    def __init__(self, device: Device, count: int, max_batch: int, n_samples: int) -> None:
        self._device = device
        self._n_samples = n_samples
        self._lock = threading.RLock()  # a batch may come back in the middle of all this
        self._idle: list[PinnedMemory] = []
        self._n_lent = 0
        self._closed = False
        n_bytes = max_batch * n_samples * np.dtype(np.int16).itemsize
        for made in range(count):
            try:
                self._idle.append(PinnedMemory(n_bytes))
            except DeviceMemoryError as error:
                _log.warning("only %d of %d batches lie in pinned memory: %s", made, count, error)
                break

    def lend(self, n_clips: int) -> npt.NDArray[np.int16] | None:
        """An array [n_clips, n_samples], or None where all are lent."""
        with self._lock:
            if self._closed or not self._idle:
                return None
            memory = self._idle.pop()
            self._n_lent += 1
        batch = memory.array(np.int16, n_clips, self._n_samples)
        # the array's base, and not the array: its rows and slices keep the base alone alive
        weakref.finalize(_owner(batch), self._take_back, memory).atexit = False
        return batch

    def close(self) -> None:
        """Give back what is not lent now, the rest when it comes back, and then the card."""
        with self._lock:
            self._closed = True
            self._give_back()

    def _take_back(self, memory: PinnedMemory) -> None:
        with self._lock:
            self._idle.append(memory)
            self._n_lent -= 1
            if self._closed:
                self._give_back()

    def _give_back(self) -> None:
        with suppress(DeviceLostError):  # a card that is lost takes nothing back
            with self._device.active():
                while self._idle:
                    self._idle.pop().close()
            if self._n_lent == 0:
                self._device.close()


def _owner(array: npt.NDArray[Any]) -> Any:
    owner: Any = array
    while isinstance(owner, np.ndarray):
        owner = owner.base
    return owner.obj  # of the memoryview that the array was made from
