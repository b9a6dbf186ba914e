"""Axes, histograms, timelines and ROC curves, as numbers."""

import re

import numpy as np
import pytest
from sklearn.metrics import auc, roc_curve

from osscl.page.axis import Axis, TimeAxis, common_times, score_axis
from osscl.page.charts import N_COLUMNS, ROC_FRAME, TIMELINE_FRAME, Marks, histogram, roc, timeline
from osscl.page.scored import MachineScores, by_machine
from osscl.scoring.record import Record

RNG = np.random.default_rng(5)


def machine(scores: np.ndarray, threshold: float | None = 3.0) -> MachineScores:
    lines = [
        Record(
            path=f"{i}",
            machine="m",
            score=float(score),
            threshold=threshold,
            is_anomaly=None if threshold is None else bool(score >= threshold),
        )
        for i, score in enumerate(scores)
    ]
    [found] = by_machine(lines).machines
    return found


def points(path: str) -> np.ndarray:
    """Where the dots or corners of a path stand, [n, 2]."""
    return np.array([[float(a), float(b)] for a, b in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", path)])


@pytest.mark.parametrize(
    "scores",
    [
        RNG.normal(size=500),
        np.append(RNG.normal(size=500), [1e4, 3e7]),
        np.ones(7),
        np.array([2.5]),
        -np.arange(9.0),
    ],
)
@pytest.mark.parametrize("threshold", [None, 3.0])
def test_a_histogram_counts_every_clip_once_and_cuts_at_the_threshold(
    scores: np.ndarray, threshold: float | None
) -> None:
    chart = histogram(machine(scores, threshold))
    counts = [int(re.match(r"\d+", bar.text)[0]) for bar in chart.bars]  # type: ignore[index]
    assert sum(counts) == len(scores)
    flagged = sum(count for count, bar in zip(counts, chart.bars, strict=True) if bar.is_flagged)
    assert flagged == (0 if threshold is None else (scores >= threshold).sum())
    assert all(chart.frame.left <= bar.x <= chart.frame.right for bar in chart.bars)


def test_a_few_far_scores_do_not_flatten_all_others() -> None:
    usual = RNG.normal(size=500)
    assert score_axis(usual, 3.0).is_linear
    axis = score_axis(np.append(usual, 1e6), 3.0)
    assert not axis.is_linear
    assert np.ptp(axis.at(np.quantile(usual, [0.05, 0.95]))) > 0.1
    at = axis.at(np.sort(usual))
    assert (np.diff(at) > 0).all()
    assert ((at >= 0) & (at <= 1)).all()
    assert [tick.text for tick in axis.ticks()][-1].startswith("1,000,000") or len(axis.ticks()) >= 3


def test_ticks_are_round_and_stand_where_their_values_do() -> None:
    axis = Axis(-3.1, 36.9)
    assert [tick.text for tick in axis.ticks(4)] == ["0", "10", "20", "30"]
    for tick in axis.ticks(4):
        assert tick.at == pytest.approx((float(tick.text) + 3.1) / 40)
    assert [tick.text for tick in Axis(0.011, 0.019).ticks(4)] == ["0.012", "0.014", "0.016", "0.018"]


def test_times_stand_on_an_axis_of_round_times() -> None:
    read = common_times(["2026-11-03T06:00:00", "2026-11-03T17:50:00"])
    assert read is not None
    axis = TimeAxis(*read)
    assert [tick.text for tick in axis.ticks()] == ["06:00", "09:00", "12:00", "15:00"]
    assert axis.at(read).tolist() == [0, 1]
    assert len(TimeAxis(read[0], read[0]).ticks()) == 1
    assert common_times(["2026-11-03T06:00:00", None]) is None
    assert common_times(["2026-11-03T06:00:00", "2026-11-03T06:00:00Z"]) is None
    assert common_times(["yesterday"]) is None


def test_a_timeline_shows_clips_in_their_order_and_flagged_ones_apart() -> None:
    scores = machine(np.array([0.0, 5.0, 1.0, 4.0]))
    order = np.array([3, 2, 1, 0])
    chart = timeline(scores, order, [None] * 4, Marks(drift_from=2, alarms=[(1, 3), (3, None)]))
    assert chart.x_name == "clip number"
    assert len(points(chart.unflagged)) == len(points(chart.flagged)) == 2
    flagged = points(chart.flagged)
    assert flagged[0, 0] < points(chart.unflagged)[0, 0] < flagged[1, 0]
    assert flagged[1, 1] < flagged[0, 1] < chart.threshold_y < points(chart.unflagged)[:, 1].min()
    assert chart.drift is not None
    assert chart.drift.x == pytest.approx(flagged[1, 0], abs=0.1)
    assert chart.drift.x + chart.drift.width == pytest.approx(TIMELINE_FRAME.right)
    assert [round(alarm.x + alarm.width) for alarm in chart.alarms][1] == TIMELINE_FRAME.right


def test_a_long_timeline_is_drawn_as_ranges_that_leave_nothing_out() -> None:
    values = RNG.normal(size=50_000)
    values[[7, 33_333]] = 40, -30
    scores = machine(values)
    chart = timeline(scores, np.arange(len(values)), [None] * len(values), Marks())
    assert chart.unflagged == chart.flagged == ""
    ends = [[float(n) for n in each] for each in re.findall(r"M([\d.]+) ([\d.]+)V([\d.]+)", chart.ranges)]
    assert len(ends) == N_COLUMNS
    tops = [float(n) for n in re.findall(r"V([\d.]+)", chart.flagged_ranges)]
    axis = score_axis(values, 3.0)
    assert min(tops) == pytest.approx(float(TIMELINE_FRAME.y(axis.at(40))), abs=0.06)
    assert max(low for _, low, _ in ends) == pytest.approx(float(TIMELINE_FRAME.y(axis.at(-30))), abs=0.06)
    assert len(chart.ranges) + len(chart.flagged_ranges) < 20_000


def test_a_roc_curve_is_scikit_learns() -> None:
    truth = RNG.random(300) < 0.3
    score = np.round(RNG.normal(size=300) + truth, 1)  # with ties
    flagged = score >= 1
    chart = roc(truth, score, flagged, 0.1)
    corners = points(chart.curve)
    fpr = (corners[:, 0] - ROC_FRAME.left) / ROC_FRAME.width
    tpr = (ROC_FRAME.bottom - corners[:, 1]) / ROC_FRAME.height
    expected = roc_curve(truth, score, drop_intermediate=False)
    np.testing.assert_allclose(fpr, expected[0], atol=1e-3)
    np.testing.assert_allclose(tpr, expected[1], atol=1e-3)
    assert auc(fpr, tpr) == pytest.approx(auc(expected[0], expected[1]), abs=1e-3)
    assert chart.here is not None
    assert (chart.here[0] - ROC_FRAME.left) / ROC_FRAME.width == pytest.approx(flagged[~truth].mean())
    assert points(chart.partial)[:, 0].max() == pytest.approx(ROC_FRAME.left + 0.1 * ROC_FRAME.width, abs=0.1)
