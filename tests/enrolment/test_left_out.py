"""What a threshold does to a recording that it was not set from."""

import numpy as np
import pytest

from osscl.decisions import threshold
from osscl.enrolment.left_out import left_out_recordings


@pytest.mark.parametrize("rate", [0.05, 0.1, 0.2, 0.34])
@pytest.mark.parametrize("n_clips", [1, 3])
def test_each_recording_is_judged_by_a_threshold_from_the_others(rate: float, n_clips: int) -> None:
    rng = np.random.default_rng(3)
    recordings = [f"r{number}" for number in range(11) for _ in range(n_clips + number % 2)]
    levels = dict(zip(dict.fromkeys(recordings), rng.normal(size=11), strict=True))
    scores = np.round([levels[name] + 0.3 * rng.normal() for name in recordings], 1)  # with ties

    found = left_out_recordings(scores, recordings, rate)

    expected = {}
    for name in levels:
        is_own = np.array([other == name for other in recordings])
        others = [other for other in recordings if other != name]
        least = threshold(scores[~is_own], max(rate, 1 / 11), others)
        expected[name] = float(np.mean(scores[is_own] >= least))
    assert {each.recording: each.false_alarm_rate for each in found} == pytest.approx(expected)
    assert sum(each.n_clips for each in found) == len(scores)
    rates = [each.false_alarm_rate for each in found]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] > 0.0, "a test in which nothing is flagged shows nothing"


def test_three_recordings_leave_too_few() -> None:
    assert left_out_recordings(np.arange(6.0), list("aabbcc"), 0.3) == ()
