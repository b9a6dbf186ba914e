"""Altered machines: a machine's own sound, changed in a range of bands as a fault may change it.

A network that only tells machines apart learns to ignore how loud their bands are and how they fluctuate.
Told apart from altered copies of themselves, machines must be known by just that.
"""

import numpy as np
import numpy.typing as npt

from osscl.audio.mel_bands import mel_of_hz
from osscl.audio.samples import Samples, to_waveform
from osscl.config import CLIP, FRONTEND

Floats = npt.NDArray[np.floating]

LEVEL_DB = (3.0, 9.0)
"""By how much a bump raises or lowers the level at its centre."""
WIDTH = (0.02, 0.15)
"""Standard deviation of a range of bands, as a share of the mel scale."""
DEPTH_FACTOR = (0.3, 2.5)
"""By what fluctuations are multiplied, in dB about their mean: uniform in the logarithm, never near 1."""
RATE_HZ, DEPTH_DB = (0.7, 60.0), (2.0, 8.0)
"""Of a fluctuation that is added: how often a second, uniform in the logarithm, and its amplitude."""
_UNCHANGED = (0.75, 1.4)
_SMOOTHED_S = 0.016
_MAX_GAIN_DB = 12.0


def alter(samples: Samples, chance: np.random.Generator) -> npt.NDArray[np.float32]:
    """Change a clip in a range of bands: its level, or how it fluctuates.

    Parameters
    ----------
    samples : ndarray of int16 or float32, [n_samples]
        The clip, at full scale.
    chance : numpy.random.Generator
        Decides which bands, and what becomes of them.

    Returns
    -------
    ndarray of float32, [n_samples]
        The altered clip, full scale ±1 (and beyond, where it was loud).

    References
    ----------
    Hendrycks, Mazeika, Dietterich, "Deep anomaly detection with outlier exposure", ICLR 2019, arXiv
    1812.04606, here with outliers that are made; changed copies as classes of their own: Inoue et al.,
    "Detection of anomalous sounds for machine condition monitoring using classification confidence", DCASE
    workshop 2020.
    """
    spectrum = np.fft.rfft(to_waveform(samples))  # [n_bins]
    weight = _bump(len(samples), chance)  # [n_bins], 1 at its centre
    if chance.random() < 0.5:
        gain_db = chance.choice([-1.0, 1.0]) * chance.uniform(*LEVEL_DB)
        spectrum *= 10.0 ** (gain_db / 20.0 * weight)
        return np.fft.irfft(spectrum, len(samples)).astype(np.float32)
    band = np.fft.irfft(spectrum * weight, len(samples))  # [n_samples]
    rest = np.fft.irfft(spectrum * (1.0 - weight), len(samples))
    return (rest + band * _fluctuating(band, chance)).astype(np.float32)


def _bump(n_samples: int, chance: np.random.Generator) -> Floats:
    """Weight of each bin of the transform, [n_bins]: a bell on the mel scale."""
    low, high = mel_of_hz(FRONTEND.f_min_hz), mel_of_hz(FRONTEND.f_max_hz)
    hz = np.fft.rfftfreq(n_samples, 1.0 / FRONTEND.sample_rate_hz)
    place = (mel_of_hz(hz) - low) / (high - low)
    bell: Floats = np.exp(-0.5 * ((place - chance.uniform()) / chance.uniform(*WIDTH)) ** 2)
    return bell


def _fluctuating(band: Floats, chance: np.random.Generator) -> Floats:
    """Gain over time, [n_samples], that changes how a band fluctuates and leaves its mean level in dB."""
    if chance.random() < 0.5:
        rate, depth = np.exp(chance.uniform(*np.log(RATE_HZ))), chance.uniform(*DEPTH_DB)
        time = np.arange(len(band)) / FRONTEND.sample_rate_hz
        gain_db = depth * np.sin(2.0 * np.pi * (rate * time + chance.random()))
    else:
        level = _level_db(band)
        gain_db = (_depth_factor(chance) - 1.0) * (level - level.mean())
    gain: Floats = 10.0 ** (np.clip(gain_db, -_MAX_GAIN_DB, _MAX_GAIN_DB) / 20.0)
    return gain


def _depth_factor(chance: np.random.Generator) -> float:
    """Shallower or deeper, but never about the same."""
    (least, most), (below, above) = DEPTH_FACTOR, _UNCHANGED
    low, high = (least, below) if chance.random() < 0.5 else (above, most)
    return float(np.exp(chance.uniform(np.log(low), np.log(high))))


def _level_db(band: Floats) -> Floats:
    """Level of a band over time, dB, [n_samples]: of its power, smoothed."""
    width = round(_SMOOTHED_S * FRONTEND.sample_rate_hz)
    blocks = np.square(band)[: CLIP.n_samples // width * width].reshape(-1, width).mean(1)
    level = 10.0 * np.log10(blocks + 1e-12)
    smooth = np.convolve(np.pad(level, 1, mode="edge"), [0.25, 0.5, 0.25], mode="valid")
    centres = (np.arange(len(smooth)) + 0.5) * width
    return np.interp(np.arange(len(band)), centres, smooth)
