"""AUC and pAUC against scikit-learn, and the resamples behind the intervals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from osscl.errors import InputError
from osscl.metrics import (
    StratifiedResampler,
    auc,
    harmonic_mean,
    pauc,
    percentile_interval,
    rank_correlation,
    roc_areas,
)

CLIPS = st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=40).filter(
    lambda clips: len({label for label, _ in clips}) == 2
)


@given(CLIPS, st.sampled_from([0.01, 0.05, 0.1, 0.25, 0.5, 1.0]))
def test_areas_equal_scikit_learn_with_ties(clips: list[tuple[bool, int]], max_fpr: float) -> None:
    labels, scores = [label for label, _ in clips], [score / 10 for _, score in clips]
    assert auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    expected = roc_auc_score(labels, scores, max_fpr=max_fpr)
    assert pauc(labels, scores, max_fpr) == pytest.approx(expected, abs=1e-12)


@given(CLIPS)
def test_auc_is_the_share_of_pairs_in_order(clips: list[tuple[bool, int]]) -> None:
    pairs = [(a, n) for is_anomaly, a in clips if is_anomaly for other, n in clips if not other]
    share = sum((a > n) + (a == n) / 2 for a, n in pairs) / len(pairs)
    assert auc(*zip(*clips, strict=True)) == pytest.approx(share, abs=1e-12)


@given(CLIPS, st.integers(0, 2**32))
def test_counts_weigh_like_repeated_clips(clips: list[tuple[bool, int]], seed: int) -> None:
    labels, scores = np.array([c[0] for c in clips]), np.array([c[1] for c in clips], float)
    counts = StratifiedResampler(labels, seed, "fan/id_00").draw(3)
    areas = roc_areas(labels, scores, counts)
    for row, of_auc, of_pauc in zip(counts, *areas, strict=True):
        repeated, again = np.repeat(labels, row), np.repeat(scores, row)
        assert of_auc == pytest.approx(roc_auc_score(repeated, again), abs=1e-12)
        assert of_pauc == pytest.approx(roc_auc_score(repeated, again, max_fpr=0.1), abs=1e-12)


def test_large_sets_equal_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    labels = rng.random(20_000) < 0.3
    scores = rng.normal(size=20_000).astype(np.float32) + labels
    assert auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    assert pauc(labels, scores) == pytest.approx(roc_auc_score(labels, scores, max_fpr=0.1), abs=1e-12)


def test_scores_of_one_value_know_nothing() -> None:
    assert auc([True, False, True], [1, 1, 1]) == 0.5
    assert pauc([True, False, True], [1, 1, 1]) == pytest.approx(0.5)
    assert (auc([False, True], [0, 1]), pauc([False, True], [0, 1])) == (1, 1)
    assert auc([False, True], [1, 0]) == 0


@pytest.mark.parametrize(
    ("labels", "scores", "max_fpr", "message"),
    [
        ([True, True], [1, 2], 0.1, "0 normal and 2 anomalous clips"),
        ([], [], 0.1, "0 normal and 0 anomalous clips"),
        ([True, False], [1, np.nan], 0.1, "NaN or infinite"),
        ([True, False], [1, np.inf], 0.1, "NaN or infinite"),
        ([True, False], [1], 0.1, r"shape \[2\] and scores \[1\]"),
        ([True, False], [1, 2], 0.0, "max_fpr is 0"),
        ([True, False], [1, 2], 1.1, "max_fpr is 1.1"),
    ],
)
def test_what_has_no_area_is_refused(
    labels: list[bool], scores: list[float], max_fpr: float, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        pauc(labels, scores, max_fpr)


def test_resamples_keep_the_number_of_each_label_and_do_not_depend_on_the_block() -> None:
    labels = np.arange(50) % 3 == 0
    whole = StratifiedResampler(labels, 5, "fan/id_00").draw(20)
    assert (whole[:, labels].sum(axis=1) == labels.sum()).all()
    assert (whole[:, ~labels].sum(axis=1) == (~labels).sum()).all()
    parts = StratifiedResampler(labels, 5, "fan/id_00")
    assert (np.vstack([parts.draw(n) for n in (1, 7, 12)]) == whole).all()
    for seed, name in ((6, "fan/id_00"), (5, "fan/id_01")):
        assert (StratifiedResampler(labels, seed, name).draw(20) != whole).any()


def test_resamples_draw_each_clip_equally_often() -> None:
    labels = np.arange(10) < 4
    counts = StratifiedResampler(labels, 0, "x").draw(20_000)
    assert np.abs(counts.mean(axis=0) - 1).max() < 0.03
    # a clip of a stratum of n is left out of a resample with probability (1 - 1/n) ** n
    left_out = (counts == 0).mean(axis=0)
    assert np.abs(left_out[labels] - 0.75**4).max() < 0.015
    assert np.abs(left_out[~labels] - (5 / 6) ** 6).max() < 0.015


def test_harmonic_mean_and_interval() -> None:
    assert harmonic_mean(np.array([[0.5, 0.0], [1.0, 0.7]])).tolist() == [pytest.approx(2 / 3), 0]
    assert percentile_interval(np.arange(101.0), 0.9) == pytest.approx((5, 95))


PAIRS = st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=2, max_size=40)


@given(PAIRS)
def test_rank_correlation_equals_scipy_with_ties(pairs: list[tuple[int, int]]) -> None:
    a, b = (np.array(scores) / 7 for scores in zip(*pairs, strict=True))
    got = rank_correlation(a, b)
    if len(set(a)) == 1 or len(set(b)) == 1:
        assert np.isnan(got)  # SciPy warns there, and gives the same
    else:
        assert got == pytest.approx(spearmanr(a, b).statistic, abs=1e-12)
        assert -1.0 <= got <= 1.0  # a manifest takes nothing beyond


def test_rank_correlation_looks_at_order_alone() -> None:
    scores = np.random.default_rng(4).standard_normal(5000)
    assert rank_correlation(scores, np.exp(scores)) == 1.0
    assert rank_correlation(scores, -(scores**3)) == -1.0
    swapped = scores.copy()
    low, high = np.argsort(scores)[2500:2502]
    swapped[[low, high]] = swapped[[high, low]]
    assert 0.999999 < rank_correlation(scores, swapped) < 1.0
    assert rank_correlation([1, 2], [5, 9]) == 1.0
    assert np.isnan(rank_correlation([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]))
