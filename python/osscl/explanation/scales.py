"""Where in frequency, rate and time the features of a memory lie."""

import numpy as np
import numpy.typing as npt

from osscl.config import FRONTEND

Floats = npt.NDArray[np.float64]

N_BANDS = 32
MELS_A_BAND = FRONTEND.n_mels // N_BANDS
FRAME_RATE_HZ = FRONTEND.sample_rate_hz / FRONTEND.hop_length
"""Columns of the log-mel a second."""

SHORT_FRAME, SHORT_HOP = 256, 64
SHORT_RATE_HZ = FRONTEND.sample_rate_hz / SHORT_HOP
SHORT_POWER_FLOOR = 1e-7
SHORT_BAND_STARTS = (1, 4, 8, 13, 19, 27, 37, 50, 67, 91)
"""First bin of each band of the short frames; the last band ends with the spectrum."""

SLOW_EDGES_HZ = np.array((0.4, 0.8, 1.2, 1.7, 2.3, 3.0, 4.0, 5.2, 6.5, 8.0, 10.0, 12.5, 15.7))
FAST_EDGES_HZ = np.array((*range(2, 40, 2), *range(40, 125, 4)), np.float64)

_LINEAR_HZ = 200.0 / 3.0
_LOG_FROM_HZ = 1000.0
_LOG_STEP = np.log(6.4) / 27.0


def band_edges_hz() -> Floats:
    """Edges of the 32 bands, each of four mel filters.

    Returns
    -------
    ndarray of float64, [33]
        Halfway, in mel, between the centres of the filters on both sides.
    """
    n_filters = FRONTEND.n_mels
    places = (np.arange(N_BANDS + 1) * MELS_A_BAND + 0.5) / (n_filters + 1)
    low, high = _mel(FRONTEND.f_min_hz), _mel(FRONTEND.f_max_hz)
    return _hz(low + places * (high - low))


def slow_band_edges_hz() -> Floats:
    """Edges [9] of the 8 bands of the block modulation."""
    return band_edges_hz()[::4]


def fast_band_edges_hz() -> Floats:
    """Edges [6] of the 5 bands of the block flutter."""
    bins = np.array((*SHORT_BAND_STARTS, SHORT_FRAME // 2))[::2]
    return np.asarray(bins * (FRONTEND.sample_rate_hz / SHORT_FRAME), np.float64)


def _mel(hz: float) -> float:
    """Slaney's scale: linear up to 1 kHz, logarithmic above."""
    if hz < _LOG_FROM_HZ:
        return hz / _LINEAR_HZ
    return float(_LOG_FROM_HZ / _LINEAR_HZ + np.log(hz / _LOG_FROM_HZ) / _LOG_STEP)


def _hz(mel: Floats) -> Floats:
    knee = _LOG_FROM_HZ / _LINEAR_HZ
    return np.where(mel < knee, mel * _LINEAR_HZ, _LOG_FROM_HZ * np.exp(_LOG_STEP * (mel - knee)))
