"""Alarms of machines over time: their state is kept in the journal, so that a restart goes on with it."""

import json
import sqlite3
from collections import deque
from typing import Literal, NamedTuple

from osscl.decisions.alarms import AlarmRule, AlarmState
from osscl.events.event import event_id
from osscl.live.wholeness import FileState
from osscl.scoring.record import Record

Change = Literal["alarm", "alarm_over"]
_TABLES = (
    "CREATE TABLE IF NOT EXISTS alarms (machine TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS alarm_votes (machine TEXT PRIMARY KEY, votes TEXT NOT NULL) WITHOUT ROWID",
)


class Vote(NamedTuple):
    """By what a clip that an alarm looks back at is known again.

    Attributes
    ----------
    place : str
        Its path and its start.
    sound : str
        Size and date of its file, its start and its score: the same under another name.
    """

    place: str
    sound: str

    @classmethod
    def of(cls, record: Record, state: FileState | None) -> "Vote":
        """Make it of a line; of a file that is gone the path alone tells."""
        place = event_id(record.path, record.start_s)
        return cls(place, place if state is None else event_id(*state, record.start_s, record.score))


class Alarms:
    """The alarm of each machine.

    Parameters
    ----------
    rule : AlarmRule
        When one is raised and released.
    connection : Connection
        The journal's; the table is made where it lacks. Alarms that stood under another rule go on by this
        one.
    """

    def __init__(self, rule: AlarmRule, connection: sqlite3.Connection) -> None:
        self._rule = rule
        for table in _TABLES:
            connection.execute(table)
        self._states = {
            machine: AlarmState.restored(rule, state)
            for machine, state in connection.execute("SELECT machine, state FROM alarms")
        }
        self._votes: dict[str, deque[Vote]] = {
            machine: deque((Vote(*vote) for vote in json.loads(votes)), rule.m)
            for machine, votes in connection.execute("SELECT machine, votes FROM alarm_votes")
        }

    @property
    def standing(self) -> list[str]:
        """Machines whose alarm stands now."""
        return sorted(machine for machine, state in self._states.items() if state.is_raised)

    def see(
        self,
        record: Record,
        connection: sqlite3.Connection,
        state: FileState | None = None,
        *,
        is_again: bool = False,
    ) -> Change | None:
        """Take the decision on a clip, in the transaction of its row.

        A recording has one vote, however often it is written or renamed: of a clip that is among the last
        ones, the new decision stands in the place of the old one.

        Parameters
        ----------
        record : Record
            Any line of a table; those that nothing was decided of change nothing.
        connection : Connection
            The journal's, in that transaction.
        state : FileState or None
            Of its file.
        is_again : bool
            Whether its row replaces one that was scored: if that is not among the last ones any more, it
            changes nothing.

        Returns
        -------
        str or None
            Whether it raised the alarm of its machine, or released it.
        """
        machine = record.machine
        if record.is_anomaly is None or machine is None:
            return None
        alarm = self._states.setdefault(machine, AlarmState(self._rule))
        votes = self._votes.setdefault(machine, deque(maxlen=self._rule.m))
        was_raised, vote = alarm.is_raised, Vote.of(record, state)
        back = _back(votes, vote)
        if back is not None:
            is_raised = alarm.change(back, record.is_anomaly)
            votes[-1 - back] = vote
        elif is_again:
            return None
        else:
            is_raised = alarm.see(record.is_anomaly)
            votes.append(vote)
        connection.execute("INSERT OR REPLACE INTO alarms VALUES (?, ?)", (machine, alarm.stored()))
        connection.execute(
            "INSERT OR REPLACE INTO alarm_votes VALUES (?, ?)", (machine, json.dumps([*votes]))
        )
        if is_raised == was_raised:
            return None
        return "alarm" if is_raised else "alarm_over"


def _back(votes: deque[Vote], vote: Vote) -> int | None:
    """How many votes came after the one of the same recording; None where there is none."""
    same_place = (back for back, each in enumerate(reversed(votes)) if each.place == vote.place)
    same_sound = (back for back, each in enumerate(reversed(votes)) if each.sound == vote.sound)
    return next(same_place, next(same_sound, None))


def are_kept(connection: sqlite3.Connection) -> bool:
    """Whether a watch keeps alarms in a journal.

    Parameters
    ----------
    connection : sqlite3.Connection
        Of the journal.

    Returns
    -------
    bool
        False of the journal of any other run.
    """
    found = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alarms'")
    return found.fetchone() is not None
