"""What became of one machine over a table of scores."""

from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """A machine that is no longer like its calibration.

    Attributes
    ----------
    sentence : str
        What happened, since when, and what to do.
    alarmed_at : int
        Clip of the machine, counted from 0 in the order of time, at which it was certain.
    began_at : int
        Clip from which on it is so, as far as can be told.
    began : str or None
        Time of that clip, ISO 8601; None where times are not known.
    block_z : dict of str to float
        Mean z of each block of the memory since then; empty where the table has none.
    bands : tuple of str
        Where in frequency, in words; empty where the sound is not at hand.
    """

    sentence: str
    alarmed_at: int
    began_at: int
    began: str | None
    block_z: dict[str, float]
    bands: tuple[str, ...] = ()


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm that was raised from decisions over time.

    Attributes
    ----------
    raised_at : int
        Clip of the machine, counted from 0 in the order of time.
    raised : str or None
        Its time, ISO 8601.
    released_at : int or None
        Clip at which it was released; None where it still stands.
    released : str or None
        Its time.
    """

    raised_at: int
    raised: str | None
    released_at: int | None
    released: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """One machine over time.

    Attributes
    ----------
    machine : str
        Its ID.
    n_clips : int
        Scored clips of it.
    times : tuple of (str or None), [n_clips]
        When each was recorded, ISO 8601, in the order of time; the table's where times are not known.
    lines : tuple of int, [n_clips]
        Line of the table, counted from 0, of each.
    n_calibration : int
        Normal scores that they are compared with.
    distance : int
        Every so many clips one is taken: nearer ones are alike.
    used : ndarray of int, [n_used]
        Clips that were taken, numbers from 0.
    log10_martingale : ndarray of float64, [n_used]
        Evidence against "still like its calibration" after each of them.
    log10_limit : float
        Where it is certain.
    drift : Drift or None
        What was found; None where nothing was.
    alarms : tuple of Alarm
        Alarms that were raised.
    note : str or None
        Why the machine cannot be watched; None where it can.
    """

    machine: str
    n_clips: int
    times: tuple[str | None, ...]
    lines: tuple[int, ...]
    n_calibration: int
    distance: int
    used: npt.NDArray[np.intp]
    log10_martingale: npt.NDArray[np.float64]
    log10_limit: float
    drift: Drift | None
    alarms: tuple[Alarm, ...]
    note: str | None
