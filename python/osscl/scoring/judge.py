"""How clips of one machine are scored and decided: by the network, by a memory of the machine, or by both."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace as struct_with

from osscl.audio.doubts import BY_FIXED_BOUNDS, Doubter
from osscl.config import Padding
from osscl.decisions import (
    EmbeddingMemory,
    Memory,
    RobustScale,
    both,
    decide,
    log_score,
    smallest_rate,
    too_few_recordings,
)
from osscl.machines.domains import Domain
from osscl.model_file.decisions import Rule
from osscl.scoring.record import Record

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
        See `separating`; NaN where nothing is decided.
    is_anomaly : ndarray of bool, [B], or None
        None where nothing is decided.
    """

    score: npt.NDArray[np.float64]
    z: npt.NDArray[np.float64] | None
    p_value: npt.NDArray[np.float64]
    threshold: float
    is_anomaly: npt.NDArray[np.bool_] | None

    def on(self, record: Record, at: int) -> Record:
        """Put the decision of a clip on its line.

        Parameters
        ----------
        record : Record
            The line, without a decision.
        at : int
            Which of the clips.

        Returns
        -------
        Record
            With p-value, threshold and decision, where there are some.
        """
        p_value = float(self.p_value[at])
        return struct_with(
            record,
            p_value=None if np.isnan(p_value) else p_value,
            threshold=None if self.is_anomaly is None else self.threshold,
            is_anomaly=None if self.is_anomaly is None else bool(self.is_anomaly[at]),
        )


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
    rule : {"network", "memory", "both", "embedding"}
        Which score decides.
    labels : tuple of int
        Its classes of the network; none where the network does not know the machine, or is not asked.
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
    doubter : Doubter
        Tells why to doubt recordings of the machine.
    domain : {"source", "target"} or None
        Domain of the memory; None where the machine has one for all clips.
    embeddings : EmbeddingMemory or None
        Its memory of embeddings, for "embedding".
    """

    machine: str
    rule: Rule
    labels: tuple[int, ...] = ()
    memory: Memory | None = None
    network_scale: RobustScale | None = None
    normal: NormalScores | None = None
    asked_rate: float | None = None
    uncalibrated: str | None = field(default=None)
    padding: Padding | None = None
    caveat: str | None = None
    doubter: Doubter = BY_FIXED_BOUNDS
    domain: Domain | None = None
    embeddings: EmbeddingMemory | None = None

    @property
    def n_recordings(self) -> int:
        """Normal recordings that decide; 0 where the rule is not calibrated."""
        return 0 if self.normal is None else len(set(self.normal.recordings))

    def nearest(self, features: FloatArray) -> Sequence["Judge"]:
        """Name the judge whose memory scores each clip [B, 360], [B]: of several, see `EitherDomain`."""
        return [self] * len(features)

    @property
    def needs_network(self) -> bool:
        """Whether the network is needed: for its score, or for the embedding."""
        return self.rule != "memory"

    @property
    def needs_memory(self) -> bool:
        """Whether the features are needed."""
        return self.rule in ("memory", "both")

    @property
    def compares_clips(self) -> bool:
        """Whether clips are compared with those of a memory, and must be filled up as these were."""
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
        return too_few_recordings(self.n_recordings, self.rate)

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
        if not self.compares_clips or padding == self.padding:
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
            What the network says, where it is needed, see `osscl.scoring.by_network`.
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
        return self.decide(score, z)

    @cached_property
    def _memory_scale(self) -> RobustScale:
        assert self.memory is not None
        return RobustScale.of(self.memory.calibration_scores)

    def _of_both(
        self, by_memory: npt.NDArray[np.float64], by_network: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        assert self.network_scale is not None
        return both(self._memory_scale.z(by_memory), self.network_scale.z(log_score(by_network)))

    def decide(self, score: FloatArray, z: npt.NDArray[np.float64] | None = None) -> Judged:
        """Decide clips that have their score.

        Parameters
        ----------
        score : ndarray of float, [B]
            Scores by this rule; what counts is what a table holds of them, a float32.
        z : ndarray of float64, [B, 4], optional
            Goes into the result as it is.

        Returns
        -------
        Judged
            Decisions, where there are some.
        """
        written = score.astype(np.float32).astype(np.float64)
        nothing = np.full(len(written), np.nan)
        if self.normal is None or not np.isfinite(written).all():
            return Judged(written, z, nothing, np.nan, None)
        found = decide(self.normal.scores, written, self.rate, self.normal.recordings)
        return Judged(written, z, found.p_value, separating(found.threshold), found.is_anomaly)


def separating(threshold: float) -> float:
    """Round a threshold up, to where float32 scores are told apart however they are read.

    A table of text holds the shortest digits that give a float32 back. Read as float64 they are another
    number than the float32, a little above or below; a threshold between the two would decide differently.

    Parameters
    ----------
    threshold : float
        Of float64 scores; NaN stays NaN.

    Returns
    -------
    float
        ``score >= threshold`` says of a float32 and of its digits what it says of the float32 and the given
        threshold.
    """
    if np.isnan(threshold):
        return threshold
    least = np.float32(threshold)
    if float(least) < threshold:
        least = np.nextafter(least, np.float32(np.inf))
    return min(float(least), float(str(least)))
