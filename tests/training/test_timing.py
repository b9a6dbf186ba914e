"""How long a training takes, by a clock that the tests set."""

from datetime import datetime
from itertools import count

import pytest

from osscl.errors import ConfigError, TrainingError
from osscl.support.durations import in_words, parse_duration
from osscl.training.timing import Pace, Timing, estimate, pace_of, planned_epochs

PACE = Pace(step_s=2.0, steps_of_epoch=50, hold_out_s=10.0)  # 110 s an epoch


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_epochs_fill_the_time_but_for_a_twentieth() -> None:
    assert planned_epochs(7200, PACE, at_most=300) == 62  # 6840 s / 110 s
    assert planned_epochs(7200, PACE, at_most=20) == 20
    assert planned_epochs(7200, PACE, at_most=300, n_trainings=3) == 20
    assert planned_epochs(110 / 0.95 + 1e-6, PACE, at_most=300) == 1


def test_a_time_too_short_for_an_epoch_is_refused_with_what_it_takes() -> None:
    with pytest.raises(TrainingError) as refused:
        planned_epochs(60, PACE, at_most=300)
    assert str(refused.value) == (
        "--time-limit is too short: 60 s of it are left, and one epoch takes about 2 min here (50 steps); "
        "name a limit that is at least 56 s longer, or train on fewer clips"
    )
    with pytest.raises(TrainingError, match="0 s of it are left, and one epoch of each of 3 trainings takes"):
        planned_epochs(-5, PACE, at_most=300, n_trainings=3)


def test_the_look_at_the_hold_out_counts() -> None:
    pace = pace_of(3.0, n_training_clips=100, n_held_out=20, batch_size=16)
    assert pace.steps_of_epoch == 6
    assert pace.hold_out_s == pytest.approx(0.5 * 20 * 3.0 / 16)
    assert PACE.seconds_for(100) == 220
    assert PACE.seconds_for(60) == 140
    whole = pace_of(3.0, n_training_clips=10, n_held_out=2, batch_size=64)
    assert whole.steps_of_epoch == 1
    assert whole.hold_out_s == pytest.approx(0.3)


def test_the_first_step_is_not_timed_and_the_time_of_a_step_told_once() -> None:
    clock = Clock()
    timing = Timing(n_steps=100, now=clock)
    told = []
    for n_done, took in zip(count(11), [30.0, 2.0, 3.0, 4.0, 5.0], strict=False):
        clock.now += took
        told.append(timing.after_step(n_done))
    assert told == [None, None, None, 3.0, None]
    assert timing.left_s == pytest.approx((100 - 15) * 14 / 4)


def test_nothing_is_left_to_say_before_a_second_step() -> None:
    timing = Timing(n_steps=1, now=Clock())
    assert timing.left_s is None
    timing.after_step(1)
    assert timing.left_s is None


def test_an_estimate_says_when_it_will_be_over() -> None:
    now = datetime(2026, 3, 1, 14, 28)
    assert estimate(2040, 990, now) == "about 34 min for 990 steps, until about 15:02"
    assert estimate(36_000, 990, now) == "about 10 h for 990 steps, until about 2026-03-02 00:28"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "0 s"),
        (45, "45 s"),
        (99.4, "99 s"),
        (99.6, "2 min"),
        (2040, "34 min"),
        (5999, "1 h 40 min"),
        (7200, "2 h"),
        (47 * 3600 + 1790, "47 h 30 min"),
        (48 * 3600, "2 d"),
        (76 * 3600, "3 d 4 h"),
        (47 * 3600 + 3599, "2 d"),
    ],
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


def test_a_limit_is_a_duration() -> None:
    assert parse_duration("2h") == 7200
    with pytest.raises(ConfigError, match="a time is 'soon'; expected a number and s, min, h or d"):
        parse_duration("soon")
