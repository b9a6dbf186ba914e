"""Where the sound of a recording ends, from the levels of 32 bands."""

import numpy as np
import numpy.typing as npt

from osscl.audio.mel_bands import BAND_EDGES_HZ, N_BANDS

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
