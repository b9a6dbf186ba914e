"""The score against slow loops with the math module, and against the published implementation."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from osscl.errors import InputError
from osscl.scoring.rule import anomaly_score, arcface_logits
from support.reference import Reference

MARGIN, SCALE = 0.4, 30.0


def slow_logits(cosines: list[float], label: int, margin: float, scale: float) -> list[float]:
    """Logits of one clip, by way of the angle itself."""
    logits = []
    for index, cosine in enumerate(cosines):
        value = cosine
        if index == label:
            angle = math.acos(max(-1.0, min(1.0, cosine)))
            if angle + margin < math.pi:
                value = math.cos(angle + margin)
            else:
                value = cosine - margin * math.sin(math.pi - margin)
        logits.append(scale * value)
    return logits


def slow_score(cosines: list[float], label: int, margin: float, scale: float) -> float:
    """Cross-entropy of one clip: log of the sum of exponentials, less the claimed logit."""
    logits = slow_logits(cosines, label, margin, scale)
    return math.log(math.fsum(math.exp(logit - logits[label]) for logit in logits))


@st.composite
def scored_clips(draw: st.DrawFn) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    n_clips, n_classes = draw(st.integers(1, 5)), draw(st.integers(1, 8))
    cosine = draw(st_numpy.arrays(np.float64, (n_clips, n_classes), elements=st.floats(-1.0, 1.0)))
    labels = draw(st_numpy.arrays(np.int64, n_clips, elements=st.integers(0, n_classes - 1)))
    return cosine, labels


@given(clips=scored_clips(), margin=st.floats(0.0, 1.5), scale=st.floats(0.1, 100.0))
def test_agrees_with_the_slow_loop(
    clips: tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]], margin: float, scale: float
) -> None:
    cosine, labels = clips
    logits = arcface_logits(cosine, labels, margin=margin, scale=scale)
    scores = anomaly_score(cosine, labels, margin=margin, scale=scale)
    for clip, label in enumerate(labels.tolist()):
        # The clamp under the root moves a claimed cosine of exactly 1 by 1e-6 sin(margin).
        tolerance = 1.1e-6 * scale
        expected = slow_logits(cosine[clip].tolist(), label, margin, scale)
        assert logits[clip].tolist() == pytest.approx(expected, abs=tolerance)
        expected_score = slow_score(cosine[clip].tolist(), label, margin, scale)
        assert scores[clip] == pytest.approx(expected_score, abs=2 * tolerance)


@pytest.mark.parametrize("claimed", [-1.0, -0.95, -0.9211, -0.9210, -0.5, 0.0, 0.5, 0.999, 1.0])
def test_margin_on_both_branches(claimed: float) -> None:
    cosine = np.array([[0.25, claimed, -0.5]])
    logits = arcface_logits(cosine, np.array([1]), margin=MARGIN, scale=SCALE)
    # cos(pi - 0.4) = -0.92106: below it the margin is taken off the cosine instead of the angle.
    within_reach = claimed > -0.92106
    with_margin = math.cos(math.acos(claimed) + 0.4) if within_reach else claimed - 0.4 * math.sin(0.4)
    np.testing.assert_allclose(logits, [[7.5, 30.0 * with_margin, -15.0]], rtol=0, atol=2e-5)


@pytest.mark.parametrize("beyond", [1.0 + 2e-7, -1.0 - 2e-7])
def test_a_cosine_rounded_beyond_one_stays_finite(beyond: float) -> None:
    cosine = np.array([[beyond, 0.0]], dtype=np.float32)
    at_one = np.array([[math.copysign(1.0, beyond), 0.0]])
    label = np.array([0])
    score = anomaly_score(cosine, label, margin=MARGIN, scale=SCALE)
    assert score == pytest.approx(anomaly_score(at_one, label, margin=MARGIN, scale=SCALE), abs=2e-5)


def test_the_clamp_under_the_root_is_1e_12() -> None:
    logits = arcface_logits(np.array([[1.0]]), np.array([0]), margin=MARGIN, scale=1.0)
    assert logits[0, 0] - math.cos(0.4) == pytest.approx(-1e-6 * math.sin(0.4), rel=1e-6)


def test_scores_neither_overflow_nor_vanish() -> None:
    cosine = np.array([[1.0, -1.0], [-1.0, 1.0]])
    normal, anomalous = anomaly_score(cosine, np.array([0, 0]), margin=0.0, scale=1000.0)
    assert normal == pytest.approx(0.0, abs=1e-300)
    assert anomalous == pytest.approx(2000.0)
    # A score far below the rounding of 1 still ranks: log(1 + x) = x.
    (tiny,) = anomaly_score(cosine[:1], np.array([0]), margin=0.0, scale=30.0)
    assert tiny == pytest.approx(math.exp(-60.0), rel=1e-9)


def test_one_class_scores_zero_and_no_clips_give_no_scores() -> None:
    assert anomaly_score(np.array([[0.3]]), np.array([0]), margin=MARGIN, scale=SCALE).tolist() == [0.0]
    assert anomaly_score(np.empty((0, 3)), np.empty(0, dtype=int), margin=MARGIN, scale=SCALE).shape == (0,)


def test_float32_cosines_give_float64_scores_and_stay_as_they_were() -> None:
    cosine = np.array([[0.5, 0.25]], dtype=np.float32)
    kept = cosine.copy()
    scores = anomaly_score(cosine, np.array([1]), margin=MARGIN, scale=SCALE)
    assert scores.dtype == np.float64
    np.testing.assert_array_equal(cosine, kept)
    assert scores == anomaly_score(kept.astype(np.float64), np.array([1]), margin=MARGIN, scale=SCALE)


def test_nan_reaches_its_own_clip_alone() -> None:
    cosine = np.array([[0.5, np.nan], [0.5, 0.25]])
    scores = anomaly_score(cosine, np.array([0, 0]), margin=MARGIN, scale=SCALE)
    assert np.isnan(scores).tolist() == [True, False]


@pytest.mark.parametrize(
    ("cosine", "labels", "message"),
    [
        (np.zeros(3), np.array([0]), r"cosine is float64 \[3\]; expected float \[clips, classes\]"),
        (np.zeros((1, 3), dtype=int), np.array([0]), r"cosine is int64 \[1, 3\]"),
        (
            np.zeros((2, 3)),
            np.array([0]),
            r"labels are int64 \[1\]; expected one class index a clip, int \[2\]",
        ),
        (np.zeros((1, 3)), np.array([0.0]), r"labels are float64 \[1\]"),
        (np.zeros((1, 3)), np.array([-1]), "label -1 is no class index; expected 0 to 2"),
        (np.zeros((1, 3)), np.array([3]), "label 3 is no class index; expected 0 to 2"),
    ],
)
def test_misfits_are_refused(
    cosine: npt.NDArray[np.float64], labels: npt.NDArray[np.int64], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        anomaly_score(cosine, labels, margin=MARGIN, scale=SCALE)


def test_agrees_with_the_reference(reference: Reference) -> None:
    outputs = reference.outputs
    cosine, labels = outputs["cosine"], outputs["label"]
    logits = arcface_logits(cosine, labels, margin=MARGIN, scale=SCALE)
    scores = anomaly_score(cosine, labels, margin=MARGIN, scale=SCALE)
    np.testing.assert_allclose(logits, outputs["logits"], rtol=0, atol=5e-6)
    np.testing.assert_allclose(scores, outputs["score"], rtol=0, atol=1e-5)
    np.testing.assert_array_equal(np.argsort(scores), np.argsort(outputs["score"]))
