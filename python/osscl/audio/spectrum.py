"""Where the sound of a recording ends, from the levels of 32 bands."""

import numpy as np
import numpy.typing as npt

N_BANDS = 32
_N_MEL, _TOP_HZ = 128, 8000.0
_MEL_AT_1_KHZ, _MEL_STEP = 15.0, np.log(6.4) / 27.0  # Slaney: linear below 1 kHz, logarithmic above


def _band_edges_hz() -> npt.NDArray[np.float64]:
    """Edges of the bands [33]: each is four of the 128 mel bands of the front end."""
    top = _MEL_AT_1_KHZ + np.log(_TOP_HZ / 1000.0) / _MEL_STEP
    mel = (np.arange(N_BANDS + 1) * (_N_MEL / N_BANDS) + 0.5) * top / (_N_MEL + 1)
    edges: npt.NDArray[np.float64] = np.where(
        mel < _MEL_AT_1_KHZ, mel * 1000.0 / _MEL_AT_1_KHZ, 1000.0 * np.exp((mel - _MEL_AT_1_KHZ) * _MEL_STEP)
    )
    return edges


BAND_EDGES_HZ = _band_edges_hz()
_CLIFF_DB = 20.0
_LOWEST_END_HZ, _HIGHEST_END_HZ = 1000.0, 7000.0


def ends_at_hz(levels: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Tell where sound ends, as that of another sample rate or of a speech codec does: at a cliff.

    Parameters
    ----------
    levels : ndarray of float, [B, 32]
        Levels of the bands, dB.

    Returns
    -------
    ndarray of float64, [B]
        The highest frequency between 1 and 7 kHz above which all bands lie 20 dB or more below three
        neighbours under it, with not more than one band in between; NaN where there is none. A spectrum that
        falls off as those of machines do has none.
    """
    below = np.minimum(np.minimum(levels[:, :-5], levels[:, 1:-4]), levels[:, 2:-3])  # of band k: k-3 .. k-1
    above = np.maximum.accumulate(levels[:, :3:-1], axis=1)[:, ::-1][:, :-1]  # k+1 .. 31, for k from 3 to 29
    is_cliff = (below - above >= _CLIFF_DB) & _MAY_END
    last = _EDGES.size - 1 - np.argmax(is_cliff[:, ::-1], axis=1)
    return np.where(is_cliff.any(axis=1), _EDGES[last], np.nan)


_EDGES = BAND_EDGES_HZ[3 : N_BANDS - 2]  # lower ones of the bands 3 to 29
_MAY_END = (_EDGES >= _LOWEST_END_HZ) & (_EDGES <= _HIGHEST_END_HZ)
