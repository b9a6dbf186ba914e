"""Two scores of unlike units as one: the larger of two robust z."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from osscl.decisions.staircase import recording_numbers
from osscl.errors import DecisionError

NORMAL_MAD = 1.4826
"""Standard deviation of a normal distribution, in median absolute deviations."""
LEAST_SCORE = 1e-12
"""Network scores below, nats, count as this: its cross-entropy can round to 0."""


class RobustScale(NamedTuple):
    """Where normal scores lie and how far they spread, whatever a few of them do.

    Attributes
    ----------
    median : float
        Of normal scores.
    mad : float
        Median absolute deviation from it.
    """

    median: float
    mad: float

    @classmethod
    def of(cls, normal_scores: npt.ArrayLike) -> "RobustScale":
        """Measure normal scores.

        Parameters
        ----------
        normal_scores : array_like of float, [N]
            Scores of normal clips, finite.

        Returns
        -------
        RobustScale
            Of these.

        Raises
        ------
        DecisionError
            There is none, one is not finite, or half of them are equal.
        """
        scores = np.asarray(normal_scores, np.float64)
        if scores.ndim != 1 or not scores.size or not np.isfinite(scores).all():
            raise DecisionError(
                f"normal scores are {list(scores.shape)}; expected finite numbers, one a clip"
            )
        median = float(np.median(scores))
        mad = float(np.median(np.abs(scores - median)))
        if not mad > 0:
            raise DecisionError(
                f"half of {len(scores)} normal scores are {median:g}: they have no spread to measure others "
                "in; use the rule 'memory'"
            )
        return cls(median, mad)

    def z(self, scores: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Scores in robust standard deviations above the normal ones' median.

        Parameters
        ----------
        scores : array_like of float, [M]
            Scores.

        Returns
        -------
        ndarray of float64, [M]
            (score - median) / (1.4826 mad).
        """
        found: npt.NDArray[np.float64] = (np.asarray(scores, np.float64) - self.median) / (
            NORMAL_MAD * self.mad
        )
        return found


def log_score(network_scores: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Logarithm of the network's scores, which spread over decades.

    Parameters
    ----------
    network_scores : array_like of float, [M]
        Cross-entropies in nats, zero or more.

    Returns
    -------
    ndarray of float64, [M]
        Natural logarithms; scores below 1e-12 count as 1e-12.

    Raises
    ------
    DecisionError
        One is negative or not finite.
    """
    scores = np.asarray(network_scores, np.float64)
    if not (np.isfinite(scores) & (scores >= 0)).all():
        raise DecisionError("a score of the network is negative or not finite; give cross-entropies in nats")
    logarithms: npt.NDArray[np.float64] = np.log(np.maximum(scores, LEAST_SCORE))
    return logarithms


def both(memory_z: npt.ArrayLike, network_z: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Score of the rule `both`: whichever of the two finds a clip stranger.

    Parameters
    ----------
    memory_z, network_z : array_like of float, [M]
        The memory's score and the logarithm of the network's, each by its `RobustScale`.

    Returns
    -------
    ndarray of float64, [M]
        The larger of the two; NaN where either is.

    Raises
    ------
    DecisionError
        They differ in length.
    """
    first, second = np.asarray(memory_z, np.float64), np.asarray(network_z, np.float64)
    if first.shape != second.shape:
        raise DecisionError(
            f"memory_z is {list(first.shape)} and network_z {list(second.shape)}; expected z of the "
            "same clips"
        )
    larger: npt.NDArray[np.float64] = np.maximum(first, second)
    return larger


def left_out_z(
    normal_scores: npt.ArrayLike, recordings: Sequence[str] | None = None
) -> npt.NDArray[np.float64]:
    """Robust z of normal clips, each by the scale of all clips but those of its recording.

    Parameters
    ----------
    normal_scores : array_like of float, [N]
        Scores of normal clips, finite.
    recordings : sequence of str, [N], optional
        Recording of each; by default each clip is one.

    Returns
    -------
    ndarray of float64, [N]
        What a new recording's clip would have got.

    Raises
    ------
    DecisionError
        As `RobustScale.of`; or there are fewer than 2 recordings.
    """
    scores = np.asarray(normal_scores, np.float64)
    numbers = recording_numbers(recordings, len(scores))
    if len(scores) == 0 or numbers.max() < 1:
        raise DecisionError("all normal scores are of one recording; give those of 2 recordings or more")
    found = np.empty(len(scores))
    for number in range(numbers.max() + 1):
        left_out = numbers == number
        found[left_out] = RobustScale.of(scores[~left_out]).z(scores[left_out])
    return found
