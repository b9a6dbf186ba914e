"""How far the false-alarm rate of a threshold may lie from the one asked for."""

import math
from typing import NamedTuple

import numpy as np

from osscl.decisions.conformal import check_rate
from osscl.decisions.staircase import MIN_RECORDINGS
from osscl.errors import DecisionError


class RateInterval(NamedTuple):
    """False-alarm rate that a threshold really has.

    Attributes
    ----------
    low, high : float
        Ends of the interval.
    expected : float
        Its mean over many draws of the normal recordings; never above the rate asked for.
    """

    low: float
    expected: float
    high: float


def rate_interval(n_recordings: int, false_alarm_rate: float, confidence: float = 0.9) -> RateInterval | None:
    """Interval of the false-alarm rate that a threshold has, given how many recordings it was set from.

    A threshold keeps its rate on average over many draws of normal recordings. One installation has one
    draw, and lives with the rate of that.

    Parameters
    ----------
    n_recordings : int
        Normal recordings that the threshold was set from.
    false_alarm_rate : float
        Asked for, in (0, 1).
    confidence : float
        Share of all draws whose rate lies in the interval, in (0, 1).

    Returns
    -------
    RateInterval or None
        None where so few recordings give no threshold.

    Raises
    ------
    DecisionError
        The confidence lies outside (0, 1).
    ConfigError
        A rate does.

    Notes
    -----
    The rate above the m-th largest of R held-out scores has the distribution Beta(m, R + 1 - m), where m is
    the rate times R + 1, rounded down. That is exact where each recording holds one clip, recordings are
    independent and scores do not tie. With more clips a recording, and for leave-one-out scores, it is an
    orientation.

    References
    ----------
    Vovk: "Conditional validity of inductive conformal predictors", Machine Learning 92 (2013), section 3.
    """
    check_rate(false_alarm_rate)
    if not 0.0 < confidence < 1.0:
        raise DecisionError(f"the confidence is {confidence}; it must lie between 0 and 1, such as 0.9")
    whole = n_recordings + 1
    m = math.floor(false_alarm_rate * whole)
    m += (m + 1) / whole <= false_alarm_rate  # the product may have been rounded down
    m -= m / whole > false_alarm_rate
    if n_recordings < MIN_RECORDINGS or m < 1:
        return None
    tail = (1 - confidence) / 2
    return RateInterval(_beta_quantile(tail, m, whole), m / whole, _beta_quantile(1 - tail, m, whole))


def exact_bounds(n_hits: int, n_trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Bound the rate behind so many hits of so many trials.

    Parameters
    ----------
    n_hits, n_trials : int
        At least one trial.
    confidence : float
        Of each bound by itself, in (0, 1).

    Returns
    -------
    low, high : float
        In [0, 1]; 0 without a hit, 1 without a miss.

    References
    ----------
    Clopper and Pearson: "The use of confidence or fiducial limits illustrated in the case of the binomial",
    Biometrika 26 (1934).
    """
    whole = n_trials + 1
    low = _beta_quantile(1 - confidence, n_hits, whole) if n_hits else 0.0
    high = _beta_quantile(confidence, n_hits + 1, whole) if n_hits < n_trials else 1.0
    return low, high


def _beta_quantile(share: float, m: int, whole: int) -> float:
    """Quantile of Beta(m, whole - m) for whole numbers, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _beta_share(middle, m, whole) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _beta_share(x: float, m: int, whole: int) -> float:
    """P(Beta(m, whole - m) <= x): the chance of m or more successes in whole - 1 trials."""
    trials = whole - 1
    log_choices = np.array(
        [math.lgamma(trials + 1) - math.lgamma(k + 1) - math.lgamma(trials - k + 1) for k in range(m)]
    )
    k = np.arange(m)
    fewer = np.exp(log_choices + k * math.log(x) + (trials - k) * math.log1p(-x))
    return float(1 - fewer.sum())
