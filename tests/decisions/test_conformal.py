"""p-values and thresholds: what they are, that they agree to the last bit, and that they keep their rate."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osscl.decisions import (
    decide,
    p_values,
    rate_interval,
    recordings_needed,
    smallest_rate,
    threshold,
    too_few_recordings,
)
from osscl.decisions.conformal import rounded_up
from osscl.errors import ConfigError, DecisionError

finite = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(
    [0.0, 1.0, 2.0]
)  # ties are common
rates = st.floats(1e-6, 1 - 1e-6) | st.sampled_from([0.05, 0.1, 0.01, 0.2, 0.3])


@st.composite
def calibrations(draw: st.DrawFn) -> tuple[list[float], list[str] | None]:
    scores = draw(st.lists(finite, min_size=1, max_size=40))
    names = st.lists(st.sampled_from("abcdefgh"), min_size=len(scores), max_size=len(scores))
    return scores, draw(st.none() | names)


def plain_p(normal: list[float], score: float, recordings: list[str] | None) -> float:
    """The p-value by its definition, in exact fractions."""
    names = recordings or [str(i) for i in range(len(normal))]
    shares = []
    for name in set(names):
        of_it = [value for value, own in zip(normal, names, strict=True) if own == name]
        shares.append(Fraction(sum(value >= score for value in of_it), len(of_it)))
    return float((1 + sum(shares)) / (len(shares) + 1))


@given(calibrations(), st.lists(finite, max_size=10))
def test_p_values_are_those_of_the_definition(
    calibration: tuple[list[float], list[str] | None], scores: list[float]
) -> None:
    normal, recordings = calibration
    found = p_values(normal, [*scores, *normal], recordings)
    if len(set(recordings or range(len(normal)))) < 3:
        assert np.isnan(found).all()
    else:
        assert found.tolist() == [plain_p(normal, score, recordings) for score in [*scores, *normal]]


@given(calibrations(), st.lists(finite, max_size=10), rates)
def test_threshold_and_p_value_decide_alike(
    calibration: tuple[list[float], list[str] | None], scores: list[float], rate: float
) -> None:
    normal, recordings = calibration
    reached = p_values(normal, normal, recordings)
    for asked in (
        rate,
        *sorted({float(p) for p in reached if 0 < p < 1})[:3],
    ):  # rates that are p-values, too
        least = threshold(normal, asked, recordings)
        around = [least, math.nextafter(least, -math.inf)] if math.isfinite(least) else []
        above = [math.nextafter(score, math.inf) for score in normal]
        judged = np.array([score for score in [*scores, *normal, *above, *around] if math.isfinite(score)])
        expected = p_values(normal, judged, recordings) <= asked
        assert (judged >= least).tolist() == expected.tolist()
        decisions = decide(normal, judged, asked, recordings)
        assert (decisions.is_anomaly is None) == math.isnan(least) == (decisions.reason is not None)
        if decisions.is_anomaly is not None:
            assert decisions.is_anomaly.tolist() == expected.tolist()
        if around:
            assert p_values(normal, around, recordings).tolist()[0] <= asked
            assert p_values(normal, around, recordings).tolist()[1] > asked


def test_a_tie_counts_against_the_clip() -> None:
    normal = [1.0, 2.0, 3.0]
    assert p_values(normal, [3.0, np.nextafter(3.0, 4.0)]).tolist() == [0.5, 0.25]
    assert threshold(normal, 0.25) == np.nextafter(3.0, 4.0)


def test_a_recording_counts_once_however_many_clips_it_has() -> None:
    normal = [5.0] * 97 + [1.0, 1.0, 1.0]
    recordings = ["long"] * 97 + ["a", "b", "c"]
    assert p_values(normal, [3.0], recordings).tolist() == [(1 + 1) / 5]
    assert p_values(normal, [3.0]).tolist() == [(1 + 97) / 101]


def test_counting_clips_of_few_recordings_gives_more_false_alarms_than_stated() -> None:
    """Five recordings of twenty alike clips can speak of a rate of 1/6; clips would claim 0.05."""
    rng = np.random.default_rng(0)
    recordings = [f"r{i % 5}" for i in range(100)]
    by_recording, by_clip = [], []
    for _ in range(400):
        middles = rng.normal(size=6)
        normal = middles[np.arange(100) % 5] + 0.5 * rng.normal(size=100)
        fresh = middles[5:] + 0.5 * rng.normal(size=1)
        by_recording.append(p_values(normal, fresh, recordings)[0] <= 1 / 6)
        by_clip.append(p_values(normal, fresh)[0] <= 0.05)
    assert np.mean(by_recording) <= 1 / 6 + 3 * math.sqrt(1 / 6 * 5 / 6 / 400)
    assert np.mean(by_clip) > 0.05 + 3 * math.sqrt(0.05 * 0.95 / 400)


@pytest.mark.parametrize("rate", [0.1, 0.05, 0.01, 1 / 3, 0.25, 0.2, 0.001, 0.9])
def test_the_recordings_that_a_rate_needs(rate: float) -> None:
    needed = recordings_needed(rate)
    assert smallest_rate(needed) <= rate
    assert needed == 3 or smallest_rate(needed - 1) > rate
    rising = np.arange(needed, dtype=float)
    assert math.isfinite(threshold(rising, rate))
    assert math.isnan(threshold(rising[1:], rate))


def test_a_rate_out_of_reach_is_not_decided_and_says_what_is_missing() -> None:
    decisions = decide(np.arange(10.0), [100.0], 0.05)
    assert decisions.is_anomaly is None
    assert math.isnan(decisions.threshold)
    assert decisions.p_value.tolist() == [1 / 11]
    assert decisions.reason == (
        "10 normal recordings are too few for a false-alarm rate of 0.05: 9 more are needed, "
        "or a rate of 0.09091"
    )
    assert decide(np.arange(19.0), [100.0], 0.05).is_anomaly == [True]


@pytest.mark.parametrize("n", [*range(3, 60), 99, 999])
def test_the_rate_that_is_proposed_is_taken_when_it_is_typed(n: int) -> None:
    said = too_few_recordings(n, 0.999 / (n + 1))
    assert said is not None
    proposed = said.rpartition(" ")[2]
    assert len(proposed.lstrip("0.")) <= 4
    assert too_few_recordings(n, float(proposed)) is None
    assert rounded_up(1 / 20) == 0.05


def test_smallest_rate_counts_different_recordings() -> None:
    assert smallest_rate(["a", "b", "a"]) == 1 / 3
    assert smallest_rate(19) == 0.05
    with pytest.raises(DecisionError, match="there is no normal recording"):
        smallest_rate([])


@pytest.mark.parametrize(
    ("normal", "scores", "recordings", "complaint"),
    [
        ([], [1.0], None, "there is no normal score; give scores of 3 recordings or more"),
        ([1.0, math.nan], [1.0], None, "number 1 of normal_scores is nan"),
        ([1.0, 2.0], [math.inf], None, "number 0 of scores is inf"),
        ([[1.0, 2.0]], [1.0], None, r"normal_scores are float64 \[1, 2\]; expected a list of numbers"),
        ([1.0, 2.0], 1.0, None, r"scores are float64 \[\]; expected a list"),
        (["1", "2"], [1.0], None, "normal_scores are <U1"),
        ([1.0, 2.0], [1.0], ["a"], "recordings name 1 clip; expected 2"),
        ([1.0, 2.0], [1.0], "ab", "expected 2, the recording of each normal clip"),
    ],
)
def test_what_cannot_be_judged_is_refused(
    normal: object, scores: object, recordings: object, complaint: str
) -> None:
    with pytest.raises(DecisionError, match=complaint):
        p_values(normal, scores, recordings)  # type: ignore[arg-type]


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1, 5.0, math.nan])
def test_a_rate_outside_its_range_is_refused(rate: float) -> None:
    for call in (threshold, lambda normal, asked: decide(normal, [1.0], asked)):
        with pytest.raises(ConfigError, match=r"it must lie between 0 and 1, such as 0\.05 for 5 %"):
            call([1.0, 2.0, 3.0], rate)
    with pytest.raises(ConfigError, match="it must lie between 0 and 1"):
        recordings_needed(rate)
    with pytest.raises(ConfigError, match="it must lie between 0 and 1"):
        rate_interval(10, rate)


# Uncertainty


@pytest.mark.parametrize(
    ("n", "rate", "m"), [(19, 0.05, 1), (100, 0.05, 5), (99, 0.1, 10), (29, 0.3, 9), (100_000, 0.01, 1000)]
)
def test_the_interval_is_that_of_the_beta_distribution(n: int, rate: float, m: int) -> None:
    from scipy.stats import beta

    found = rate_interval(n, rate, 0.8)
    assert found is not None
    assert found.expected == m / (n + 1)
    expected = beta.ppf([0.1, 0.9], m, n + 1 - m)
    np.testing.assert_allclose([found.low, found.high], expected, rtol=1e-6)


def test_the_interval_holds_the_rates_that_thresholds_really_have() -> None:
    rng = np.random.default_rng(0)
    found = rate_interval(40, 0.1, 0.9)
    assert found is not None
    real = np.array([1 - threshold(rng.uniform(size=40), 0.1) for _ in range(1000)])  # of uniform scores
    inside = np.mean((found.low <= real) & (real <= found.high))
    assert abs(inside - 0.9) < 4 * math.sqrt(0.09 / 1000)


def test_where_there_is_no_threshold_there_is_no_interval() -> None:
    assert rate_interval(10, 0.05) is None
    assert rate_interval(2, 0.5) is None
    with pytest.raises(DecisionError, match="the confidence is 1; it must lie between 0 and 1"):
        rate_interval(10, 0.1, 1)
