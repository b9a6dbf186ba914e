"""Features of a clip for a machine's memory: what statistics tell its sound by, without a network.

The specification is the algorithm's name in `osscl.config.FEATURES`; a clip is 160,000 samples at 16 kHz.
"""

import functools

import numpy as np
import numpy.typing as npt

from osscl import _native
from osscl.audio.samples import Samples, Waveforms, as_samples
from osscl.config import FEATURES, FRONTEND
from osscl.errors import InputError
from osscl.frontend import native_plan
from osscl.support.threads import checked_threads, usable_cpus

__all__ = ["BLOCKS", "N_FEATURES", "log_mel_and_features", "memory_features"]

Float32 = npt.NDArray[np.float32]

# Which of the features belong together, by the name of the block. (docs/api.md describes the constants.)
BLOCKS = {
    "level": slice(0, 32),
    "modulation": slice(32, 128),
    "flutter": slice(128, 328),
    "event": slice(328, 360),
}
N_FEATURES = 360


def memory_features(waveforms: Waveforms, *, threads: int | None = None) -> Float32:
    """Features of one or more clips, for the memory of a machine.

    Parameters
    ----------
    waveforms : array_like, [..., 160000]
        int16 samples, or float samples at full scale ±1 (none beyond 8, all finite), at 16 kHz.
    threads : int, optional
        Threads at most, the calling one included; by default one for each usable processor.

    Returns
    -------
    ndarray of float32, [..., 360]
        Decibels. `BLOCKS` names their parts: "level", the mean of the log-mel over time in 32 bands;
        "modulation", slow fluctuations from 0.4 to 15.7 Hz in 8 bands; "flutter", fast ones from 2 to
        124 Hz in 5 bands; "event", how far 0.1 s at most stood out above the mean in 32 bands.
        The values depend neither on the number of clips handed over at once nor on `threads`.

    Raises
    ------
    InputError
        Samples of the wrong type or level, or clips of another length.
    ConfigError
        `threads` is no whole number from 1 to 4096, or OSSCL_ISA names an instruction set that this
        processor lacks.
    """
    samples = _clips(waveforms)
    features = np.empty((*samples.shape[:-1], N_FEATURES), np.float32)
    _transform(samples, features, None, threads)
    return features


def log_mel_and_features(waveforms: Waveforms, *, threads: int | None = None) -> tuple[Float32, Float32]:
    """Log-mel and features of one or more clips, made in one go.

    Parameters
    ----------
    waveforms : array_like, [..., 160000]
        int16 samples, or float samples at full scale ±1 (none beyond 8, all finite), at 16 kHz.
    threads : int, optional
        Threads at most, the calling one included; by default one for each usable processor.

    Returns
    -------
    log_mel : ndarray of float32, [..., 128, 313]
        What `osscl.log_mel` gives, to the bit.
    features : ndarray of float32, [..., 360]
        What `memory_features` gives, to the bit.

    Raises
    ------
    InputError
        Samples of the wrong type or level, or clips of another length.
    ConfigError
        `threads` is no whole number from 1 to 4096, or OSSCL_ISA names an instruction set that this
        processor lacks.
    """
    samples = _clips(waveforms)
    features = np.empty((*samples.shape[:-1], N_FEATURES), np.float32)
    log_mels = np.empty(
        (*samples.shape[:-1], FRONTEND.n_mels, FRONTEND.n_frames(FEATURES.n_samples)), np.float32
    )
    _transform(samples, features, log_mels, threads)
    return log_mels, features


def _clips(waveforms: Waveforms) -> Samples:
    samples = as_samples(waveforms, InputError)
    if samples.shape[-1] != FEATURES.n_samples:
        raise InputError(
            f"waveforms has {samples.shape[-1]} samples a clip; the features of a memory are made from "
            f"{FEATURES.n_samples}, which is what osscl.read_audio gives of a recording"
        )
    return samples


def _transform(samples: Samples, features: Float32, log_mels: Float32 | None, threads: int | None) -> None:
    n_threads = usable_cpus() if threads is None else checked_threads(threads)
    if not samples.size:
        return
    _plan(native_plan()).transform(
        samples.reshape(-1, FEATURES.n_samples),
        features.reshape(-1, N_FEATURES),
        None if log_mels is None else log_mels.reshape(-1, *log_mels.shape[-2:]),
        n_threads,
    )


@functools.lru_cache(maxsize=8)
def _plan(log_mel: _native.LogMel) -> _native.Features:
    return _native.Features(log_mel)
