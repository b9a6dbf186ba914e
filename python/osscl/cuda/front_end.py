"""The log-mel front end on a GPU: the kernels of ``csrc/cuda/logmel.cu`` with the tables of the CPU's."""

import ctypes
import os
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from osscl import _native, frontend
from osscl.config import FrontendConfig
from osscl.cuda.device import Memory, Module, Stream
from osscl.errors import ConfigError

VARIABLE = "OSSCL_CUDA"
"""Environment variable: ``off`` leaves the front end to the CPU, ``on`` is the default."""

_FRAMES_PER_BLOCK = 4
_BLOCK_THREADS = 128
_QUAD = 4
_KERNELS = {np.dtype(np.int16): "log_mel_int16", np.dtype(np.float32): "log_mel_float32"}
_ALIGNMENT = 256


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


def front_end_code() -> bytes | None:
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
    """Log-mel and float32 waveform of clips that lie in the memory of the card that is active.

    Parameters
    ----------
    code : bytes
        The kernels, from `front_end_code`.
    settings : FrontendConfig
        Settings of the front end.
    n_samples : int
        Samples of a clip: an even number, 2 or more.

    Raises
    ------
    ConfigError
        `n_samples` is odd or none.
    DeviceError
        The card cannot load the kernels, or has no memory for the tables.
    """

    def __init__(self, code: bytes, settings: FrontendConfig, n_samples: int) -> None:
        if n_samples < 2 or n_samples % 2:
            raise ConfigError(f"a clip has {n_samples} samples; the CUDA front end takes an even number")
        self._n_pairs = n_samples // 2
        self._n_frames = settings.n_frames(n_samples)
        tables = frontend.kernel_tables(settings)
        arrays = _arrays(tables)
        places, n_bytes = _places(arrays)
        with ExitStack() as opened:
            module = opened.enter_context(closing(Module(code)))
            self._kernels = {dtype: module.kernel(name) for dtype, name in _KERNELS.items()}
            memory = opened.enter_context(closing(Memory(n_bytes)))
            _upload(arrays, {name: memory.address + place for name, place in places.items()})
            self._opened = opened.pop_all()
        self._tables = _Tables(
            **{name: memory.address + place for name, place in places.items()},
            n_mels=settings.n_mels,
            hop_length=settings.hop_length,
            power_floor=settings.power_floor,
            side_twiddle=tuple(tables["side_twiddle"].ravel()),
        )

    def enqueue(
        self,
        samples: int,
        dtype: npt.DTypeLike,
        n_clips: int,
        *,
        waveform: int,
        log_mel: int,
        stream: Stream,
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
        stream : Stream
            Takes the work.

        Raises
        ------
        DeviceError
            The work cannot be queued.
        """
        batch = _Batch(samples, waveform or None, log_mel, self._n_pairs, self._n_frames)
        grid = (-(-self._n_frames // _FRAMES_PER_BLOCK), n_clips)
        stream.launch(self._kernels[np.dtype(dtype)], grid, _BLOCK_THREADS, (self._tables, batch))

    def close(self) -> None:
        """Give back the card's memory."""
        self._opened.close()


def _ptx_path() -> Path:
    # beside the extension module, which an editable installation keeps elsewhere than the sources
    return Path(_native.__file__).with_name("cuda") / "logmel.ptx"


def _arrays(tables: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    """What the card's memory holds of the tables, by the names of `_Tables`."""
    mel_start, mel_weight = _in_quads(tables["mel_count"], tables["mel_weight"])
    arrays = {name: tables[name] for name in ("window", "step_twiddle", "split_twiddle", "mel_first")}
    return {**arrays, "mel_start": mel_start, "mel_weight": mel_weight}


def _places(arrays: Mapping[str, npt.NDArray[Any]]) -> tuple[dict[str, int], int]:
    """Where each array begins in one piece of memory, in bytes, and the size of the whole."""
    places, n_bytes = {}, 0
    for name, array in arrays.items():
        places[name] = n_bytes
        n_bytes += -(-array.nbytes // _ALIGNMENT) * _ALIGNMENT
    return places, n_bytes


def _upload(arrays: Mapping[str, npt.NDArray[Any]], addresses: Mapping[str, int]) -> None:
    with closing(Stream()) as stream:
        for name, array in arrays.items():
            stream.copy_in(addresses[name], array)
        stream.synchronize()


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
