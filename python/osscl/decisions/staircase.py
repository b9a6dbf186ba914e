"""The p-value as a function of the score, and who counts in it: recordings, not clips."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from osscl.errors import DecisionError
from osscl.support.plurals import counted

MIN_RECORDINGS = 3
"""With fewer, nothing is said of how often a normal clip scores as high."""


@dataclass(frozen=True, eq=False)
class Staircase:
    """The p-value as a function of the score: a staircase, that p-values and thresholds are read from alike.

    ``p[i]`` holds from just above ``edges[i - 1]`` up to ``edges[i]`` itself, which counts against the clip.
    """

    edges: npt.NDArray[np.float64]  # [E], the different normal scores, rising
    p: npt.NDArray[np.float64]  # [E + 1], falling
    n_recordings: int

    @classmethod
    def of(cls, normal_scores: npt.ArrayLike, recordings: Sequence[str] | None) -> "Staircase":
        """Build it from the scores of normal clips."""
        scores = checked_scores(normal_scores, "normal_scores")
        if not scores.size:
            raise DecisionError("there is no normal score; give scores of 3 recordings or more")
        if recordings is None:
            weight, unit, n_recordings = np.ones(len(scores), object), 1, len(scores)
        else:
            weight, unit, n_recordings = _weights(recordings, len(scores))
        edges, place = np.unique(scores, return_inverse=True)
        at_edge = np.zeros(len(edges), object)
        np.add.at(at_edge, place, weight)
        # whole numbers throughout: each p is the float nearest to the true fraction, as a literal rate is
        reaching = [*accumulate(at_edge[::-1], initial=0)][
            ::-1
        ]  # [E + 1]: weight of scores from each edge up
        whole = unit * (n_recordings + 1)
        return cls(edges, np.array([(unit + reached) / whole for reached in reaching]), n_recordings)

    def p_values(self, scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Read off the p-values of scores [M]; NaN where there are too few recordings."""
        if self.n_recordings < MIN_RECORDINGS:
            return np.full(len(scores), np.nan)
        found: npt.NDArray[np.float64] = self.p[np.searchsorted(self.edges, scores, side="left")]
        return found

    def threshold(self, false_alarm_rate: float) -> float:
        """Read off the smallest score whose p-value is the rate or less; NaN where there is none."""
        low_enough = np.flatnonzero(self.p <= false_alarm_rate)
        if self.n_recordings < MIN_RECORDINGS or not low_enough.size:
            return math.nan
        return math.nextafter(self.edges[low_enough[0] - 1], math.inf)  # p[0] is 1: no rate is so high


def _weights(recordings: Sequence[str], n: int) -> tuple[npt.NDArray[np.object_], int, int]:
    """Each clip's share of its recording in units, how many make a recording, the number of recordings."""
    groups = recording_numbers(recordings, n)
    sizes = np.bincount(groups).tolist()
    unit = math.lcm(*sizes)
    shares = np.array([unit // size for size in sizes], object)
    return shares[groups], unit, len(sizes)


def recording_numbers(recordings: Sequence[str] | None, n: int) -> npt.NDArray[np.intp]:
    """Number the recordings of n clips from 0, in the order in which they come; by default each clip is one.

    Raises
    ------
    DecisionError
        There is not one for each clip.
    """
    if recordings is None:
        return np.arange(n)
    if isinstance(recordings, str) or len(recordings) != n:
        raise DecisionError(
            f"recordings name {counted(len(recordings), 'clip')}; expected {n}, the recording of each "
            "normal clip"
        )
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in recordings], np.intp)


def checked_scores(given: npt.ArrayLike, name: str) -> npt.NDArray[np.float64]:
    """Scores as float64 [N]; raises `DecisionError` where they are no finite numbers."""
    scores = np.asarray(given)
    if scores.ndim != 1 or (scores.size and scores.dtype.kind not in "fiu"):
        raise DecisionError(
            f"{name} are {scores.dtype} {list(scores.shape)}; expected a list of numbers, one a clip"
        )
    bad = np.flatnonzero(~np.isfinite(scores.astype(np.float64)))
    if bad.size:
        raise DecisionError(f"number {bad[0]} of {name} is {scores[bad[0]]}; leave out what was not scored")
    return scores.astype(np.float64)


def middle_ranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Ranks of values [N], from 0; equal values share theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle: npt.NDArray[np.float64] = (np.cumsum(counts) - (counts + 1) / 2)[place]
    return middle
