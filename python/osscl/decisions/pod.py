"""How large a change must be to be found: probability of detection over size, from hits and misses."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from osscl.decisions.staircase import recording_numbers
from osscl.errors import DecisionError
from osscl.support.plurals import counted

Floats = npt.NDArray[np.float64]

_MAX_STEPS = 60
_MAX_HALVINGS = 12
_CLOSE = 1e-4
_START = np.array([0.0, 3.0])
_STEEPEST = 1e4
_LEAST = 1e-12
_LONGEST_STEP = 20.0


@dataclass(frozen=True, eq=False)
class PodCurve:
    """Probability of detection over size: floor + (1 - floor) / (1 + exp(-(intercept + slope * size))).

    Attributes
    ----------
    intercept, slope : ndarray of float64, [R]
        One of each a curve.
    floor : float
        Share of unchanged clips that are found anyhow: the false-alarm rate.
    """

    intercept: Floats
    slope: Floats
    floor: float

    def at(self, sizes: npt.ArrayLike) -> Floats:
        """Probability of detection.

        Parameters
        ----------
        sizes : array_like of float, [G]
            Sizes, in the unit of those that it was fitted to.

        Returns
        -------
        ndarray of float64, [R, G]
            In [floor, 1].
        """
        eta = self.intercept[:, None] + self.slope[:, None] * np.asarray(sizes, np.float64)
        found: Floats = self.floor + (1 - self.floor) * _sigmoid(eta)
        return found

    def size_found(self, probability: float) -> Floats:
        """Size that is found with a probability.

        Parameters
        ----------
        probability : float
            Above the floor, below 1.

        Returns
        -------
        ndarray of float64, [R]
            Infinite where larger sizes are not found more often.

        Raises
        ------
        DecisionError
            The probability lies outside.
        """
        if not self.floor < probability < 1:
            raise DecisionError(
                f"the probability is {probability}; it must lie between the floor {self.floor:g} and 1"
            )
        share = (probability - self.floor) / (1 - self.floor)
        with np.errstate(divide="ignore", invalid="ignore"):
            found = (np.log(share / (1 - share)) - self.intercept) / self.slope
        return np.where(self.slope > 0, found, np.inf)


def fit_pod(
    sizes: npt.ArrayLike,
    hits: npt.ArrayLike,
    trials: npt.ArrayLike,
    floor: float,
    start: PodCurve | None = None,
) -> PodCurve:
    """Fit curves of probability of detection to hits and misses, several at once.

    Parameters
    ----------
    sizes : array_like of float, [G]
        Sizes that were tried, or any rising function of them.
    hits, trials : array_like of float, [R, G]
        How often each size was found, and how often it was tried.
    floor : float
        False-alarm rate, in [0, 0.5): it is not fitted.
    start : PodCurve, optional
        One curve that lies near all of them.

    Returns
    -------
    PodCurve
        One curve a row. It is defined for hits and misses that no size separates and for those that one does.

    Raises
    ------
    DecisionError
        Shapes differ, there are fewer than 2 sizes, more hits than trials, or the floor lies outside.

    Notes
    -----
    Maximises the logarithm of the likelihood plus half of that of the determinant of Fisher's information
    (Jeffreys' prior), by Newton's method with the expected information in place of the second derivatives.

    References
    ----------
    Firth: "Bias reduction of maximum likelihood estimates", Biometrika 80 (1993), 27-38.
    MIL-HDBK-1823A, "Nondestructive Evaluation System Reliability Assessment", 2009, appendix G.
    """
    x, y, n = _checked(sizes, hits, trials, floor)
    middle, width = (x.min() + x.max()) / 2, (x.max() - x.min()) / 2
    scaled = (x - middle) / width  # in [-1, 1]
    beta = _START * np.ones((len(y), 1)) if start is None else _scaled(start, middle, width, len(y))
    beta = _maximised(beta, _Penalised(scaled, y, n, floor))
    slope = beta[:, 1] / width
    return PodCurve(beta[:, 0] - slope * middle, slope, floor)


def _maximised(beta: Floats, model: "_Penalised") -> Floats:
    """Newton's steps from curves [R, 2], each halved until it makes its curve better."""
    beta = beta.copy()
    active = np.arange(len(beta))
    for _ in range(_MAX_STEPS):
        part = model.of(active)
        step = part.step(beta[active])
        is_far = np.abs(step).max(1) > _CLOSE
        active, step, part = active[is_far], step[is_far], part.of(is_far)
        if not active.size:
            break
        beta[active] += step * _improving(beta[active], step, part)[:, None]
    return beta


def _improving(beta: Floats, step: Floats, model: "_Penalised") -> Floats:
    """Share of each step [R, 2] that makes its curve no worse, [R]; 0 where none does."""
    before = model.value(beta)
    share = np.ones(len(beta))
    for _ in range(_MAX_HALVINGS):
        is_worse = model.value(beta + share[:, None] * step) < before
        if not is_worse.any():
            return share
        share[is_worse] /= 2
    share[is_worse] = 0.0
    return share


class SizesFound(NamedTuple):
    """Sizes that are found.

    Attributes
    ----------
    a50, a90 : float
        With a probability of 50 % and 90 %; infinite where no size that was tried is.
    a90_95 : float
        The latter with a confidence of 95 %.
    """

    a50: float
    a90: float
    a90_95: float


def sizes_found(
    sizes: npt.ArrayLike,
    first_found: npt.ArrayLike,
    floor: float,
    recordings: Sequence[str] | None = None,
    *,
    tried: npt.ArrayLike | None = None,
    n_resamples: int = 200,
    seed: int = 0,
) -> SizesFound:
    """Tell the sizes that are found from the smallest one that was found in each clip.

    Parameters
    ----------
    sizes : array_like of float, [G]
        Sizes, rising.
    first_found : array_like of int, [N]
        Number of the smallest size found in each clip; G where none was. Larger ones count as found.
    floor : float
        False-alarm rate, in [0, 0.5).
    recordings : sequence of str, [N], optional
        Recording of each clip: these are resampled. By default each clip is one.
    tried : array_like of bool, [N, G], optional
        Which sizes were tried in each clip; by default all.
    n_resamples : int
        How often the recordings are resampled.
    seed : int
        Of the resampling.

    Returns
    -------
    SizesFound
        Never beyond the largest size, nor below the smallest.

    Raises
    ------
    DecisionError
        As `fit_pod`; or lists differ in length.
    """
    x = np.asarray(sizes, np.float64)
    first = np.asarray(first_found, np.intp)
    was_tried = np.ones((len(first), len(x)), np.bool_) if tried is None else np.asarray(tried, np.bool_)
    numbers = recording_numbers(recordings, len(first))
    if not len(first) or was_tried.shape != (len(first), len(x)):
        raise DecisionError(
            f"tried is {list(was_tried.shape)} for {counted(len(first), 'clip')} and "
            f"{counted(len(x), 'size')}; expected one row a "
            "clip, and a clip at least"
        )
    hits = was_tried & (np.arange(len(x)) >= first[:, None])  # [N, G]
    of_recording = np.zeros((numbers.max() + 1, len(first)))
    of_recording[numbers, np.arange(len(first))] = 1.0
    hits_of, trials_of = of_recording @ hits, of_recording @ was_tried  # [recordings, G]
    drawn = np.random.default_rng(seed).multinomial(
        len(hits_of), np.full(len(hits_of), 1 / len(hits_of)), n_resamples
    )
    best = fit_pod(x, hits_of.sum(0)[None], trials_of.sum(0)[None], floor)
    a50, a90 = (float(_within(x, best, share)[0]) for share in (0.5, 0.9))
    resampled = fit_pod(x, drawn @ hits_of, drawn @ trials_of, floor, best)
    # no curve speaks of a size at which fewer than 9 of 10 of the very clips were found
    shares = drawn @ (of_recording @ (np.arange(len(x)) >= first[:, None]))  # [resamples, G]
    observed = _first_at_least(x, shares / (drawn @ of_recording.sum(1))[:, None], 0.9)
    found = np.sort(np.maximum(_within(x, resampled, 0.9), observed))
    upper = float(found[min(math.ceil(0.95 * n_resamples), n_resamples) - 1])
    return SizesFound(a50, a90, max(upper, a90))


def _scaled(curve: PodCurve, middle: float, width: float, n: int) -> Floats:
    """The curve over sizes that lie in [-1, 1], n times, [n, 2]."""
    there = np.array([curve.intercept[0] + curve.slope[0] * middle, curve.slope[0] * width])
    return np.repeat(there[None], n, 0)


def _within(sizes: Floats, curves: PodCurve, probability: float) -> Floats:
    """Sizes found with a probability, [R]: nothing is said of sizes that were not tried."""
    at_least, at_most = curves.at([sizes.min(), sizes.max()]).T
    found = np.where(at_least >= probability, sizes.min(), curves.size_found(probability))
    return np.where(at_most < probability, np.inf, found)


def _first_at_least(sizes: Floats, shares: Floats, least: float) -> Floats:
    """Smallest size whose share [R, G] is so large, [R]; infinite where none is."""
    enough = shares >= least - _LEAST
    return np.where(enough.any(1), sizes[np.argmax(enough, 1)], np.inf)


class _Penalised:
    """Penalised likelihood of curves [R] over sizes [G] that lie in [-1, 1]."""

    def __init__(self, x: Floats, hits: Floats, trials: Floats, floor: float) -> None:
        self._x, self._hits, self._trials, self._floor = x, hits, trials, floor

    def of(self, curves: npt.NDArray[Any]) -> "_Penalised":
        """Some of the curves."""
        return _Penalised(self._x, self._hits[curves], self._trials[curves], self._floor)

    def value(self, beta: Floats) -> Floats:
        """What is maximised, [R]."""
        p, _, weight, _ = self._parts(beta)
        misses = self._trials - self._hits
        likelihood = (self._hits * np.log(p) + misses * np.log1p(-p)).sum(1)
        a, b, c = self._information(weight)
        with np.errstate(divide="ignore", invalid="ignore"):
            found: Floats = likelihood + 0.5 * np.log(a * c - b * b)
        return np.where(np.isfinite(found) & (np.abs(beta).max(1) < _STEEPEST), found, -np.inf)

    def step(self, beta: Floats) -> Floats:
        """Newton's step with the expected information, [R, 2]."""
        p, derivative, weight, log_weight_slope = self._parts(beta)
        a, b, c = self._information(weight)
        determinant = np.maximum(a * c - b * b, _LEAST**2)[:, None]
        # leverage of each size: its weight times x' I^-1 x
        leverage = weight * (c[:, None] - 2 * b[:, None] * self._x + a[:, None] * self._x**2) / determinant
        score = (self._hits - self._trials * p) * derivative / (p * (1 - p))
        score = score + 0.5 * leverage * log_weight_slope
        first, second = score.sum(1), (score * self._x).sum(1)
        step = np.stack([c * first - b * second, a * second - b * first], 1) / determinant
        longest = np.abs(step).max(1, keepdims=True)
        limited: Floats = step * np.minimum(1.0, _LONGEST_STEP / np.maximum(longest, _LEAST))
        return limited

    def _information(self, weight: Floats) -> tuple[Floats, Floats, Floats]:
        return weight.sum(1), (weight * self._x).sum(1), (weight * self._x**2).sum(1)

    def _parts(self, beta: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """p, dp/d eta, weight of each size, and d log weight/d eta, [R, G] each."""
        eta = np.clip(beta[:, :1] + beta[:, 1:] * self._x, -50.0, 50.0)
        s = np.clip(_sigmoid(eta), _LEAST, 1 - _LEAST)
        p = self._floor + (1 - self._floor) * s
        derivative = (1 - self._floor) * s * (1 - s)
        # 1 - p = (1 - floor)(1 - s), so that the weight is derivative * s / p
        weight = self._trials * derivative * s / p
        log_weight_slope = (1 - 2 * s) + (1 - s) - derivative / p
        return p, derivative, weight, log_weight_slope


def _sigmoid(eta: Floats) -> Floats:
    found: Floats = 0.5 * (1 + np.tanh(0.5 * eta))
    return found


def _checked(
    sizes: npt.ArrayLike, hits: npt.ArrayLike, trials: npt.ArrayLike, floor: float
) -> tuple[Floats, Floats, Floats]:
    x, y, n = (np.asarray(given, np.float64) for given in (sizes, hits, trials))
    if x.ndim != 1 or len(np.unique(x)) < 2 or y.ndim != 2 or y.shape != n.shape or y.shape[1] != len(x):
        raise DecisionError(
            f"sizes are {list(x.shape)}, hits {list(y.shape)} and trials {list(n.shape)}; expected [G], "
            "[R, G] and [R, G], with 2 different sizes or more"
        )
    if not (np.isfinite(x).all() and (y >= 0).all() and (y <= n).all() and (n.sum(1) > 0).all()):
        raise DecisionError("hits must lie between 0 and trials, and each curve needs a trial")
    if not 0 <= floor < 0.5:
        raise DecisionError(f"the floor is {floor}; it must lie in [0, 0.5): it is the false-alarm rate")
    return x, y, n
