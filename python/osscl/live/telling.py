"""What others are told of scored recordings: events, each with an ID that finds the recording again."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Literal, get_args

from osscl.decisions.alarms import AlarmRule
from osscl.errors import ConfigError
from osscl.events.event import Event, event_id
from osscl.live.alarms import Change
from osscl.live.wholeness import FileState
from osscl.scoring.record import Record
from osscl.support.plurals import counted, verb
from osscl.support.utc import utc_now

Which = Literal["anomalies", "all", "alarms"]

_KINDS: dict[str, frozenset[str]] = {
    "anomalies": frozenset({"anomaly", "unscored", "alarm", "alarm_over"}),
    "all": frozenset({"score", "anomaly", "unscored", "alarm", "alarm_over"}),
    "alarms": frozenset({"alarm", "alarm_over"}),
}


def checked_which(which: str) -> Which:
    """Give the word for the events that are told; raises `ConfigError` where it is none."""
    if which not in _KINDS:
        raise ConfigError(f"--events is '{which}'; expected one of: {', '.join(get_args(Which))}")
    return which  # type: ignore[return-value]


class Telling:
    """Makes events of lines.

    Parameters
    ----------
    which : {"anomalies", "all", "alarms"}
        Which of them: alarms alone; flagged clips and files that could not be scored, too; or every clip.
    graph_sha256 : str
        Of the model: another one makes other events of the same recording.
    fingerprint_of : callable
        What the scores of a machine come from: another rule or memory makes other events, too.
    rule : AlarmRule
        What an alarm says of itself.
    """

    def __init__(
        self, which: Which, graph_sha256: str, fingerprint_of: Callable[[str], str], rule: AlarmRule
    ) -> None:
        self._kinds, self._graph_sha256, self._rule = _KINDS[which], graph_sha256, rule
        self._fingerprint_of = cache(fingerprint_of)

    def events(self, record: Record, state: FileState | None, change: Change | None) -> Iterator[Event]:
        """Tell of a line.

        Parameters
        ----------
        record : Record
            The line; of a recording in windows, lines that sum it up tell nothing.
        state : FileState or None
            Of its file.
        change : {"alarm", "alarm_over"} or None
            What it did to the alarm of its machine.

        Yields
        ------
        Event
            One of the clip, and one of the alarm.
        """
        if record.scope not in (None, "window"):
            return
        scored = "anomaly" if record.is_anomaly else "score"
        kind = "unscored" if record.score is None else scored
        if kind in self._kinds:
            yield self._event(kind, record, state)
        if change is not None:
            yield self._event(change, record, state, self._sentence(change, record))

    def _event(self, kind: str, record: Record, state: FileState | None, message: str | None = None) -> Event:
        size, written_ns = (None, None) if state is None else state
        sound = (record.path, size, written_ns, record.start_s)
        return Event(
            id=event_id(kind, record.machine, *sound, self._graph_sha256, *self._decided_by(record)),
            kind=kind,
            at=utc_now().replace("+00:00", "Z"),
            path=record.path,
            machine=record.machine,
            recorded_at=record.recorded_at,
            start_s=record.start_s,
            duration_s=record.duration_s,
            status=record.status,
            reason=record.reason,
            score=record.score,
            p_value=record.p_value,
            threshold=record.threshold,
            is_anomaly=record.is_anomaly,
            quality=record.quality,
            explanation=record.explanation,
            message=message,
        )

    def _decided_by(self, record: Record) -> tuple[str | float | None, ...]:
        """What scored a line, and what its calibration made of that: an event that says other things is
        another one."""
        if record.machine is None or record.score is None:
            return ()
        return self._fingerprint_of(record.machine), record.p_value, record.threshold

    def why(self, change: Change) -> str:
        """Say in some words why an alarm was raised, or released."""
        clips = counted(self._rule.m, "clip")
        if change == "alarm":
            return f"{self._rule.n} of its last {clips} {verb(self._rule.n, 'was', 'were')} flagged"
        return f"fewer than {self._rule.n} of its last {clips} {verb(self._rule.m, 'is', 'are')} flagged"

    def _sentence(self, change: Change, record: Record) -> str:
        if change == "alarm":
            return f"alarm of {record.machine}: {self.why(change)}"
        return f"the alarm of {record.machine} is over: {self.why(change)}"
