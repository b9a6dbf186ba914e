"""How often n of the last m clips are flagged although the machine is well, and which n of m to take."""

import math
from typing import NamedTuple

from osscl.decisions.conformal import check_rate
from osscl.errors import DecisionError

LONGEST_WINDOW = 60
"""Clips that an alarm may look back at, at most."""
_FOUND_CLIPS, _FOUND_FAULTS = 0.8, 0.9


class FalseAlarms(NamedTuple):
    """What an alarm from n of the last m clips does on a machine that is well.

    Attributes
    ----------
    chance : float
        That n of the last m clips are flagged, at any clip.
    raised : float
        Alarms raised a clip: n of the last m are flagged, and were not one clip before.
    bound : float
        The same chance can be no larger than this, however the clips depend on one another.
    """

    chance: float
    raised: float
    bound: float


def false_alarms(n: int, m: int, rate: float, n_recordings: int) -> FalseAlarms:
    """Tell how often n of the last m clips raise a false alarm.

    Parameters
    ----------
    n, m : int
        Flagged clips, and clips that are looked back at, 1 <= n <= m.
    rate : float
        Share of normal clips that are flagged, as the threshold was made for, in (0, 1).
    n_recordings : int
        Normal recordings that the threshold was made from.

    Returns
    -------
    FalseAlarms
        Beta-binomial: clips share one threshold, whose true rate is distributed as Beta(k, R + 1 - k), with k
        the whole part of rate (R + 1): no more is flagged by it. Clips are taken as independent given that;
        the bound, m / n times the rate k / (R + 1) (Markov's), holds without.

    Raises
    ------
    DecisionError
        n, m or the rate lie outside their ranges, or so few recordings cannot speak of that rate.
    """
    check_window(n, m)
    check_rate(rate)
    a = math.floor(rate * (n_recordings + 1) + 1e-9)
    b = n_recordings + 1 - a
    if n_recordings < 1 or a < 1:
        raise DecisionError(
            f"{n_recordings} normal recordings say nothing of a rate of {rate:g}; the smallest is "
            f"{1 / (n_recordings + 1):.4g}"
        )
    chance = sum(_mean_of_powers(math.comb(m, k), k, m - k, a, b) for k in range(n, m + 1))
    # n - 1 of the last m - 1 and this one, while the clip that left the window was not flagged
    raised = _mean_of_powers(math.comb(m - 1, n - 1), n, m - n + 1, a, b)
    return FalseAlarms(min(chance, 1.0), raised, min(1.0, m / n * a / (a + b)))


def smallest_window(rate_of_alarms: float, rate: float, n_recordings: int) -> tuple[int, int] | None:
    """Choose n of m so that false alarms are raised as rarely as asked for.

    Parameters
    ----------
    rate_of_alarms : float
        False alarms a clip that may be raised, above 0.
    rate : float
        Share of normal clips that are flagged, in (0, 1).
    n_recordings : int
        Normal recordings that the threshold was made from.

    Returns
    -------
    (int, int) or None
        n and the smallest m with so few false alarms that still raises an alarm in m clips, 9 times of 10, of
        a fault of which 4 of 5 clips are flagged; None where no m up to 60 does.

    Raises
    ------
    DecisionError
        As `false_alarms`.
    """
    for m in range(1, LONGEST_WINDOW + 1):
        for n in range(1, m + 1):
            if _at_least(n, m, _FOUND_CLIPS) < _FOUND_FAULTS:
                break
            if false_alarms(n, m, rate, n_recordings).raised <= rate_of_alarms:
                return n, m
    return None


def fewest_false_alarms(rate: float, n_recordings: int) -> float:
    """Tell the smallest rate of false alarms a clip that any window up to 60 clips gets to."""
    best = 1.0
    for m in range(1, LONGEST_WINDOW + 1):
        for n in range(1, m + 1):
            if _at_least(n, m, _FOUND_CLIPS) < _FOUND_FAULTS:
                break
            best = min(best, false_alarms(n, m, rate, n_recordings).raised)
    return best


def check_window(n: int, m: int) -> None:
    """Refuse what is no n of m."""
    if not 1 <= n <= m <= LONGEST_WINDOW:
        raise DecisionError(
            f"an alarm from {n} of {m} clips cannot be; expected 1 <= n <= m <= {LONGEST_WINDOW}, such as 3/5"
        )


def _mean_of_powers(ways: int, n_flagged: int, n_not: int, a: float, b: float) -> float:
    """Mean of ways * q^n_flagged * (1 - q)^n_not where q is distributed as Beta(a, b)."""
    return ways * math.exp(_log_beta(a + n_flagged, b + n_not) - _log_beta(a, b))


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def _at_least(n: int, m: int, q: float) -> float:
    """Chance that at least n of m independent clips are flagged, each with probability q."""
    return sum(math.comb(m, k) * q**k * (1 - q) ** (m - k) for k in range(n, m + 1))
