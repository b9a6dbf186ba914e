"""Alarms in the journal: a restart after any clip changes nothing of what follows."""

import sqlite3

import numpy as np

from osscl.decisions.alarms import AlarmRule, AlarmState
from osscl.live.alarms import Alarms
from osscl.live.wholeness import FileState
from osscl.scoring.record import Record


def line(is_anomaly: bool | None, machine: str | None = "fan/id_00", path: str = "a.wav") -> Record:
    return Record(path=path, machine=machine, is_anomaly=is_anomaly)


def test_a_state_goes_on_after_each_clip_as_if_nothing_had_happened() -> None:
    decisions = np.random.default_rng(3).random(400) < 0.4
    for rule in (
        AlarmRule(2, 3),
        AlarmRule(3, 5, hold=4),
        AlarmRule(1, 1, cool_down=7),
        AlarmRule(2, 4, 3, 2),
    ):
        straight, restarted = AlarmState(rule), AlarmState(rule)
        for is_anomaly in decisions:
            restarted = AlarmState.restored(rule, restarted.stored())
            assert restarted.see(bool(is_anomaly)) == straight.see(bool(is_anomaly))


def test_an_alarm_that_stands_goes_on_under_another_rule() -> None:
    state = AlarmState(AlarmRule(1, 1))
    assert state.see(True)
    other = AlarmState.restored(AlarmRule(2, 3), state.stored())
    assert other.is_raised
    assert not other.see(False)


def test_machines_have_alarms_of_their_own_and_undecided_clips_change_none() -> None:
    connection = sqlite3.connect(":memory:")
    alarms = Alarms(AlarmRule(1, 1), connection)
    assert alarms.see(line(None), connection) is None
    assert alarms.see(line(True, None), connection) is None
    assert alarms.see(line(True), connection) == "alarm"
    assert alarms.see(line(True), connection) is None
    assert alarms.see(line(False, "fan/id_02"), connection) is None
    again = Alarms(AlarmRule(1, 1), connection)
    assert again.standing == ["fan/id_00"]
    assert again.see(line(False), connection) == "alarm_over"
    assert again.standing == []


def test_what_is_not_committed_is_not_known_after_a_restart() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    alarms = Alarms(AlarmRule(1, 1), connection)
    connection.execute("BEGIN")
    alarms.see(line(True), connection)
    connection.execute("ROLLBACK")
    assert Alarms(AlarmRule(1, 1), connection).standing == []


def test_another_decision_on_a_clip_stands_in_the_place_of_the_first() -> None:
    """2 of the last 3: a and b raise it, b is well after all, and c again raises it."""
    connection = sqlite3.connect(":memory:")
    seen = [
        ("a", True, False, None),
        ("a", True, True, None),
        ("b", True, False, "alarm"),
        ("b", False, True, "alarm_over"),
        ("c", True, False, "alarm"),
        ("d", False, False, "alarm_over"),
        ("a", True, True, None),  # it is not among the last three any more
        ("e", True, False, "alarm"),
    ]
    for path, is_anomaly, is_again, expected in seen:
        alarms = Alarms(AlarmRule(2, 3), connection)  # as after a restart
        assert alarms.see(line(is_anomaly, path=path), connection, is_again=is_again) == expected


def test_the_same_sound_under_another_name_has_no_second_vote() -> None:
    connection = sqlite3.connect(":memory:")
    alarms = Alarms(AlarmRule(2, 3), connection)
    same, later = FileState(10, 1), FileState(10, 2)
    assert alarms.see(line(True, path="a"), connection, same) is None
    assert alarms.see(line(True, path="b"), connection, same) is None
    assert alarms.see(line(True, path="c"), connection, later) == "alarm"
