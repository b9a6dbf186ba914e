"""Ten seconds of sound as a spectrum: the form in which all sources are filtered and mixed.

Products of spectra are circular convolutions: what rings on beyond the end of a clip stands at its start,
as it does in a recording of a machine that has long been running.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from osscl.config import CLIP, FRONTEND

Signal: TypeAlias = npt.NDArray[np.float64]
"""Sound in time, float64 [N_SAMPLES]."""
Spectrum: TypeAlias = npt.NDArray[np.complex128]
"""Sound or transfer function over FREQUENCY_HZ, complex128 [N_BINS]."""

N_SAMPLES = CLIP.n_samples
SAMPLE_RATE_HZ = FRONTEND.sample_rate_hz
DURATION_S = N_SAMPLES / SAMPLE_RATE_HZ
N_BINS = N_SAMPLES // 2 + 1
FREQUENCY_HZ = np.fft.rfftfreq(N_SAMPLES, 1.0 / SAMPLE_RATE_HZ)
FREQUENCY_HZ.flags.writeable = False


def to_spectrum(signal: Signal) -> Spectrum:
    """Spectrum of a sound; a shorter one is taken to be followed by silence."""
    return np.fft.rfft(signal, N_SAMPLES)


def to_signal(spectrum: Spectrum) -> Signal:
    """Sound of a spectrum."""
    return np.fft.irfft(spectrum, N_SAMPLES)


def rms(spectrum: Spectrum) -> float:
    """Root mean square of the sound of a spectrum, by Parseval's theorem; its mean does not count."""
    # no dot product: its rounding would depend on the number of BLAS threads
    inner = np.square(spectrum[1:-1].view(np.float64)).sum()
    power = 2.0 * float(inner) + float(abs(spectrum[-1]) ** 2)
    return float(np.sqrt(power)) / N_SAMPLES


def at_level(spectrum: Spectrum, level_db: float) -> Spectrum:
    """The same sound at a given level.

    Parameters
    ----------
    spectrum : ndarray of complex128, [N_BINS]
        Sound that is not silent.
    level_db : float
        Wanted root mean square in decibels re 1.

    Returns
    -------
    ndarray of complex128, [N_BINS]
        The scaled sound.
    """
    return spectrum * (amplitude(level_db) / rms(spectrum))


def amplitude(level_db: float) -> float:
    """Factor on amplitudes that a level difference stands for."""
    return float(10.0 ** (level_db / 20.0))


def gaussian_noise(rng: np.random.Generator, shape: npt.NDArray[np.float64] | float = 1.0) -> Spectrum:
    """Gaussian noise whose expected amplitude spectrum has a given shape.

    Parameters
    ----------
    rng : Generator
        Where the noise comes from.
    shape : ndarray of float64, [N_BINS], or float
        Amplitude over frequency, any unit.

    Returns
    -------
    ndarray of complex128, [N_BINS]
        Independent complex normal numbers times `shape`.
    """
    parts = rng.standard_normal((N_BINS, 2), dtype=np.float32).astype(np.float64)
    noise: Spectrum = parts.view(np.complex128)[:, 0]
    return noise * shape


def band(low_hz: float, high_hz: float, order: int = 4) -> npt.NDArray[np.float64]:
    """Amplitude response of a Butterworth high pass and low pass in a row.

    Parameters
    ----------
    low_hz, high_hz : float
        Corner frequencies, where the power is halved.
    order : int
        Order of each filter: 6 dB an octave for each.

    Returns
    -------
    ndarray of float64, [N_BINS]
        Factors between 0 and 1.

    References
    ----------
    Butterworth, "On the theory of filter amplifiers", 1930.
    """
    ratio = np.maximum(FREQUENCY_HZ, 1e-3)
    high_pass = 1.0 / np.sqrt(1.0 + (low_hz / ratio) ** (2 * order))
    low_pass = 1.0 / np.sqrt(1.0 + (ratio / high_hz) ** (2 * order))
    return np.asarray(high_pass * low_pass)
