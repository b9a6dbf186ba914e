"""Altered machines: a machine's own sound, changed in a range of bands as a fault may change it.

A network that only tells machines apart learns to ignore how loud their bands are and how they fluctuate.
Told apart from altered copies of themselves, machines must be known by just that.
"""

import numpy as np
import numpy.typing as npt

from osscl.audio.mel_bands import mel_of_hz
from osscl.audio.samples import Samples, to_waveform
from osscl.config import FRONTEND

Floats = npt.NDArray[np.floating]

LEVEL_DB = (3.0, 9.0)
"""By how much the level is changed at the middle of the range."""
WIDTH = (0.03, 0.12)
"""Standard deviation of the range of bands, as a share of the mel scale."""
RATE_HZ, DEPTH_DB = (0.5, 30.0), (3.0, 9.0)
"""Of the fluctuation that is added: how often a second, uniform in the logarithm, and its amplitude."""
KINDS = tuple(
    f"{what} {where}" for what in ("raised", "lowered", "fluctuating") for where in ("low", "middle", "high")
)
"""What is done in which third of the mel scale: each is a class of its own of each machine."""
_N_THIRDS = 3


def alter(samples: Samples, seed: int) -> tuple[npt.NDArray[np.float32], int]:
    """Change a clip in a range of bands: its level, or how it fluctuates.

    Parameters
    ----------
    samples : ndarray of int16 or float32, [n_samples]
        The clip, at full scale.
    seed : int
        Decides which bands, and what becomes of them.

    Returns
    -------
    altered : ndarray of float32, [n_samples]
        The altered clip, full scale ±1 (and beyond, where it was loud).
    kind : int
        Index into `KINDS`.

    References
    ----------
    Hendrycks, Mazeika, Dietterich, "Deep anomaly detection with outlier exposure", ICLR 2019, arXiv
    1812.04606, here with outliers that are made; changed copies as classes of their own: Inoue et al.,
    "Detection of anomalous sounds for machine condition monitoring using classification confidence", DCASE
    workshop 2020.
    """
    chance = np.random.default_rng(seed)
    kind = int(chance.integers(len(KINDS)))
    what, third = divmod(kind, _N_THIRDS)
    spectrum = np.fft.rfft(to_waveform(samples))  # [n_bins]
    weight = _range_of_bands(len(samples), third, chance)  # [n_bins]
    if what < 2:
        gain_db = (1.0 if what == 0 else -1.0) * chance.uniform(*LEVEL_DB)
        altered = np.fft.irfft(spectrum * 10.0 ** (gain_db / 20.0 * weight), len(samples))
    else:
        band = np.fft.irfft(spectrum * weight, len(samples))  # [n_samples]
        rest = np.fft.irfft(spectrum * (1.0 - weight), len(samples))
        altered = rest + band * _fluctuation(len(samples), chance)
    return altered.astype(np.float32), kind


def _range_of_bands(n_samples: int, third: int, chance: np.random.Generator) -> Floats:
    """Weight of each bin of the transform, [n_bins]: a bell on the mel scale, 1 at its middle."""
    low, high = mel_of_hz(FRONTEND.f_min_hz), mel_of_hz(FRONTEND.f_max_hz)
    hz = np.fft.rfftfreq(n_samples, 1.0 / FRONTEND.sample_rate_hz)
    place = (mel_of_hz(hz) - low) / (high - low)  # in [0, 1]
    middle = (third + chance.random()) / _N_THIRDS
    bell: Floats = np.exp(-0.5 * ((place - middle) / chance.uniform(*WIDTH)) ** 2)
    return bell


def _fluctuation(n_samples: int, chance: np.random.Generator) -> Floats:
    """Gain over time, [n_samples], with a mean of 0 dB."""
    rate_hz = np.exp(chance.uniform(*np.log(RATE_HZ)))
    cycles = rate_hz / FRONTEND.sample_rate_hz * np.arange(n_samples) + chance.random()
    gain: Floats = 10.0 ** (chance.uniform(*DEPTH_DB) / 20.0 * np.sin(2.0 * np.pi * cycles))
    return gain
