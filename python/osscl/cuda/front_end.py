"""The log-mel front end on a GPU: the kernels of ``csrc/cuda/logmel.cu`` with the tables of the CPU's."""

import ctypes
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from osscl import _native, frontend
from osscl.config import FrontendConfig
from osscl.errors import ConfigError, DeviceError

VARIABLE = "OSSCL_CUDA"
"""Environment variable: ``off`` leaves the front end to the CPU, ``on`` is the default."""

Argument: TypeAlias = ctypes.Structure | ctypes.Array[Any]
"""Holds an argument as the kernel declares it: cuLaunchKernel takes the address of each."""

_FRAMES_PER_BLOCK = 4
_BLOCK_THREADS = 128
_QUAD = 4
_KERNELS = {np.dtype(np.int16): "log_mel_int16", np.dtype(np.float32): "log_mel_float32"}
_ALIGNMENT = 256


class Memory(Protocol):
    """Memory of a card."""

    @property
    def address(self) -> int:
        """Where it begins."""

    def close(self) -> None:
        """Give it back."""


class Module(Protocol):
    """Kernels that a card has loaded."""

    def kernel(self, name: str) -> Any:
        """Find a kernel by its name."""


class Device(Protocol):
    """What the front end needs of a card."""

    def memory(self, n_bytes: int) -> Memory:
        """Allocate memory."""

    def copy_to(self, memory_address: int, array: npt.NDArray[Any]) -> None:
        """Copy an array to the card's memory and wait for it."""

    def load(self, ptx: bytes) -> Module:
        """Compile PTX for this card."""

    def launch(
        self, kernel: Any, grid: tuple[int, int], block: int, arguments: Sequence[Argument], stream: int
    ) -> None:
        """Queue a kernel on a stream."""


class _Tables(ctypes.Structure):
    """`Tables` of logmel.cu."""

    _fields_ = (
        ("window", ctypes.c_void_p),
        ("step_twiddle", ctypes.c_void_p),
        ("split_twiddle", ctypes.c_void_p),
        ("mel_first", ctypes.c_void_p),
        ("mel_start", ctypes.c_void_p),
        ("mel_weight", ctypes.c_void_p),
        ("n_mels", ctypes.c_int32),
        ("hop_length", ctypes.c_int32),
        ("power_floor", ctypes.c_float),
        ("side_twiddle", ctypes.c_float * 64),
    )


class _Batch(ctypes.Structure):
    """`Batch` of logmel.cu."""

    _fields_ = (
        ("samples", ctypes.c_void_p),
        ("waveform", ctypes.c_void_p),
        ("log_mel", ctypes.c_void_p),
        ("n_pairs", ctypes.c_int32),
        ("n_frames", ctypes.c_int32),
    )


def reason_without() -> str | None:
    """Why the CUDA front end cannot be used.

    Returns
    -------
    str or None
        A clause for a run record; None where it can be used.

    Raises
    ------
    ConfigError
        The environment variable `VARIABLE` holds an unknown word.
    """
    word = os.environ.get(VARIABLE, "on")
    if word not in ("on", "off"):
        raise ConfigError(f"{VARIABLE} is '{word}'; it must be on or off")
    if word == "off":
        return f"{VARIABLE} is off"
    return None if _ptx_path().is_file() else "this build of osscl was made without it"


def ptx() -> bytes | None:
    """Kernels as PTX, which the driver compiles for its card.

    Returns
    -------
    bytes or None
        None where `reason_without` says why.

    Raises
    ------
    ConfigError
        The environment variable `VARIABLE` holds an unknown word.
    """
    return None if reason_without() else _ptx_path().read_bytes()


