"""From scores of normal clips to p-values, and to a threshold at a stated false-alarm rate."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context

import numpy as np
import numpy.typing as npt

from osscl.decisions.staircase import MIN_RECORDINGS, Staircase, checked_scores
from osscl.errors import ConfigError, DecisionError
from osscl.support.plurals import are, verb

_FOUR_DIGITS_UP = Context(prec=4, rounding=ROUND_CEILING)


def p_values(
    normal_scores: npt.ArrayLike, scores: npt.ArrayLike, recordings: Sequence[str] | None = None
) -> npt.NDArray[np.float64]:
    """How often a normal clip scores as high or higher, counted in recordings.

    Parameters
    ----------
    normal_scores : array_like of float, [N]
        Scores of normal clips, finite; higher is more anomalous.
    scores : array_like of float, [M]
        Scores to judge, finite.
    recordings : sequence of str, [N], optional
        Recording (or session) of each normal clip. Clips of one recording are alike and count as one
        together. By default each clip is a recording.

    Returns
    -------
    ndarray of float64, [M]
        p = (1 + sum over recordings of the share of its clips that score as high) / (R + 1), in (0, 1]; NaN
        throughout where there are fewer than 3 recordings. Ties count against the clip.

    Raises
    ------
    DecisionError
        A score is not finite, there is no normal score, or the lists differ in length.

    Notes
    -----
    With scores of normal clips that were held out of whatever computes scores, P(p <= r) <= r is guaranteed
    for a normal clip of a new recording if recordings are exchangeable (split conformal). With leave-one-
    out scores that is measured, not guaranteed.

    References
    ----------
    Vovk, Gammerman, Shafer: "Algorithmic Learning in a Random World", 2005, section 2.2.
    """
    steps = Staircase.of(normal_scores, recordings)
    return steps.p_values(checked_scores(scores, "scores"))


def threshold(
    normal_scores: npt.ArrayLike, false_alarm_rate: float, recordings: Sequence[str] | None = None
) -> float:
    """Smallest score whose p-value is the false-alarm rate or less.

    Parameters
    ----------
    normal_scores : array_like of float, [N]
        Scores of normal clips, finite; higher is more anomalous.
    false_alarm_rate : float
        Share of normal clips that may be called anomalous, in (0, 1).
    recordings : sequence of str, [N], optional
        Recording of each normal clip, as `p_values` takes them.

    Returns
    -------
    float
        ``score >= threshold`` and ``p_value <= false_alarm_rate`` are the same for every float64 score. NaN
        where no score reaches the rate: it is below `smallest_rate`, or there are fewer than 3 recordings.

    Raises
    ------
    DecisionError
        As `p_values`.
    ConfigError
        The rate lies outside (0, 1).
    """
    check_rate(false_alarm_rate)
    return Staircase.of(normal_scores, recordings).threshold(false_alarm_rate)


def smallest_rate(recordings: Sequence[str] | int) -> float:
    """Smallest false-alarm rate that so many recordings can speak of.

    Parameters
    ----------
    recordings : sequence of str, or int
        Recording of each normal clip, or how many there are.

    Returns
    -------
    float
        1 / (R + 1) for R different recordings.

    Raises
    ------
    DecisionError
        There is none.
    """
    n_recordings = recordings if isinstance(recordings, int) else len(set(recordings))
    if n_recordings < 1:
        raise DecisionError("there is no normal recording; give scores of 3 recordings or more")
    return 1 / (n_recordings + 1)


def rounded_up(rate: float) -> float:
    """Round a rate up to four digits, as one that is proposed must be: rounded down it would be refused.

    Parameters
    ----------
    rate : float
        Greater than 0.

    Returns
    -------
    float
        At least `rate`, and written in four digits.
    """
    return float(_FOUR_DIGITS_UP.create_decimal(repr(float(rate))))


def recordings_needed(false_alarm_rate: float) -> int:
    """How many normal recordings a false-alarm rate needs.

    Parameters
    ----------
    false_alarm_rate : float
        In (0, 1).

    Returns
    -------
    int
        The fewest R, 3 or more, with 1 / (R + 1) <= false_alarm_rate.

    Raises
    ------
    ConfigError
        The rate lies outside (0, 1).
    """
    check_rate(false_alarm_rate)
    needed = max(math.floor(1 / false_alarm_rate) - 2, MIN_RECORDINGS)
    while smallest_rate(needed) > false_alarm_rate:
        needed += 1
    return needed


@dataclass(frozen=True, eq=False)
class Decisions:
    """What was decided of some clips.

    Attributes
    ----------
    p_value : ndarray of float64, [M]
        As `p_values`; NaN where there are fewer than 3 recordings.
    threshold : float
        As `osscl.decisions.threshold`; NaN where nothing was decided.
    is_anomaly : ndarray of bool, [M], or None
        Whether each score reaches the threshold; None where nothing was decided.
    reason : str or None
        Why nothing was decided, and how many recordings are missing.
    """

    p_value: npt.NDArray[np.float64]
    threshold: float
    is_anomaly: npt.NDArray[np.bool_] | None
    reason: str | None


def decide(
    normal_scores: npt.ArrayLike,
    scores: npt.ArrayLike,
    false_alarm_rate: float,
    recordings: Sequence[str] | None = None,
) -> Decisions:
    """Decide which clips are anomalous, or say why that cannot be decided.

    Parameters
    ----------
    normal_scores : array_like of float, [N]
        Scores of normal clips, finite; higher is more anomalous.
    scores : array_like of float, [M]
        Scores to judge, finite.
    false_alarm_rate : float
        Share of normal clips that may be called anomalous, in (0, 1).
    recordings : sequence of str, [N], optional
        Recording of each normal clip, as `p_values` takes them.

    Returns
    -------
    Decisions
        Without decisions where there are too few recordings for the rate.

    Raises
    ------
    DecisionError, ConfigError
        As `threshold`.
    """
    check_rate(false_alarm_rate)
    steps = Staircase.of(normal_scores, recordings)
    given = checked_scores(scores, "scores")
    least = steps.threshold(false_alarm_rate)
    reason = too_few_recordings(steps.n_recordings, false_alarm_rate)
    return Decisions(steps.p_values(given), least, given >= least if reason is None else None, reason)


def too_few_recordings(n_recordings: int, false_alarm_rate: float) -> str | None:
    """Say how many recordings a rate lacks.

    Parameters
    ----------
    n_recordings : int
        Normal recordings that there are.
    false_alarm_rate : float
        In (0, 1).

    Returns
    -------
    str or None
        One sentence; None where there are enough.
    """
    missing = recordings_needed(false_alarm_rate) - n_recordings
    if missing <= 0:
        return None
    reachable = rounded_up(smallest_rate(max(n_recordings, MIN_RECORDINGS)))
    way_out = f", or a rate of {reachable:.4g}" if n_recordings >= MIN_RECORDINGS else ""
    return (
        f"{are(n_recordings, 'normal recording')} too few for a false-alarm rate of {false_alarm_rate:g}: "
        f"{missing} more {verb(missing, 'is', 'are')} needed{way_out}"
    )


def check_rate(false_alarm_rate: float, name: str = "false_alarm_rate") -> None:
    """Refuse what is no false-alarm rate."""
    if not 0.0 < false_alarm_rate < 1.0:
        raise ConfigError(f"{name} is {false_alarm_rate}; it must lie between 0 and 1, such as 0.05 for 5 %")
