"""Alarms in the journal: a restart after any clip changes nothing of what follows."""

import sqlite3

import numpy as np

from osscl.decisions.alarms import AlarmRule, AlarmState
from osscl.live.alarms import Alarms
from osscl.scoring.record import Record


def line(is_anomaly: bool | None, machine: str | None = "fan/id_00") -> Record:
    return Record(path="a.wav", machine=machine, is_anomaly=is_anomaly)


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
