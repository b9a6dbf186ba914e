"""One clip as an explanation looks at it: its bands over time, and the envelopes of its modulations."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from osscl.audio.mel_bands import N_BANDS
from osscl.audio.samples import Samples, to_waveform
from osscl.decisions.blocks import BLOCKS
from osscl.explanation.scales import (
    FAST,
    FRAME_RATE_HZ,
    MELS_A_BAND,
    SHORT_BAND_STARTS,
    SHORT_FRAME,
    SHORT_HOP,
    SHORT_POWER_FLOOR,
    SHORT_RATE_HZ,
    SLOW,
)
from osscl.explanation.spectra import pooled_spectra
from osscl.features import log_mel_and_features

Floats = npt.NDArray[np.float64]


_LONGEST_S = 3.3
"""As much sound as this lies before or behind any moment that is no longer."""


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """A clip's features, and what they are made from.

    Attributes
    ----------
    waveform : ndarray of int16 or float32, [160000]
        Its samples.
    features : ndarray of float64, [360]
        As a memory takes them.
    bands : ndarray of float64, [32, 313]
        Level in dB of each band in each frame of the log-mel.
    slow : ndarray of float64, [16, 313]
        Level in dB of bands whose pairs are those of the block modulation.
    fast : ndarray of float64, [10, 2497]
        Level in dB of the bands of short frames, whose pairs are those of the block flutter.
    """

    waveform: Samples
    features: Floats
    bands: Floats
    slow: Floats
    fast: Floats

    def without(self, start_s: float, duration_s: float) -> "Heard":
        """The same clip but for a moment, which what comes before it, or behind, stands in for.

        Parameters
        ----------
        start_s, duration_s : float
            When it begins, and how long it lasts.

        Returns
        -------
        Heard
            With the features that it has then; those of the block event are left as they are. Itself, where
            the moment is more than a third of it.
        """
        if duration_s > _LONGEST_S:
            return self
        end_s = start_s + duration_s
        is_left = ~_during(self.bands, FRAME_RATE_HZ, start_s, end_s)
        slow = _mended(self.slow, FRAME_RATE_HZ, start_s, end_s)
        fast = _mended(self.fast, SHORT_RATE_HZ, start_s, end_s)
        features = self.features.copy()
        features[BLOCKS["level"].columns] = self.bands[:, is_left].mean(1)
        features[BLOCKS["modulation"].columns] = pooled_spectra(slow, SLOW).ravel()
        features[BLOCKS["flutter"].columns] = pooled_spectra(fast, FAST).ravel()
        return replace(self, features=features, slow=slow, fast=fast)


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
    return Heard(waveform, features.astype(np.float64), bands, slow, _short_envelopes(to_waveform(waveform)))


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


def _during(levels: Floats, frames_hz: float, start_s: float, end_s: float) -> npt.NDArray[np.bool_]:
    """Which times [T] of envelopes [m, T] lie in a moment."""
    times_s = np.arange(levels.shape[1]) / frames_hz
    return (times_s >= start_s) & (times_s <= end_s)


def _mended(levels: Floats, frames_hz: float, start_s: float, end_s: float) -> Floats:
    """Envelopes [m, T] in which what comes before a moment stands in its place, or what comes behind."""
    during = np.flatnonzero(_during(levels, frames_hz, start_s, end_s))
    mended = levels.copy()
    first, end = during[0], during[-1] + 1
    stands_in = first - len(during) if first >= len(during) else end
    mended[:, first:end] = levels[:, stands_in : stands_in + len(during)]
    return mended
