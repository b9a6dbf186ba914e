"""How far watching has come: counted by the loop, read by whoever asks meanwhile."""

from collections import Counter
from dataclasses import dataclass, field

from osscl.support.plurals import plural


@dataclass(slots=True)
class Progress:
    """What watching has done since it began, and what waits.

    Attributes
    ----------
    files : Counter of str
        Files that were scored or could not be, by status.
    anomalies : Counter of str
        Flagged clips, by machine.
    alarms : Counter of str
        Alarms raised, by machine.
    standing : list of str
        Machines whose alarm stands.
    n_ready, n_unfinished : int
        Files that wait to be scored, and those that are not whole yet.
    is_folder_there : bool
        Whether the folder is there.
    events_waiting, events_refused : dict of str to int
        By receiver: events that it does not have yet, and those that it will never take.
    n_timed : int
        Files whose way was timed.
    seconds : float
        How long these took together, from being whole to being scored.
    last_file_at : float or None
        When the last file was scored, seconds since 1970; None before the first.
    """

    files: Counter[str] = field(default_factory=Counter)
    anomalies: Counter[str] = field(default_factory=Counter)
    alarms: Counter[str] = field(default_factory=Counter)
    standing: list[str] = field(default_factory=list)
    n_ready: int = 0
    n_unfinished: int = 0
    is_folder_there: bool = True
    events_waiting: dict[str, int] = field(default_factory=dict)
    events_refused: dict[str, int] = field(default_factory=dict)
    n_timed: int = 0
    seconds: float = 0.0
    last_file_at: float | None = None

    def __str__(self) -> str:
        parts = [f"{count} {status}" for status, count in sorted(self.files.items())]
        n_files = self.files.total()
        text = f"{n_files} {plural(n_files, 'file')}" + (f": {', '.join(parts)}" if parts else "")
        waiting = {"waiting": self.n_ready, "not whole yet": self.n_unfinished}
        waiting["events to be delivered"] = sum(self.events_waiting.values())
        text += "".join(f"; {count} {what}" for what, count in waiting.items() if count)
        return text if self.is_folder_there else f"{text}; the folder is gone"
