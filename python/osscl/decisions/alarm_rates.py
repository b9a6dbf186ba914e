"""How often n of the last m clips are flagged although the machine is well, and which n of m to take."""

import math
from collections.abc import Iterator
from typing import NamedTuple

from osscl.decisions.conformal import check_rate
from osscl.errors import DecisionError
from osscl.support.plurals import counted, verb

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
    a, b = _true_rate(rate, n_recordings)
    chance = chance_of_flagged(n, m, rate, n_recordings)
    return FalseAlarms(chance, _raised(n, m, a, b), min(1.0, m / n * a / (a + b)))


def chance_of_flagged(n: int, m: int, rate: float, n_recordings: int) -> float:
    """Tell how likely n or more of m clips are flagged although the machine is well.

    Parameters
    ----------
    n, m : int
        Flagged clips, and clips, 0 <= n <= m; any number of them.
    rate : float
        Share of normal clips that are flagged, as the threshold was made for, in (0, 1).
    n_recordings : int
        Normal recordings that the threshold was made from.

    Returns
    -------
    float
        Beta-binomial, as `false_alarms` says.

    Raises
    ------
    DecisionError
        The rate lies outside (0, 1), or so few recordings cannot speak of it.
    """
    a, b = _true_rate(rate, n_recordings)
    return min(1.0, math.fsum(_mean_of_powers(_log_ways(m, k), k, m - k, a, b) for k in range(n, m + 1)))


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
    a, b = _true_rate(rate, n_recordings)
    return next(((n, m) for n, m in _windows() if _raised(n, m, a, b) <= rate_of_alarms), None)


def fewest_false_alarms(rate: float, n_recordings: int) -> float:
    """Tell the smallest rate of false alarms that `smallest_window` can get to.

    Parameters
    ----------
    rate : float
        Share of normal clips that are flagged, in (0, 1).
    n_recordings : int
        Normal recordings that the threshold was made from.

    Returns
    -------
    float
        False alarms raised a clip.

    Raises
    ------
    DecisionError
        As `false_alarms`.
    """
    a, b = _true_rate(rate, n_recordings)
    return min(_raised(n, m, a, b) for n, m in _windows())


def check_window(n: int, m: int) -> None:
    """Refuse what is no n of m."""
    if not 1 <= n <= m <= LONGEST_WINDOW:
        raise DecisionError(
            f"an alarm from {n} of {counted(m, 'clip')} cannot be; expected 1 <= n <= m <= "
            f"{LONGEST_WINDOW}, such as 3/5"
        )


def _windows() -> Iterator[tuple[int, int]]:
    """All n of m that find a fault of which 4 of 5 clips are flagged, 9 times of 10; the shortest first."""
    for m in range(1, LONGEST_WINDOW + 1):
        for n in range(1, m + 1):
            found = sum(
                math.comb(m, k) * _FOUND_CLIPS**k * (1 - _FOUND_CLIPS) ** (m - k) for k in range(n, m + 1)
            )
            if found < _FOUND_FAULTS:
                break
            yield n, m


def _true_rate(rate: float, n_recordings: int) -> tuple[int, int]:
    """The Beta distribution of the rate that a threshold truly has."""
    check_rate(rate)
    a = math.floor(rate * (n_recordings + 1) + 1e-9)
    if n_recordings < 1 or a < 1:
        raise DecisionError(
            f"{counted(n_recordings, 'normal recording')} {verb(n_recordings, 'says', 'say')} nothing of "
            f"a rate of {rate:g}; the smallest is "
            f"{1 / (n_recordings + 1):.4g}"
        )
    return a, n_recordings + 1 - a


def _raised(n: int, m: int, a: float, b: float) -> float:
    """Alarms raised a clip: this one and n - 1 of m - 1 before, not the one that leaves the window."""
    return _mean_of_powers(_log_ways(m - 1, n - 1), n, m - n + 1, a, b)


def _mean_of_powers(log_ways: float, n_flagged: int, n_not: int, a: float, b: float) -> float:
    """Mean of ways * q^n_flagged * (1 - q)^n_not where q is distributed as Beta(a, b)."""
    return math.exp(log_ways + _log_beta(a + n_flagged, b + n_not) - _log_beta(a, b))


def _log_ways(m: int, n: int) -> float:
    """Logarithm of the number of ways to choose n of m, which itself may be beyond floats."""
    return -math.log(m + 1) - _log_beta(n + 1, m - n + 1)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
