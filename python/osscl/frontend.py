"""The log-mel front end."""

import functools
import os

import numpy as np
import numpy.typing as npt

from osscl import _native
from osscl.audio.samples import Waveforms, as_samples, output_array
from osscl.config import FRONTEND, FrontendConfig
from osscl.errors import ConfigError, InputError
from osscl.support.threads import checked_threads, usable_cpus

ISA_VARIABLE = "OSSCL_ISA"
"""Environment variable that names the instruction set to use instead of the fastest."""

Float32 = npt.NDArray[np.float32]
Int32 = npt.NDArray[np.int32]


def log_mel(
    waveforms: Waveforms,
    config: FrontendConfig | None = None,
    out: Float32 | None = None,
    threads: int | None = None,
) -> Float32:
    """Log-mel spectrogram of one or more waveforms.

    Centred short-time Fourier transform (periodic Hann, zeros beyond both ends), power,
    triangular Slaney mel filters, decibels. The values depend neither on the number of
    waveforms handed over at once nor on `threads`.

    Parameters
    ----------
    waveforms : array_like, [..., n_samples]
        int16 samples, or float samples at full scale ±1 (none beyond 8, all finite).
    config : FrontendConfig, optional
        Settings; by default those of the published models.
    out : ndarray of float32, [..., n_mels, n_frames], optional
        C-contiguous array that receives the result.
    threads : int, optional
        Threads at most, the calling one included; by default one for each usable processor.

    Returns
    -------
    ndarray of float32, [..., n_mels, n_frames]
        Decibels (10 log10 of the mel power), at least 10 log10(power_floor);
        n_frames = 1 + n_samples // hop_length. `out` itself where it was given.

    Raises
    ------
    InputError
        Samples or `out` of the wrong type, shape or level.
    ConfigError
        `threads` is no whole number from 1 to 4096, `config` no FrontendConfig, or OSSCL_ISA names an
        instruction set that this processor lacks.

    References
    ----------
    Huang, Fang, He: "One-Stage Supervised Contrastive Learning for anomalous sound detection",
    ICASSP 2025, section 2; Slaney: "Auditory Toolbox", Interval Research 1998-010 (mel scale).
    """
    config = FRONTEND if config is None else config
    if not isinstance(config, FrontendConfig):
        raise ConfigError(f"config is of type {type(config).__name__}; expected a FrontendConfig")
    n_threads = usable_cpus() if threads is None else checked_threads(threads)
    samples = as_samples(waveforms, InputError)
    shape = (*samples.shape[:-1], config.n_mels, config.n_frames(samples.shape[-1]))
    log_mels = output_array(out, shape)
    if log_mels.size:
        native_plan(config).transform(
            samples.reshape(-1, samples.shape[-1]),
            log_mels.reshape(-1, *shape[-2:]),
            n_threads,
        )
    return log_mels


def tables(config: FrontendConfig = FRONTEND) -> tuple[Float32, Float32]:
    """Window and mel filters as the native transform uses them.

    Parameters
    ----------
    config : FrontendConfig
        Settings.

    Returns
    -------
    window : ndarray of float32, [n_fft]
        Periodic Hann window.
    mel_filters : ndarray of float32, [n_mels, n_fft // 2 + 1]
        Triangular filters, unit area over Hz.
    """
    plan = native_plan(config)
    return plan.window(), plan.mel_filters()


def kernel_tables(config: FrontendConfig = FRONTEND) -> dict[str, Float32 | Int32]:
    """Tables that the transform reads, computed in float64 and rounded once.

    Parameters
    ----------
    config : FrontendConfig
        Settings.

    Returns
    -------
    dict of str to ndarray of float32 or int32
        By their names in ``csrc/logmel_kernel.hpp``, which says what they hold.
    """
    return native_plan(config).kernel_tables()


def instruction_set() -> str:
    """Name of the instruction set that `log_mel` runs on."""
    return native_plan().instruction_set


def native_plan(config: FrontendConfig = FRONTEND) -> _native.LogMel:
    """The native transform with these settings, on the instruction set that is asked for; made once.

    Raises
    ------
    ConfigError
        OSSCL_ISA names an instruction set that this processor lacks.
    """
    return _plan(config, _asked_instruction_set())


def _asked_instruction_set() -> str:
    return os.environ.get(ISA_VARIABLE, "")


@functools.lru_cache(maxsize=8)
def _plan(config: FrontendConfig, isa: str) -> _native.LogMel:
    try:
        return _native.LogMel(
            sample_rate_hz=config.sample_rate_hz,
            hop_length=config.hop_length,
            n_mels=config.n_mels,
            f_min_hz=config.f_min_hz,
            f_max_hz=config.f_max_hz,
            power_floor=config.power_floor,
            instruction_set=isa,
        )
    except ValueError as error:
        raise ConfigError(f"{ISA_VARIABLE}={isa}: {error}" if isa else str(error)) from None
