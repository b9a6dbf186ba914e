"""When a single event is heard, and how long it lasts."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from osscl.explanation.scales import FRAME_RATE_HZ

Floats = npt.NDArray[np.float64]

_SMOOTHED = 3
_HALF = 0.5


class Event(NamedTuple):
    """Something that stands out once.

    Attributes
    ----------
    start_s, duration_s : float
        When it begins, and how long it lasts.
    above_db : float
        How far it stands out above the mean of its bands.
    """

    start_s: float
    duration_s: float
    above_db: float


def loudest_event(bands: Floats, first: int, end: int) -> Event:
    """Find the event in some bands.

    Parameters
    ----------
    bands : ndarray of float64, [32, T]
        Level of each band over time, dB.
    first, end : int
        The bands `first` to `end` - 1.

    Returns
    -------
    Event
        What stands out most, as long as it stands out by half as much in dB.
    """
    above = (bands[first:end] - bands[first:end].mean(1, keepdims=True)).mean(0)  # [T]
    smooth = np.convolve(above, np.full(_SMOOTHED, 1.0 / _SMOOTHED), "valid")  # [T - 2]
    peak = int(np.argmax(smooth))
    high = smooth >= _HALF * smooth[peak]
    begin, stop = peak, peak + 1
    while begin > 0 and high[begin - 1]:
        begin -= 1
    while stop < len(high) and high[stop]:
        stop += 1
    # a frame of the smoothed curve is the middle of three
    return Event((begin + 1) / FRAME_RATE_HZ, (stop - begin) / FRAME_RATE_HZ, float(smooth[peak]))
