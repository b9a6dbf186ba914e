"""Slaney's mel scale, and the 32 bands in which levels are told: each is four of the log-mel's filters."""

from typing import Any

import numpy as np
import numpy.typing as npt

from osscl.config import FRONTEND

N_BANDS = 32
_KNEE_HZ, _KNEE_MEL = 1000.0, 15.0
"""Linear up to there, logarithmic above."""
_MEL_STEP = np.log(6.4) / 27.0

Floats = npt.NDArray[np.float64]


def mel_of_hz(hz: npt.ArrayLike) -> Any:
    """Place of frequencies on Slaney's mel scale.

    Parameters
    ----------
    hz : array_like of float
        Frequencies, 0 or above.

    Returns
    -------
    float64, or ndarray of float64
        Mel, one for each.

    References
    ----------
    Slaney: "Auditory Toolbox", Interval Research technical report 1998-010.
    """
    given = np.asarray(hz, np.float64)
    above = np.log(np.maximum(given, _KNEE_HZ) / _KNEE_HZ) / _MEL_STEP
    return np.minimum(given * (_KNEE_MEL / _KNEE_HZ), _KNEE_MEL) + above


def _hz_of_mel(mel: Floats) -> Floats:
    return np.where(
        mel < _KNEE_MEL, mel * (_KNEE_HZ / _KNEE_MEL), _KNEE_HZ * np.exp((mel - _KNEE_MEL) * _MEL_STEP)
    )


def _band_edges_hz() -> Floats:
    """Halfway, in mel, between the centres of the filters on both sides."""
    places = (np.arange(N_BANDS + 1) * (FRONTEND.n_mels / N_BANDS) + 0.5) / (FRONTEND.n_mels + 1)
    low, high = mel_of_hz(FRONTEND.f_min_hz), mel_of_hz(FRONTEND.f_max_hz)
    return _hz_of_mel(low + places * (high - low))


BAND_EDGES_HZ = _band_edges_hz()
"""Edges of the bands, [33] float64."""
BAND_EDGES_HZ.setflags(write=False)
