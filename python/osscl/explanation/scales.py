"""Where in frequency, rate and time the features of a memory lie."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from osscl.audio.mel_bands import BAND_EDGES_HZ, N_BANDS
from osscl.config import FRONTEND

Floats = npt.NDArray[np.float64]

MELS_A_BAND = FRONTEND.n_mels // N_BANDS
FRAME_RATE_HZ = FRONTEND.sample_rate_hz / FRONTEND.hop_length
"""Columns of the log-mel a second."""

SHORT_FRAME, SHORT_HOP = 256, 64
SHORT_RATE_HZ = FRONTEND.sample_rate_hz / SHORT_HOP
SHORT_POWER_FLOOR = 1e-7
SHORT_BAND_STARTS = (1, 4, 8, 13, 19, 27, 37, 50, 67, 91)
"""First bin of each band of the short frames; the last band ends with the spectrum."""


class Pools(NamedTuple):
    """How the spectra of envelopes become features.

    Attributes
    ----------
    frames_hz : float
        Sample rate of the envelopes.
    segment : int
        Samples of the segments that half overlap.
    edges_hz : ndarray of float64, [p + 1]
        Edges of the pools.
    """

    frames_hz: float
    segment: int
    edges_hz: Floats


SLOW = Pools(
    FRAME_RATE_HZ, 128, np.array((0.4, 0.8, 1.2, 1.7, 2.3, 3.0, 4.0, 5.2, 6.5, 8.0, 10.0, 12.5, 15.7))
)
"""Of the block modulation."""
FAST = Pools(SHORT_RATE_HZ, 250, np.array((*range(2, 40, 2), *range(40, 125, 4)), np.float64))
"""Of the block flutter."""


def slow_band_edges_hz() -> Floats:
    """Edges [9] of the 8 bands of the block modulation."""
    return BAND_EDGES_HZ[::4]


def fast_band_edges_hz() -> Floats:
    """Edges [6] of the 5 bands of the block flutter."""
    bins = np.array((*SHORT_BAND_STARTS, SHORT_FRAME // 2))[::2]
    return np.asarray(bins * (FRONTEND.sample_rate_hz / SHORT_FRAME), np.float64)
