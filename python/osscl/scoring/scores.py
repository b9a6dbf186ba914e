"""What scoring a batch of waveforms gives."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from osscl.scoring.judge import Judged
from osscl.scoring.record import short_float


class ClipScore(NamedTuple):
    """What is said of one clip of a batch.

    Attributes
    ----------
    machine : str
        Machine ID that it claims to be.
    score : float
        The anomaly score that decides, the shortest digits of its float32: that of a `Record`, to the bit.
    p_value, threshold : float or None
        None where nothing is decided.
    is_anomaly : bool or None
        The decision; None where there is none.
    rule : str
        Which score decides.
    quality : str or None
        Why to doubt the recording itself.
    undecided : str or None
        Why nothing is decided; None where something is.
    """

    machine: str
    score: float
    p_value: float | None
    threshold: float | None
    is_anomaly: bool | None
    rule: str
    quality: str | None
    undecided: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Anomaly scores of a batch, and decisions where there are some; iterated, a `ClipScore` a clip.

    Nothing is decided where a machine has neither a memory nor a calibration, or too few normal recordings:
    there `p_value` and `threshold` are NaN, `is_anomaly` is masked, and `undecided` says why.

    Attributes
    ----------
    machine : tuple of str
        Machine ID that each clip claims to be.
    score : ndarray of float32, [B]
        The anomaly score that decides; higher is more anomalous. In nats by the rule "network"; else without
        a unit, in spreads of the machine's normal clips.
    p_value : ndarray of float64, [B]
        Share of normal recordings of this machine that score at least as high, in (0, 1].
    threshold : ndarray of float64, [B]
        Score from which a clip counts as anomalous.
    is_anomaly : masked array of bool, [B]
        Whether each score reaches its threshold.
    rule : list of str
        Which score decides of each clip: "network", "memory", "both" or "embedding".
    z : ndarray of float32, [B, 4]
        What the memory's blocks level, modulation, flutter and event say; NaN where no memory was asked.
    quality : list of str or None, [B]
        Why to doubt each recording itself; None where it is well. Its decision stands all the same.
    undecided : list of str or None, [B]
        Why nothing is decided of each clip; None where something is.
    """

    machine: tuple[str, ...]
    score: npt.NDArray[np.float32]
    p_value: npt.NDArray[np.float64]
    threshold: npt.NDArray[np.float64]
    is_anomaly: "np.ma.MaskedArray[tuple[int], np.dtype[np.bool_]]"
    rule: list[str]
    z: npt.NDArray[np.float32]
    quality: list[str | None]
    undecided: list[str | None]

    @classmethod
    def empty(cls, machine: tuple[str, ...]) -> "Scores":
        """Make room for the clips of some machines.

        Parameters
        ----------
        machine : tuple of str
            Machine ID of each clip.

        Returns
        -------
        Scores
            With nothing known.
        """
        n = len(machine)
        return cls(
            machine,
            np.full(n, np.nan, np.float32),
            np.full(n, np.nan),
            np.full(n, np.nan),
            np.ma.array(np.zeros(n, np.bool_), mask=True),
            [""] * n,
            np.full((n, 4), np.nan, np.float32),
            [None] * n,
            [None] * n,
        )

    def __len__(self) -> int:
        return len(self.machine)

    def __iter__(self) -> Iterator[ClipScore]:
        return map(self._clip, range(len(self)))

    def _clip(self, place: int) -> ClipScore:
        return ClipScore(
            self.machine[place],
            short_float(self.score[place]),
            _known(self.p_value[place]),
            _known(self.threshold[place]),
            None if self.is_anomaly[place] is np.ma.masked else bool(self.is_anomaly[place]),
            self.rule[place],
            self.quality[place],
            self.undecided[place],
        )

    def part(self, first: int, end: int) -> "Scores":
        """Take some of the clips, in order.

        Parameters
        ----------
        first, end : int
            Number of the first one, and of the first one after them.

        Returns
        -------
        Scores
            Views of the same arrays.
        """
        return Scores(*(getattr(self, each.name)[first:end] for each in fields(self)))

    def undecide(self, place: int, why: str) -> None:
        """Take back what was decided of a clip of which nothing can be decided.

        Parameters
        ----------
        place : int
            Its number in the batch.
        why : str
            The reason.
        """
        before = self.undecided[place]
        self.undecided[place] = why if before is None else f"{before}; {why}"
        self.p_value[place] = self.threshold[place] = np.nan
        self.is_anomaly[place] = np.ma.masked

    def put(self, places: Sequence[int], rule: str, judged: Judged, undecided: str | None = None) -> None:
        """Enter what was found of some clips.

        Parameters
        ----------
        places : sequence of int
            Their numbers in the batch.
        rule : str
            Which score decides of them.
        judged : Judged
            What was found.
        undecided : str, optional
            Why nothing is decided of their machine.
        """
        at = list(places)
        self.score[at] = judged.score
        self.p_value[at] = judged.p_value
        if judged.is_anomaly is not None:
            self.threshold[at] = judged.threshold
            self.is_anomaly[at] = judged.is_anomaly
        if judged.z is not None:
            self.z[at] = judged.z
        for place in places:
            self.rule[place] = rule
            self.undecided[place] = undecided


def _known(number: np.float64) -> float | None:
    return None if np.isnan(number) else float(number)
