"""How far a run has come: its files by status, what was decided of its clips."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from osscl.scoring.record import SCORED_STATUSES, WINDOW, Record, ends_file, status_so_far
from osscl.support.listing import and_more, first_of
from osscl.support.paths import printable
from osscl.support.plurals import plural

_MAX_NAMED = 10
_MAX_FAILED = 2  # of each status: of more, the first stands for all


@dataclass(slots=True)
class Tally:
    """How far a run has come.

    Attributes
    ----------
    counts : Counter of str
        Files by status; of one that was cut into windows, that of a window without a score, if there is one.
    n_windows : int
        Windows with a score.
    n_decided : int
        Clips that were decided.
    anomalies : Counter of str
        Clips called anomalous, by machine.
    rates : set of float
        False-alarm rates that clips were decided at.
    first_failed : dict of str to list of Record
        Of each status without a score, the first lines.
    """

    counts: Counter[str] = field(default_factory=Counter)
    n_windows: int = 0
    n_decided: int = 0
    anomalies: Counter[str] = field(default_factory=Counter)
    rates: set[float] = field(default_factory=set)
    first_failed: dict[str, list[Record]] = field(default_factory=dict)
    _status: str = ""  # of the file whose lines come, by those so far

    def add(self, record: Record, rate: float | None) -> None:
        """Count a line.

        Parameters
        ----------
        record : Record
            The line.
        rate : float or None
            False-alarm rate that its machine is decided at.
        """
        if record.status not in SCORED_STATUSES:
            first = self.first_failed.setdefault(record.status, [])
            if len(first) < _MAX_FAILED and record.path not in {each.path for each in first}:
                first.append(record)
        if record.scope == WINDOW:
            self.n_windows += record.status in SCORED_STATUSES
        self._status = status_so_far(self._status, record)
        if ends_file(record):
            self.counts[self._status] += 1
            self._status = ""
        if record.is_anomaly is None:
            return
        self.n_decided += 1
        self.rates.add(rate or 0.0)
        if record.is_anomaly:
            self.anomalies[record.machine or ""] += 1

    def failures(self) -> Iterator[str]:
        """Say why files have no score, by the first of each status, or both where there are two.

        Yields
        ------
        str
            Such as "corrupt: site/a.wav: it ends before its samples do; and 3 more files".
        """
        for status, records in sorted(self.first_failed.items()):
            n_files = self.counts[status]
            for record in records[: n_files if n_files <= _MAX_FAILED else 1]:
                n_left = 0 if n_files <= _MAX_FAILED else n_files - 1
                also = f";{and_more(n_left, 'file')}" if n_left else ""
                yield f"{status}: {printable(record.path)}: {record.reason}{also}"

    def flagged(self) -> str:
        """Say in one line what was flagged.

        Returns
        -------
        str
            Such as "3 of 480 flagged at 1 %: pump/id_02 (2), fan/id_00 (1)".
        """
        percent = " to ".join(
            dict.fromkeys(f"{100 * rate:.3g}" for rate in (min(self.rates), max(self.rates)))
        )
        text = f"{self.anomalies.total()} of {self.n_decided} flagged at {percent} %"
        flagged, n_left = first_of(self.anomalies.most_common(), _MAX_NAMED)
        named = ", ".join(f"{machine} ({count})" for machine, count in flagged)
        return text + (f": {named}" if named else "") + and_more(n_left, "machine")

    def __str__(self) -> str:
        parts = [f"{count} {status}" for status, count in sorted(self.counts.items())]
        windows = f" in {self.n_windows:,} {plural(self.n_windows, 'window')}" if self.n_windows else ""
        return f"{self.n_files} {plural(self.n_files, 'file')}{windows}" + (
            f": {', '.join(parts)}" if parts else ""
        )

    def facts(self) -> dict[str, Any]:
        """What the record of a run says of its lines.

        Returns
        -------
        dict
            Ready for JSON.
        """
        return {
            "n_files": self.n_files,
            **({"n_windows": self.n_windows} if self.n_windows else {}),
            "counts": dict(sorted(self.counts.items())),
            "n_decided": self.n_decided,
            "anomalies": dict(sorted(self.anomalies.items())),
        }

    @property
    def n_files(self) -> int:
        """Files done."""
        return self.counts.total()

    @property
    def n_failed(self) -> int:
        """Files that could not be scored."""
        return sum(count for status, count in self.counts.items() if status not in SCORED_STATUSES)
