"""One clip as an explanation looks at it: its bands over time, and the envelopes of its modulations."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from osscl.audio.samples import Samples, to_waveform
from osscl.explanation.scales import (
    MELS_A_BAND,
    N_BANDS,
    SHORT_BAND_STARTS,
    SHORT_FRAME,
    SHORT_HOP,
    SHORT_POWER_FLOOR,
)
from osscl.features import log_mel_and_features

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """A clip's features, and what they are made from.

    Attributes
    ----------
    features : ndarray of float64, [360]
        As a memory takes them.
    bands : ndarray of float64, [32, 313]
        Level in dB of each band in each frame of the log-mel.
    slow : ndarray of float64, [16, 313]
        Level in dB of bands whose pairs are those of the block modulation.
    fast : ndarray of float64, [10, 2497]
        Level in dB of the bands of short frames, whose pairs are those of the block flutter.
    """

    features: Floats
    bands: Floats
    slow: Floats
    fast: Floats


def hear(waveform: Samples) -> Heard:
    """Compute what an explanation looks at.

    Parameters
    ----------
    waveform : ndarray of int16 or float32, [160000]
        One clip.

    Returns
    -------
    Heard
        Of this clip.
    """
    log_mel, features = log_mel_and_features(waveform)
    bands = _mean_of_neighbours(log_mel.astype(np.float64), MELS_A_BAND)  # [32, 313]
    slow = _mean_of_neighbours(bands, N_BANDS // 16)  # [16, 313]
    return Heard(features.astype(np.float64), bands, slow, _short_envelopes(to_waveform(waveform)))


def _mean_of_neighbours(rows: Floats, count: int) -> Floats:
    """[n, T] -> [n // count, T]"""
    mean: Floats = rows.reshape(-1, count, rows.shape[-1]).mean(axis=1)
    return mean


def _short_envelopes(waveform: npt.NDArray[np.float32]) -> Floats:
    """[n_samples] -> level of short frames in ten bands [10, n_frames], dB."""
    frames = np.lib.stride_tricks.sliding_window_view(waveform, SHORT_FRAME)[::SHORT_HOP]
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(SHORT_FRAME) / SHORT_FRAME)
    power = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2  # [n_frames, 129]
    bands = np.add.reduceat(power, SHORT_BAND_STARTS, axis=1).T
    return np.asarray(10.0 * np.log10(np.maximum(bands, SHORT_POWER_FLOOR)))
