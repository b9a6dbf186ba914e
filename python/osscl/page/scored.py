"""A table of scores, machine by machine."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from osscl.scoring.record import Record

NO_MACHINE = "(machine not known)"


@dataclass(frozen=True, eq=False)
class MachineScores:
    """The scored clips of one machine by one rule.

    Attributes
    ----------
    name : str
        Its ID; with the rule behind it where the table has several of the machine.
    machine : str
        Its ID.
    rule : str or None
        Which score this is.
    lines : ndarray of int, [n]
        Lines of the table, counted from 0, in the order of the table.
    score : ndarray of float64, [n]
        Their scores.
    decided, flagged : ndarray of bool, [n]
        Which of them were decided, and which of those were called anomalous.
    threshold : float or None
        Score from which clips are flagged, of most of them; None where nothing was decided.
    """

    name: str
    machine: str
    rule: str | None
    lines: npt.NDArray[np.intp]
    score: npt.NDArray[np.float64]
    decided: npt.NDArray[np.bool_]
    flagged: npt.NDArray[np.bool_]
    threshold: float | None

    def among(self, counts: npt.NDArray[np.bool_]) -> "MachineScores":
        """Those of its clips whose lines count, [number of lines]."""
        kept = counts[self.lines]
        return replace(
            self,
            lines=self.lines[kept],
            score=self.score[kept],
            decided=self.decided[kept],
            flagged=self.flagged[kept],
        )

    @property
    def n_flagged(self) -> int:
        """Clips that were called anomalous."""
        return int(self.flagged.sum())

    @property
    def n_decided(self) -> int:
        """Clips that were decided."""
        return int(self.decided.sum())

    @cached_property
    def spread(self) -> tuple[float, float]:
        """Median of the clips that were not flagged (all, where all were), and a spread about it, above 0."""
        usual = self.score if self.flagged.all() else self.score[~self.flagged]
        median = float(np.median(usual))
        spread = float(np.median(np.abs(usual - median)))
        return median, spread or float(np.ptp(self.score)) or 1.0

    @cached_property
    def excess(self) -> npt.NDArray[np.float64]:
        """How far each clip lies above the threshold, or else the median, in spreads, [n].

        Scores of two machines cannot be compared, their excesses can.
        """
        median, spread = self.spread
        return (self.score - (median if self.threshold is None else self.threshold)) / spread


@dataclass(frozen=True, eq=False)
class Scored:
    """A whole table.

    Attributes
    ----------
    records : list of Record
        Its lines.
    machines : list of MachineScores
        In the order of their names.
    """

    records: list[Record]
    machines: list[MachineScores]

    def among(self, counts: npt.NDArray[np.bool_]) -> "Scored":
        """The same lines, with the machines' clips that count, [number of lines]."""
        return Scored(self.records, [each.among(counts) for each in self.machines])

    @property
    def n_flagged(self) -> int:
        """Clips that were called anomalous."""
        return sum(each.n_flagged for each in self.machines)

    @property
    def n_decided(self) -> int:
        """Clips that were decided."""
        return sum(each.n_decided for each in self.machines)

    @property
    def n_scored(self) -> int:
        """Clips with a score."""
        return sum(len(each.lines) for each in self.machines)


def by_machine(records: Iterable[Record]) -> Scored:
    """Sort the lines of a table by machine.

    Parameters
    ----------
    records : iterable of Record
        The lines.

    Returns
    -------
    Scored
        All of them; those without a score are of no machine's scores.
    """
    kept = list(records)
    lines_of: dict[tuple[str, str], list[int]] = {}
    for line, record in enumerate(kept):
        if record.score is not None:
            lines_of.setdefault((record.machine or NO_MACHINE, record.rule or ""), []).append(line)
    rules_of: dict[str, int] = {}
    for machine, _ in lines_of:
        rules_of[machine] = rules_of.get(machine, 0) + 1
    machines = [
        _scores(kept, np.array(lines_of[key]), *key, has_others=rules_of[key[0]] > 1)
        for key in sorted(lines_of)
    ]
    return Scored(kept, machines)


def _scores(
    records: list[Record], lines: npt.NDArray[np.intp], machine: str, rule: str, *, has_others: bool
) -> MachineScores:
    of_machine = [records[line] for line in lines]
    decided = np.array([record.is_anomaly is not None for record in of_machine])
    return MachineScores(
        name=f"{machine} ({rule or 'rule not known'})" if has_others else machine,
        machine=machine,
        rule=rule or None,
        lines=lines,
        score=np.array([record.score for record in of_machine], np.float64),
        decided=decided,
        flagged=np.array([record.is_anomaly is True for record in of_machine]),
        threshold=_usual([record.threshold for record in of_machine if record.threshold is not None]),
    )


def _usual(thresholds: list[float]) -> float | None:
    if not thresholds:
        return None
    values, counts = np.unique(thresholds, return_counts=True)
    return float(values[counts.argmax()])
