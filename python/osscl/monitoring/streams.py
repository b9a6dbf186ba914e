"""A table of scores as one stream a machine: arrays, since tables may have a million lines."""

import math
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from osscl.scoring.record import FILE_SCOPES, WINDOW, Record

BLOCK_COLUMNS = ("z_level", "z_modulation", "z_flutter", "z_event")
_UNDECIDED = -1
_LINES = 4096

Array = npt.NDArray[np.float64]


@dataclass(slots=True, eq=False)
class Stream:
    """Scored clips of one machine, in the order of the table.

    Attributes
    ----------
    machine : str
        Its ID; empty where the table names none.
    rules : set of str
        Rules that gave the scores; "" where the table does not say.
    paths, times, starts : list
        Of each clip; a time is None where it is not known, a start where the clip is no window.
    """

    machine: str
    rules: set[str] = field(default_factory=set)
    paths: list[str] = field(default_factory=list)
    times: list[str | None] = field(default_factory=list)
    starts: list[float | None] = field(default_factory=list)
    _lines: "array[int]" = field(default_factory=lambda: array("q"))
    _scores: "array[float]" = field(default_factory=lambda: array("d"))
    _z: "array[float]" = field(default_factory=lambda: array("d"))
    _durations: "array[float]" = field(default_factory=lambda: array("d"))
    _thresholds: "array[float]" = field(default_factory=lambda: array("d"))
    _decisions: "array[int]" = field(default_factory=lambda: array("b"))

    def add(self, line: int, record: Record) -> None:
        """Take the next line of the machine, which has a score."""
        self.rules.add(record.rule or "")
        self.paths.append(record.path)
        self.times.append(record.recorded_at)
        self.starts.append(record.start_s if record.scope == WINDOW else None)
        self._lines.append(line)
        assert record.score is not None
        self._scores.append(record.score)
        for name in BLOCK_COLUMNS:
            self._z.append(_or_nan(getattr(record, name)))
        self._durations.append(math.inf if record.duration_s is None else record.duration_s)
        self._thresholds.append(_or_nan(record.threshold))
        self._decisions.append(_UNDECIDED if record.is_anomaly is None else int(record.is_anomaly))

    @property
    def lines(self) -> npt.NDArray[np.int64]:
        """Line of the table of each clip, from 0, [N]."""
        return np.frombuffer(self._lines, np.int64)

    @property
    def scores(self) -> Array:
        """Scores, [N]."""
        return np.frombuffer(self._scores, np.float64)

    @property
    def z(self) -> Array:
        """What the blocks of the memory say, [N, 4]; NaN where the table does not."""
        return np.frombuffer(self._z, np.float64).reshape(-1, len(BLOCK_COLUMNS))

    @property
    def durations(self) -> Array:
        """Length of each recording, [N], s; infinite where it is not known: then it is taken as whole."""
        return np.frombuffer(self._durations, np.float64)

    @property
    def thresholds(self) -> Array:
        """Threshold of each, [N]; NaN where nothing is decided."""
        return np.frombuffer(self._thresholds, np.float64)

    @property
    def is_decided(self) -> npt.NDArray[np.bool_]:
        """Whether anything was decided of each, [N]."""
        decided: npt.NDArray[np.bool_] = np.frombuffer(self._decisions, np.int8) != _UNDECIDED
        return decided

    @property
    def is_anomaly(self) -> npt.NDArray[np.bool_]:
        """Whether each is flagged, [N]; False where nothing was decided."""
        flagged: npt.NDArray[np.bool_] = np.frombuffer(self._decisions, np.int8) == 1
        return flagged


def streams_of(
    records: Iterable[Record], on_lines: Callable[[int], object] = lambda _: None
) -> tuple[list[Stream], int]:
    """Group a table by machine.

    Parameters
    ----------
    records : iterable of Record
        Lines of a table; read once, and not kept.
    on_lines : callable
        Called now and then with the number of lines that were read.

    Returns
    -------
    streams : list of Stream
        One a machine, in the order in which they come.
    n_lines : int
        Lines of the table, those without a score as well.
    """
    found: dict[str, Stream] = {}
    n_lines = 0
    for n_lines, record in enumerate(records, 1):
        if record.score is not None and record.scope not in FILE_SCOPES:  # of whole files: of no moment
            machine = record.machine or ""
            if machine not in found:
                found[machine] = Stream(machine)
            found[machine].add(n_lines - 1, record)
        if n_lines % _LINES == 0:
            on_lines(n_lines)
    on_lines(n_lines)
    return list(found.values()), n_lines


def _or_nan(number: float | None) -> float:
    return math.nan if number is None else number
