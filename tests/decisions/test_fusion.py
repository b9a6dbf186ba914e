"""Two scores as one."""

import math

import numpy as np
import pytest

from osscl.decisions import RobustScale, both, left_out_z, log_score
from osscl.errors import DecisionError


def test_z_is_a_standard_deviation_of_normal_scores() -> None:
    scores = np.random.default_rng(0).normal(5.0, 3.0, 20_000)
    scale = RobustScale.of(scores)
    assert scale.z([5.0, 8.0]) == pytest.approx([0.0, 1.0], abs=0.03)
    scores[:200] = 1e6  # a few strangers move it little
    assert RobustScale.of(scores).z([8.0])[0] == pytest.approx(1.0, abs=0.05)


def test_the_larger_z_decides() -> None:
    assert both([1.0, -2.0, 3.0], [0.5, 4.0, 3.0]).tolist() == [1.0, 4.0, 3.0]
    assert np.isnan(both([1.0], [math.nan])).all()
    with pytest.raises(DecisionError, match=r"memory_z is \[2\] and network_z \[1\]"):
        both([1.0, 2.0], [1.0])


def test_the_networks_score_is_taken_by_its_logarithm() -> None:
    assert log_score([1.0, math.e]).tolist() == [0.0, 1.0]
    assert np.isfinite(log_score([0.0])).all()  # what a cross-entropy may round to
    for bad in ([-1.0], [math.nan], [math.inf]):
        with pytest.raises(DecisionError, match="negative or not finite"):
            log_score(bad)


def test_a_recording_does_not_measure_itself() -> None:
    scores = np.array([1.0, 2.0, 3.0, 4.0, 50.0, 60.0])
    recordings = ["a", "b", "c", "d", "e", "e"]
    found = left_out_z(scores, recordings)
    assert found[4:].tolist() == RobustScale.of(scores[:4]).z(scores[4:]).tolist()
    assert found[0] == RobustScale.of(scores[1:]).z(scores[:1])[0]
    assert left_out_z(scores)[5] == RobustScale.of(scores[:5]).z(scores[5:])[0]
    with pytest.raises(DecisionError, match="all normal scores are of one recording"):
        left_out_z(scores, ["a"] * 6)


def test_scores_without_a_spread_are_refused() -> None:
    with pytest.raises(DecisionError, match="half of 3 normal scores are 2: they have no spread"):
        RobustScale.of([2.0, 2.0, 5.0])
    for bad in ([], [math.nan], [[1.0]]):
        with pytest.raises(DecisionError, match="expected finite numbers, one a clip"):
            RobustScale.of(bad)