class CudaFrontEnd:
    """Log-mel and float32 waveform of clips that lie in a card's memory; one for each card.

    Parameters
    ----------
    device : Device
        The card.
    settings : FrontendConfig
        Settings of the front end.
    n_samples : int
        Samples of a clip: an even number, 2 or more.

    Raises
    ------
    ConfigError
        `n_samples` is odd or none, or `VARIABLE` holds an unknown word.
    DeviceError
        There is no CUDA front end, or the card cannot load it.
    """

    def __init__(self, device: Device, settings: FrontendConfig, n_samples: int) -> None:
        if n_samples < 2 or n_samples % 2:
            raise ConfigError(f"a clip has {n_samples} samples; the CUDA front end takes an even number")
        kernels = ptx()
        if kernels is None:
            raise DeviceError(f"the CUDA front end cannot be used: {reason_without()}")
        self._device = device
        self._n_pairs = n_samples // 2
        self._n_frames = settings.n_frames(n_samples)
        module = device.load(kernels)
        self._kernels = {dtype: module.kernel(name) for dtype, name in _KERNELS.items()}
        self._memory, self._tables = _upload_tables(device, settings)

    def enqueue(
        self,
        samples: int,
        dtype: npt.DTypeLike,
        n_clips: int,
        waveform: int,
        log_mel: int,
        stream: int,
    ) -> None:
        """Queue the work of a batch.

        Parameters
        ----------
        samples : int
            Address on the card of the samples [n_clips, n_samples], aligned to 8 bytes.
        dtype : dtype
            int16, or float32 at full scale ±1.
        n_clips : int
            Clips of the batch, from 1 to 65535.
        waveform : int
            Address that receives the float32 waveform [n_clips, n_samples], aligned to 8 bytes; 0 leaves
            it out.
        log_mel : int
            Address that receives the float32 log-mel [n_clips, n_mels, n_frames], in decibels.
        stream : int
            Handle of the stream.

        Raises
        ------
        DeviceError
            The work cannot be queued.
        """
        batch = _Batch(samples, waveform or None, log_mel, self._n_pairs, self._n_frames)
        grid = (-(-self._n_frames // _FRAMES_PER_BLOCK), n_clips)
        kernel = self._kernels[np.dtype(dtype)]
        self._device.launch(kernel, grid, _BLOCK_THREADS, (self._tables, batch), stream)

    def close(self) -> None:
        """Give back the card's memory."""
        self._memory.close()


def _ptx_path() -> Path:
    # beside the extension module, which an editable installation keeps elsewhere than the sources
    return Path(_native.__file__).with_name("cuda") / "logmel.ptx"


def _upload_tables(device: Device, settings: FrontendConfig) -> tuple[Memory, _Tables]:
    """Bring all tables to the card, in one piece of memory; and say to the kernels where each is."""
    tables = frontend.kernel_tables(settings)
    mel_start, mel_weight = _in_quads(tables["mel_count"], tables["mel_weight"])
    arrays = {name: tables[name] for name in ("window", "step_twiddle", "split_twiddle", "mel_first")}
    arrays |= {"mel_start": mel_start, "mel_weight": mel_weight}
    offsets, n_bytes = {}, 0
    for name, array in arrays.items():
        offsets[name] = n_bytes
        n_bytes += -(-array.nbytes // _ALIGNMENT) * _ALIGNMENT
    memory = device.memory(n_bytes)
    for name, array in arrays.items():
        device.copy_to(memory.address + offsets[name], array)
    return memory, _Tables(
        **{name: memory.address + offset for name, offset in offsets.items()},
        n_mels=settings.n_mels,
        hop_length=settings.hop_length,
        power_floor=settings.power_floor,
        side_twiddle=tuple(tables["side_twiddle"].ravel()),
    )


def _in_quads(count: npt.NDArray[Any], weight: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Fill each filter up to whole quads of weights with zeros.

    Parameters
    ----------
    count : ndarray of int32, [n_mels]
        Weights of each filter.
    weight : ndarray of float32, [sum of count]
        Weights of all filters, one after the other.

    Returns
    -------
    start : ndarray of int32, [n_mels + 1]
        Quads before each filter, and all of them.
    quads : ndarray of float32, [start[-1], 4]
        The weights.
    """
    start = np.concatenate([[0], np.cumsum(-(-count // _QUAD))]).astype(np.int32)
    quads = np.zeros(_QUAD * start[-1], np.float32)
    places = np.repeat(_QUAD * start[:-1] - np.cumsum(count) + count, count)
    quads[places + np.arange(len(weight))] = weight
    return start, quads.reshape(-1, _QUAD)
