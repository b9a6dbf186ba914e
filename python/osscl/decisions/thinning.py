"""How far apart clips must lie to be no longer alike: neighbours in time are not independent."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from osscl.decisions.normal_quantiles import normal_quantiles
from osscl.decisions.staircase import checked_scores, middle_ranks, recording_numbers

ALIKE = 0.05
"""Correlation below which two clips count as independent."""
_LONGEST_LAG = 100
_FEWEST = 20

Array = npt.NDArray[np.float64]


class Spacing(NamedTuple):
    """How far apart the clips of a machine are taken, and from what that is known.

    Attributes
    ----------
    distance : int
        Every so many clips one is taken.
    of_calibration, of_stream : int
        What the calibration's scores say in their order, and what the new ones say; the larger counts.
    """

    distance: int
    of_calibration: int
    of_stream: int


def calibration_distance(scores: npt.ArrayLike) -> int:
    """Distance at which the normal scores are no longer correlated, in their order.

    Parameters
    ----------
    scores : array_like of float, [n]
        Normal scores in the order of time, finite. Where they were put in no order, they say 1: then only the
        new clips themselves can tell.

    Returns
    -------
    int
        In clips; 1 where neighbours are independent, or there are fewer than 20.
    """
    z = _made_normal(checked_scores(scores, "calibration scores"))
    if len(z) < _FEWEST:
        return 1
    return _distance(z, len(z) // 4, float(z.var()))


def stream_distance(scores: npt.ArrayLike) -> int:
    """Distance at which new scores are no longer correlated, whether or not they changed once.

    Parameters
    ----------
    scores : array_like of float, [N]
        Scores in the order of time, finite.

    Returns
    -------
    int
        In clips; 1 where neighbours are independent, or there are fewer than 20. At most a fifth of them.

    Notes
    -----
    A lasting change makes all clips alike that lie on one side of it. So the means of the two parts that
    differ most are taken off first, and clips are compared with clips 50 to 100 places on, not with all.
    """
    z = _made_normal(checked_scores(scores, "scores"))
    if len(z) < _FEWEST:
        return 1
    z = _made_normal(_without_its_largest_step(z))
    longest = min(_LONGEST_LAG, len(z) // 5)
    far = np.median(_half_squared_differences(z, longest)[longest // 2 :])
    return _distance(z, longest // 2, float(far))


def independent_clips(
    scores: npt.ArrayLike, recordings: Sequence[str], distance: int
) -> npt.NDArray[np.intp]:
    """Choose normal clips that are independent of one another.

    Parameters
    ----------
    scores : array_like of float, [n]
        Their scores, in order.
    recordings : sequence of str, [n]
        Recording of each: no two of one are taken.
    distance : int
        Clips that lie nearer are not taken.

    Returns
    -------
    ndarray of int, [m]
        Numbers of those that are taken, rising.
    """
    n = len(checked_scores(scores, "calibration scores"))
    seen: set[int] = set()
    taken: list[int] = []
    for clip, recording in enumerate(recording_numbers(recordings, n).tolist()):
        if recording not in seen and (not taken or clip - taken[-1] >= distance):
            seen.add(recording)
            taken.append(clip)
    return np.array(taken, np.intp)


def _distance(z: Array, longest: int, variance: float) -> int:
    """First lag at which the correlation is gone: seen, or told from how it falls before it drowns."""
    if not variance > 0:
        return 1
    correlation = 1 - _half_squared_differences(z, longest) / variance  # [longest], of lags from 1
    seen = max(ALIKE, 2 / math.sqrt(len(z)))
    gone = np.flatnonzero(correlation < seen)
    n_alike = int(gone[0]) if gone.size else longest
    if n_alike == 0:
        return 1
    lags = np.arange(1, n_alike + 1)
    alike = np.minimum(correlation[:n_alike], 1 - 1e-3)
    weight = alike**2  # those that are told best
    fall = -(weight * lags * np.log(alike)).sum() / (weight * lags**2).sum()
    return max(n_alike + 1, min(math.ceil(math.log(1 / ALIKE) / fall), 2 * longest))


def _half_squared_differences(z: Array, longest: int) -> Array:
    """Mean half squared difference of values [N] that lie 1 to `longest` places apart."""
    return np.array([np.mean((z[lag:] - z[:-lag]) ** 2) / 2 for lag in range(1, longest + 1)])


def _without_its_largest_step(z: Array) -> Array:
    """Values [N] less the mean of the part that each lies in, of the two parts that differ most."""
    n = len(z)
    n_after = np.arange(n - 1, 0, -1)
    after = np.cumsum((z - z.mean())[::-1])[::-1][1:]
    at = int(np.argmax(np.abs(after) / np.sqrt(n_after * (n - n_after)))) + 1
    return np.concatenate([z[:at] - z[:at].mean(), z[at:] - z[at:].mean()])


def _made_normal(scores: Array) -> Array:
    """Scores [N] by their ranks alone, as a normal distribution has them."""
    return normal_quantiles((middle_ranks(scores) + 0.5) / len(scores)) if len(scores) else scores
