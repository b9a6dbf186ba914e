"""Drift by a conformal martingale: exact where it can be, against slow references, and on seeded streams."""

import itertools
import math

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import norm

from osscl.decisions.martingale import (
    DOWN,
    PATIENCE,
    SHIFTS,
    began_at,
    log_martingale,
    online_p_values,
    smoothed_ranks,
)
from osscl.decisions.online_ranks import earlier_and_greater
from osscl.errors import DecisionError

Array = npt.NDArray[np.float64]


def scores(seed: int, *shape: int) -> Array:
    return np.random.default_rng(seed).gamma(4.0, 0.5, shape)


@pytest.mark.parametrize("n", [1, 2, 3, 7, 64, 100])
def test_earlier_and_greater_ones_are_counted(n: int) -> None:
    values = np.random.default_rng(n).integers(0, 9, (3, n)).astype(np.float64)  # many of them equal
    expected = [[int((row[:i] > row[i]).sum()) for i in range(n)] for row in values]
    assert earlier_and_greater(values).tolist() == expected


def test_ranks_of_exchangeable_scores_are_independent_and_uniform() -> None:
    """All orders of five scores: every combination of ranks comes up once."""
    values = np.array(list(itertools.permutations([1.0, 2.0, 3.0, 4.0, 5.0])))
    ranks = smoothed_ranks(values, np.zeros(values.shape)) * np.arange(1, 6)
    found = {tuple(row) for row in np.rint(ranks).astype(int).tolist()}
    assert found == set(itertools.product(*(range(n) for n in range(1, 6))))


def test_ties_are_broken_at_random() -> None:
    p = smoothed_ranks(np.zeros((2, 4)), np.array([[0.5] * 4, [0.25] * 4]))
    assert p.tolist() == [[0.5] * 4, [0.25] * 4]
    assert online_p_values([1, 1, 1], [1] * 50, seed=1).tolist() != [0.5] * 50


def test_p_values_rank_among_the_calibration_and_all_before() -> None:
    p = online_p_values([1.0, 2.0, 3.0], [2.5, 10.0], seed=3)
    assert 1 / 4 <= p[0] <= 2 / 4
    assert 0 < p[1] <= 1 / 5


def test_the_capital_is_a_fair_bet() -> None:
    """Its mean after one clip and after two, over uniform p-values, is 1."""
    n = 200
    grid = (np.arange(n) + 0.5) / n
    one = np.exp(log_martingale(grid[:, None]))[:, 0].mean()
    pairs = np.stack(np.meshgrid(grid, grid, indexing="ij"), axis=-1).reshape(-1, 2)
    two = np.exp(log_martingale(pairs))[:, 1].mean()
    assert one == pytest.approx(1, abs=2e-3)
    assert two == pytest.approx(1, abs=4e-3)


def test_the_capital_is_the_sum_over_shifts_and_beginnings() -> None:
    p = np.random.default_rng(5).random(12)
    z = norm.isf(p)
    unbet = [math.log(PATIENCE) / math.log(PATIENCE + k) for k in range(len(p) + 1)]
    bets = [(d, (1 - DOWN) / len(SHIFTS)) for d in SHIFTS] + [(-d, DOWN / len(SHIFTS)) for d in SHIFTS]
    expected = []
    for last in range(len(p)):
        capital = unbet[last + 1]
        for first in range(last + 1):
            for shift, share in bets:
                won = math.exp(float(np.sum(shift * z[first : last + 1] - shift**2 / 2)))
                capital += (unbet[first] - unbet[first + 1]) * share * won
        expected.append(math.log(capital))
    assert log_martingale(p) == pytest.approx(expected, abs=1e-9)


def test_machines_that_do_not_change_alarm_no_more_often_than_stated() -> None:
    """200 seeded streams: at 5 % up to 16 are within the error; from a fixed calibration far more alarm."""
    n, limit = 50, math.log(20)
    values = scores(1, 200, n + 400)
    ties = np.random.default_rng(2).random(values.shape)
    online = log_martingale(smoothed_ranks(values, ties)[:, n:]).max(axis=1) >= limit
    fixed = np.stack(
        [
            (n - np.searchsorted(np.sort(row[:n]), row[n:]) + u[n:]) / (n + 1)
            for row, u in zip(values, ties, strict=True)
        ]
    )
    assert online.sum() <= 16
    assert (log_martingale(fixed).max(axis=1) >= limit).sum() > 30


@pytest.mark.parametrize(("shift", "within"), [(2.0, 25), (1.0, 70), (-1.0, 60)])
def test_a_change_is_found_and_its_beginning_told(shift: float, within: int) -> None:
    known, stream = scores(7, 200), scores(8, 600)
    stream[300:] += shift
    capital = log_martingale(online_p_values(known, stream))
    certain = np.flatnonzero(capital >= math.log(1000))
    assert 300 <= certain[0] < 300 + within
    assert abs(began_at(known, stream[: certain[0] + 1]) - 300) <= 12


def test_a_change_before_the_first_clip_began_there() -> None:
    assert began_at(scores(7, 200), scores(8, 40) + 3) == 0


def test_what_cannot_be_ranked_is_refused() -> None:
    with pytest.raises(DecisionError, match="no calibration score"):
        online_p_values([], [1.0])
    with pytest.raises(DecisionError, match="number 1 of scores is nan"):
        online_p_values([1.0], [1.0, math.nan])
