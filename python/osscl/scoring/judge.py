"""How clips of one machine are scored and decided: by the network, by the machine's memory, or by both."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from osscl.config import Padding
from osscl.decisions import Memory, RobustScale, both, decide, log_score, smallest_rate, too_few_recordings
from osscl.model_file.decisions import Rule

DEFAULT_RATE = 0.05
"""False-alarm rate where none is asked for."""

_KINDS: dict[Padding | None, str] = {
    None: "whole",
    "repeat": "filled up (repeat)",
    "zero": "filled up (zero)",
}

FloatArray = npt.NDArray[np.floating[Any]]


class Judged(NamedTuple):
    """What a judge makes of B clips.

    Attributes
    ----------
    score : ndarray of float64, [B]
        The score that decides.
    z : ndarray of float64, [B, 4], or None
        What the memory's blocks say; None without a memory.
    p_value : ndarray of float64, [B]
        NaN where the machine is not calibrated.
    threshold : float
        NaN where nothing is decided.
    is_anomaly : ndarray of bool, [B], or None
        None where nothing is decided.
    """

    score: npt.NDArray[np.float64]
    z: npt.NDArray[np.float64] | None
    p_value: npt.NDArray[np.float64]
    threshold: float
    is_anomaly: npt.NDArray[np.bool_] | None


class NormalScores(NamedTuple):
    """Scores of normal clips by the rule that decides, and the recording of each."""

    scores: FloatArray
    recordings: Sequence[str]


@dataclass(frozen=True, eq=False)
class Judge:
    """Scores and decides clips of one machine.

    Attributes
    ----------
    machine : str
        Its ID.
    rule : {"network", "memory", "both"}
        Which score decides.
    label : int or None
        Class of the network; None where the network does not know the machine, or is not asked.
    memory : Memory or None
        Its memory, where the rule needs one.
    network_scale : RobustScale or None
        Of the logarithm of the network's score, for "both".
    normal : NormalScores or None
        What decides; None where the rule is not calibrated.
    asked_rate : float or None
        False-alarm rate asked for; None for 5 %, or the smallest that can be had.
    uncalibrated : str or None
        Why there are no normal scores.
    padding : {"repeat", "zero"} or None
        How the memory's recordings were filled up; None where they were whole.
    caveat : str or None
        Why no false-alarm rate is guaranteed although the rule is calibrated.
    """

    machine: str
    rule: Rule
    label: int | None = None
    memory: Memory | None = None
    network_scale: RobustScale | None = None
    normal: NormalScores | None = None
    asked_rate: float | None = None
    uncalibrated: str | None = field(default=None)
    padding: Padding | None = None
    caveat: str | None = None

    @property
    def needs_network(self) -> bool:
        """Whether the network's score is needed."""
        return self.rule != "memory"

    @property
    def needs_memory(self) -> bool:
        """Whether the features are needed."""
        return self.rule != "network"

    @cached_property
    def rate(self) -> float:
        """False-alarm rate that is decided at."""
        if self.asked_rate is not None or self.normal is None:
            return DEFAULT_RATE if self.asked_rate is None else self.asked_rate
        return max(DEFAULT_RATE, smallest_rate(self.normal.recordings))

    @cached_property
    def undecided(self) -> str | None:
        """Why nothing is decided; None where something is."""
        if self.normal is None:
            return self.uncalibrated
        return too_few_recordings(len(set(self.normal.recordings)), self.rate)

    def misfit(self, padding: Padding | None) -> str | None:
        """Say why nothing can be decided of a clip that was filled up in another way than the memory's.

        Parameters
        ----------
        padding : {"repeat", "zero"} or None
            How the clip was filled up; None where it is whole.

        Returns
        -------
        str or None
            One sentence; None where they agree, or no memory is asked.
        """
        if not self.needs_memory or padding == self.padding:
            return None
        return (
            f"no decision: the recording is {_KINDS[padding]}, and the memory of {self.machine} is of "
            f"recordings that are {_KINDS[self.padding]}"
        )

    def judge(self, network_scores: FloatArray | None = None, features: FloatArray | None = None) -> Judged:
        """Score and decide clips.

        Parameters
        ----------
        network_scores : ndarray of float, [B], optional
            What the network says, where it is needed.
        features : ndarray of float, [B, 360], optional
            The clips' features, where they are needed.

        Returns
        -------
        Judged
            Scores, and decisions where there are some.
        """
        z = None
        score = np.empty(0)
        if self.needs_network:
            assert network_scores is not None
            score = network_scores.astype(np.float64)
        if self.needs_memory:
            assert self.memory is not None
            assert features is not None
            by_memory, *parts = self.memory.score(features)
            z = np.stack(parts, axis=1)  # [B, 4]
            score = by_memory if self.rule == "memory" else self._of_both(by_memory, score)
        return self._decided(score, z)

    def _of_both(
        self, by_memory: npt.NDArray[np.float64], by_network: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        assert self.memory is not None
        assert self.network_scale is not None
        memory_scale = RobustScale.of(self.memory.calibration_scores)
        return both(memory_scale.z(by_memory), self.network_scale.z(log_score(by_network)))

    def _decided(self, score: npt.NDArray[np.float64], z: npt.NDArray[np.float64] | None) -> Judged:
        score = score.astype(np.float32).astype(np.float64)  # as it is written: a table can be decided anew
        nothing = np.full(len(score), np.nan)
        if self.normal is None or not np.isfinite(score).all():
            return Judged(score, z, nothing, np.nan, None)
        found = decide(self.normal.scores, score, self.rate, self.normal.recordings)
        return Judged(score, z, found.p_value, found.threshold, found.is_anomaly)
