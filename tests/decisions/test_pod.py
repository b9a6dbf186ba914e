"""Probability of detection over size: the curve, its penalty, and the sizes that are read from it."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy.optimize import minimize

from osscl.decisions.pod import fit_pod, sizes_found
from osscl.errors import DecisionError

SIZES = np.linspace(-2.0, 3.0, 31)
TRIALS = np.full(31, 20.0)


def loss(
    curve: npt.ArrayLike, hits: npt.NDArray[np.float64], trials: npt.NDArray[np.float64], floor: float
) -> float:
    """What is minimised, written down from Firth's paper: no line of it is the package's."""
    intercept, slope = np.asarray(curve)
    rising = 1 / (1 + np.exp(-(intercept + slope * SIZES)))
    p = np.clip(floor + (1 - floor) * rising, 1e-300, 1 - 1e-15)
    gradient = (1 - floor) * rising * (1 - rising)
    design = np.stack([np.ones_like(SIZES), SIZES])
    information = (design * (trials * gradient**2 / (p * (1 - p)))) @ design.T
    sign, determinant = np.linalg.slogdet(information)
    if sign <= 0:
        return np.inf
    return float(-(hits * np.log(p) + (trials - hits) * np.log1p(-p)).sum() - 0.5 * determinant)


@pytest.mark.parametrize("floor", [0.0, 0.05, 0.25])
@pytest.mark.parametrize("case", ["drawn", "separated", "slow", "two"])
def test_the_curve_is_where_firths_penalised_likelihood_is_largest(case: str, floor: float) -> None:
    rng = np.random.default_rng(7)
    p = floor + (1 - floor) / (1 + np.exp(-(1 + 3 * SIZES)))
    hits = {
        "drawn": rng.binomial(20, p).astype(float),
        "separated": np.where(SIZES > 0.3, TRIALS, 0.0),
        "slow": np.round(TRIALS * (floor + (1 - floor) * np.linspace(0, 1, 31))),
        "two": np.where(SIZES > 0.3, 19.0, 1.0),
    }[case]
    curve = fit_pod(SIZES, hits[None], TRIALS[None], floor)
    ours = np.array([curve.intercept[0], curve.slope[0]])
    starts = (ours, [0.0, 1.0], [1.0, 3.0], [-2.0, 8.0])
    found = [minimize(loss, each, (hits, TRIALS, floor), "Nelder-Mead") for each in starts]
    assert np.isfinite(ours).all()
    assert loss(ours, hits, TRIALS, floor) <= min(float(each.fun) for each in found) + 1e-6
    assert curve.at(curve.size_found(0.9))[0, 0] == pytest.approx(0.9)


def test_without_a_floor_it_is_firths_logistic_regression() -> None:
    """The modified score of the canonical model, (y - p + h(1/2 - p)) x, vanishes."""
    hits = np.random.default_rng(3).binomial(4, 1 / (1 + np.exp(-2 * SIZES))).astype(float)
    trials = np.full(31, 4.0)
    curve = fit_pod(SIZES, hits[None], trials[None], 0.0)
    p = curve.at(SIZES)[0]
    design = np.stack([np.ones_like(SIZES), SIZES], 1)
    weight = trials * p * (1 - p)
    leverage = weight * np.einsum("gi,ij,gj->g", design, np.linalg.inv((design.T * weight) @ design), design)
    assert ((hits - trials * p + leverage * (0.5 - p)) @ design) == pytest.approx([0.0, 0.0], abs=1e-3)


def test_curves_fitted_together_are_those_fitted_alone() -> None:
    hits = np.random.default_rng(1).binomial(20, np.linspace(0.05, 1, 31), (5, 31)).astype(float)
    trials = np.tile(TRIALS, (5, 1))
    together = fit_pod(SIZES, hits, trials, 0.05)
    for number in range(5):
        alone = fit_pod(SIZES, hits[[number]], trials[[number]], 0.05)
        assert together.slope[number] == pytest.approx(alone.slope[0], rel=1e-6)


def test_sizes_found_are_those_of_the_clips() -> None:
    """Smallest sizes are drawn normally, so that 90 % of them are known to lie below 0.5 + 1.2816 * 0.08."""
    rng = np.random.default_rng(11)
    places = np.arange(124) / 123
    tried = np.arange(124) % 4 == (np.arange(100) % 4)[:, None]
    found = []
    for _ in range(4):
        smallest = 0.5 + 0.08 * rng.standard_normal(100)
        is_large = tried & (places >= smallest[:, None])
        found.append(sizes_found(places, is_large.argmax(1), 0.05, tried=tried, n_resamples=50))
    true = 0.5 + 1.2816 * 0.08
    assert np.mean([each.a90 for each in found]) == pytest.approx(true, abs=0.02)
    assert np.mean([each.a50 for each in found]) == pytest.approx(0.5, abs=0.02)
    assert sum(each.a90_95 >= true for each in found) == 4
    assert all(each.a50 < each.a90 < each.a90_95 for each in found)


def test_a_limit_is_not_below_the_size_that_nine_of_ten_clips_were_found_at() -> None:
    """One clip in eight is found late: no logistic curve says that, and the limit does."""
    first = np.where(np.arange(80) % 8 == 0, 28, 5)
    found = sizes_found(SIZES, first, 0.05)
    assert found.a90_95 >= SIZES[28]


def test_what_is_never_found_has_no_size_and_what_always_is_has_the_smallest() -> None:
    assert sizes_found(SIZES, np.full(20, 31), 0.05) == (np.inf, np.inf, np.inf)
    assert sizes_found(SIZES, np.zeros(20, int), 0.05) == (-2.0, -2.0, -2.0)
    half = sizes_found(SIZES, np.where(np.arange(20) % 2, 31, 10), 0.05)
    assert (half.a90, half.a90_95) == (np.inf, np.inf), "half of the recordings is not 9 of 10"


def test_clips_of_one_recording_are_resampled_together() -> None:
    first = np.random.default_rng(2).integers(5, 25, 30)
    names = [str(number) for number in range(30)] * 9
    together = sizes_found(SIZES, np.tile(first, 9), 0.05, names)
    apart = sizes_found(SIZES, np.tile(first, 9), 0.05)
    assert together.a90 == apart.a90
    assert together.a90_95 > apart.a90_95 + 0.05


@pytest.mark.parametrize(
    ("hits", "trials", "floor", "said"),
    [
        (np.full((1, 31), 2.0), np.ones((1, 31)), 0.05, "between 0 and trials"),
        (np.zeros((1, 30)), np.ones((1, 30)), 0.05, "expected \\[G\\], \\[R, G\\]"),
        (np.zeros((1, 31)), np.zeros((1, 31)), 0.05, "needs a trial"),
        (np.zeros((1, 31)), np.ones((1, 31)), 0.5, "the floor is 0.5"),
    ],
)
def test_what_is_no_trial_is_refused(
    hits: npt.NDArray[np.float64], trials: npt.NDArray[np.float64], floor: float, said: str
) -> None:
    with pytest.raises(DecisionError, match=said):
        fit_pod(SIZES, hits, trials, floor)


def test_a_probability_below_the_floor_is_refused() -> None:
    curve = fit_pod(SIZES, np.linspace(1, 20, 31)[None], TRIALS[None], 0.05)
    with pytest.raises(DecisionError, match=r"the probability is 0.05; it must lie between the floor 0.05"):
        curve.size_found(0.05)
    with pytest.raises(DecisionError, match="tried is"):
        sizes_found(SIZES, [3, 4], 0.05, tried=np.ones((2, 5), bool))
