"""Whether scores are still like those of the calibration: a conformal test martingale."""

import numpy as np
import numpy.typing as npt

from osscl.decisions.normal_quantiles import normal_quantiles
from osscl.decisions.online_ranks import earlier_and_greater
from osscl.decisions.staircase import checked_scores, middle_ranks
from osscl.errors import DecisionError

SHIFTS = (0.35, 0.7, 1.2, 2.0)
"""Changes that are bet on, in standard deviations of scores made normal, up and down."""
DOWN = 0.2
"""Share of the stake that is bet on lower scores; a fault or another state of the machine gives higher ones."""
PATIENCE = 20.0
"""Clips after which half of the stake would have been bet, if its logarithm were linear."""
_LEAST_P = 2.0**-53

Array = npt.NDArray[np.float64]


def online_p_values(calibration: npt.ArrayLike, scores: npt.ArrayLike, seed: int = 0) -> Array:
    """Rank each score among the calibration's and all scores before it.

    Parameters
    ----------
    calibration : array_like of float, [n]
        Scores of normal clips, finite, n >= 1.
    scores : array_like of float, [N]
        Scores in the order of time, finite; higher is more anomalous.
    seed : int
        Breaks ties.

    Returns
    -------
    ndarray of float64, [N]
        In (0, 1): (greater + u * (equal + 1)) / (n + i + 1) of the i-th, u uniform. While all scores are
        exchangeable with the calibration's they are independent and uniform, exactly; p-values from a fixed
        calibration are not, and raise alarms by themselves.

    Raises
    ------
    DecisionError
        There is no calibration score, or one is not finite.

    References
    ----------
    Vovk, Nouretdinov, Gammerman: "Testing exchangeability on-line", ICML 2003.
    """
    known = checked_scores(calibration, "calibration scores")
    if not known.size:
        raise DecisionError("there is no calibration score; give scores of 3 recordings or more")
    everything = np.concatenate([known, checked_scores(scores, "scores")])
    ties = np.random.default_rng(seed).random(len(everything))
    return smoothed_ranks(everything, ties)[len(known) :]


def smoothed_ranks(values: Array, ties: Array) -> Array:
    """P-value of each of values [..., N] among itself and all before it; `ties` are uniform in [0, 1)."""
    n_before = np.arange(values.shape[-1])
    greater = earlier_and_greater(values)
    equal = n_before - greater - earlier_and_greater(-values)
    p = (greater + ties * (equal + 1)) / (n_before + 1)
    return np.clip(p, _LEAST_P, 1 - _LEAST_P)


def log_martingale(p_values: npt.ArrayLike) -> Array:
    """Bet against p-values being uniform: a Gaussian-shift mixture over all beginnings.

    Parameters
    ----------
    p_values : array_like of float, [..., N]
        As `online_p_values` gives them.

    Returns
    -------
    ndarray of float64, [..., N]
        Natural logarithm of the capital after each of them; it begins with 1. While the p-values are uniform
        and independent, it ever reaches 1 / rate with a probability of at most the rate (Ville).

    Notes
    -----
    With z = quantile of the normal distribution at 1 - p, a bet on the shift d multiplies its stake by
    exp(d z - d^2 / 2), whose mean is 1. The capital is a mixture of such bets: of `SHIFTS` up (four fifths of
    the stake) and down, and of the clip at which they begin. Of the stake, log(20) / log(20 + k) is not yet
    bet after k clips: a change after 1,000 clips costs hardly more than one after 100.
    """
    p = np.asarray(p_values, np.float64)
    z = -normal_quantiles(p)  # [..., N]
    unbet = np.log(PATIENCE) / np.log(PATIENCE + np.arange(p.shape[-1] + 1))
    log_staked = np.log(-np.diff(unbet))  # [N]: what begins at each clip
    capital = np.broadcast_to(np.log(unbet[1:]), p.shape)
    for shift, share in _bets():
        won = shift * z - shift**2 / 2
        total = np.cumsum(won, axis=-1)
        stakes = np.logaddexp.accumulate(log_staked - (total - won), axis=-1)
        capital = np.logaddexp(capital, np.log(share) + total + stakes)
    return capital


def began_at(calibration: npt.ArrayLike, scores: npt.ArrayLike) -> int:
    """Estimate from which score on they are no longer like those before.

    Parameters
    ----------
    calibration : array_like of float, [n]
        Scores of normal clips, finite.
    scores : array_like of float, [N]
        Scores in the order of time up to the alarm, N >= 1; they need not be independent.

    Returns
    -------
    int
        In [0, N): where the ranks after differ most from those before (the calibration's are all before), in
        standard deviations of such a difference.
    """
    known = checked_scores(calibration, "calibration scores")
    given = checked_scores(scores, "scores")
    ranks = middle_ranks(np.concatenate([known, given]))
    n = len(ranks)
    n_after = np.arange(len(given), 0, -1)  # [N]: from each score on
    excess = np.cumsum((ranks - ranks.mean())[::-1])[: len(given)][::-1]
    spread = np.sqrt(n_after * (n - n_after) / n)
    return int(np.argmax(np.abs(excess) / spread))


def _bets() -> list[tuple[float, float]]:
    """Each shift that is bet on, and its share of the stake."""
    n = len(SHIFTS)
    return [(shift, (1 - DOWN) / n) for shift in SHIFTS] + [(-shift, DOWN / n) for shift in SHIFTS]
