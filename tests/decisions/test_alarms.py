"""Alarms over time: the state machine, and how often it raises false ones, by enumeration and by SciPy."""

import itertools

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import beta, betabinom, binom

from osscl.decisions.alarm_rates import (
    LONGEST_WINDOW,
    false_alarms,
    fewest_false_alarms,
    smallest_window,
)
from osscl.decisions.alarms import AlarmRule, AlarmState, Raised, alarms_of
from osscl.errors import ConfigError, DecisionError


def flags(text: str) -> list[bool]:
    return [char == "x" for char in text]


def states(text: str, rule: AlarmRule) -> str:
    state = AlarmState(rule)
    return "".join("!" if state.see(flag) else "." for flag in flags(text))


def test_n_of_the_last_m_raise_and_fewer_release() -> None:
    assert states("x.x..xx......", AlarmRule(2, 3)) == "..!...!!....."
    assert states("xxxxx", AlarmRule(3, 5)) == "..!!!"


def test_an_alarm_is_held_and_none_is_raised_while_it_cools_down() -> None:
    assert states("x........", AlarmRule(1, 1, hold=4)) == "!!!!....."
    assert states("x..xx..x.", AlarmRule(1, 1, cool_down=3)) == "!......!."
    assert states("xxxxxxx", AlarmRule(1, 1, hold=2, cool_down=5)) == "!!!!!!!"  # it stands while it is true


def test_alarms_have_a_beginning_and_an_end() -> None:
    assert alarms_of(flags(".xx...xx"), AlarmRule(2, 2)) == [Raised(2, 3), Raised(7, None)]
    assert alarms_of([], AlarmRule()) == []


def test_rates_are_beta_binomial() -> None:
    assert false_alarms(3, 5, 0.05, 20).chance == pytest.approx(0.0043, abs=5e-5)
    for n, m, rate, n_recordings in ((1, 1, 0.05, 20), (3, 5, 0.05, 20), (4, 9, 0.1, 57), (2, 3, 0.02, 999)):
        k = int(rate * (n_recordings + 1) + 1e-9)
        expected = betabinom.sf(n - 1, m, k, n_recordings + 1 - k)
        assert false_alarms(n, m, rate, n_recordings).chance == pytest.approx(expected, rel=1e-9)


def test_alarms_raised_a_clip_are_those_that_the_state_machine_raises() -> None:
    """All outcomes of the last m + 1 clips, weighed by every true rate that the threshold may have."""
    n, m, n_recordings = 2, 4, 19

    def raised(q: float) -> float:
        total = 0.0
        for outcome in itertools.product([False, True], repeat=m + 1):
            if sum(outcome[1:]) >= n > sum(outcome[:-1]):
                total += q ** sum(outcome) * (1 - q) ** (m + 1 - sum(outcome))
        return total

    expected = quad(lambda q: raised(q) * beta.pdf(q, 1, n_recordings), 0, 1)[0]
    assert false_alarms(n, m, 0.05, n_recordings).raised == pytest.approx(expected, rel=1e-6)


def test_the_bound_holds_however_clips_depend_on_one_another() -> None:
    bound = false_alarms(3, 5, 0.05, 19).bound
    flagged = np.repeat(np.random.default_rng(1).random(40_000) < 0.03, 3)  # three of five in one burst
    flagged = flagged[: len(flagged) // 5 * 5]
    windows = np.lib.stride_tricks.sliding_window_view(flagged, 5).sum(axis=1) >= 3
    assert false_alarms(3, 5, 0.05, 19).chance < windows.mean() < bound * flagged.mean() / 0.05 + 1e-3
    assert bound == pytest.approx(5 / 3 * 0.05)


@pytest.mark.parametrize("n_recordings", [20, 100, 1000])
def test_the_window_that_is_chosen_keeps_to_what_was_asked(n_recordings: int) -> None:
    asked = 1 / 60_480
    window = smallest_window(asked, 0.05, n_recordings)
    assert window is not None
    assert false_alarms(*window, 0.05, n_recordings).raised <= asked
    fewer = [
        false_alarms(n, m, 0.05, n_recordings).raised
        for m in range(1, window[1])
        for n in range(1, m + 1)
        if binom.sf(n - 1, m, 0.8) >= 0.9  # four of five clips of a fault are flagged
    ]
    assert min(fewer) > asked
    assert fewest_false_alarms(0.05, n_recordings) < asked


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(DecisionError, match=r"20 normal recordings say nothing of a rate of 0\.01"):
        false_alarms(1, 1, 0.01, 20)
    assert smallest_window(1e-30, 0.25, 3) is None
    for n, m in ((0, 1), (3, 2), (1, LONGEST_WINDOW + 1)):
        with pytest.raises(DecisionError, match=f"an alarm from {n} of {m} clips? cannot be"):
            AlarmRule(n, m)
    with pytest.raises(ConfigError, match="hold is -1"):
        AlarmRule(1, 1, hold=-1)
