"""Alarms of machines over time: their state is kept in the journal, so that a restart goes on with it."""

import sqlite3
from typing import Literal

from osscl.decisions.alarms import AlarmRule, AlarmState
from osscl.scoring.record import Record

Change = Literal["alarm", "alarm_over"]
_TABLE = "CREATE TABLE IF NOT EXISTS alarms (machine TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID"


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
        connection.execute(_TABLE)
        self._states = {
            machine: AlarmState.restored(rule, state)
            for machine, state in connection.execute("SELECT machine, state FROM alarms")
        }

    @property
    def standing(self) -> list[str]:
        """Machines whose alarm stands now."""
        return sorted(machine for machine, state in self._states.items() if state.is_raised)

    def see(self, record: Record, connection: sqlite3.Connection) -> Change | None:
        """Take the decision on a clip, in the transaction of its row.

        Parameters
        ----------
        record : Record
            Any line of a table; those that nothing was decided of change nothing.
        connection : Connection
            The journal's, in that transaction.

        Returns
        -------
        str or None
            Whether it raised the alarm of its machine, or released it.
        """
        if record.is_anomaly is None or record.machine is None:
            return None
        state = self._states.setdefault(record.machine, AlarmState(self._rule))
        was_raised = state.is_raised
        is_raised = state.see(record.is_anomaly)
        connection.execute("INSERT OR REPLACE INTO alarms VALUES (?, ?)", (record.machine, state.stored()))
        if is_raised == was_raised:
            return None
        return "alarm" if is_raised else "alarm_over"


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
