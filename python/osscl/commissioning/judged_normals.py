"""Normal recordings as lines of a table, each judged by the memory of all others."""

from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace

from osscl.decisions import EmbeddingMemory, Memory, decide, smallest_rate
from osscl.decisions.staircase import MIN_RECORDINGS
from osscl.scoring.judge import Judge, NormalScores, separating
from osscl.scoring.record import Record, short_float


@dataclass(frozen=True, eq=False)
class LeftOutClips:
    """The clips that a memory is fitted to, each judged by a memory without its recording.

    A clip is nearer to a memory that holds it than any new clip can be: its own score says nothing.

    Attributes
    ----------
    judge : Judge
        Decides by the memory, of features or of embeddings.
    row_of : dict of str to int
        Row of the memory that a clip stands in, by the beginning of its hash.
    """

    judge: Judge
    row_of: dict[str, int]

    def judged(self, record: Record, sha256: str) -> Record:
        """Judge a clip by the others.

        Parameters
        ----------
        record : Record
            Its line, as scored by the memory that holds it.
        sha256 : str
            Beginning of the clip's hash.

        Returns
        -------
        Record
            The line with its leave-one-out score, decided by the recordings of the others; as it is where the
            memory does not hold the clip.
        """
        row = self.row_of.get(sha256)
        if row is None:
            return record
        memory = self._memory
        score = np.float32(memory.leave_one_out[row])
        z = {}
        if isinstance(memory, Memory):
            left_out = memory.fitted.left_out_z.items()
            z = {f"z_{name}": short_float(of_all[row]) for name, of_all in left_out}
        line = replace(record, score=short_float(score), p_value=None, threshold=None, is_anomaly=None, **z)
        others = self._others(row)
        if len(set(others.recordings)) < MIN_RECORDINGS:
            return line
        rate = max(self.judge.rate, smallest_rate(others.recordings))
        found = decide(others.scores, [float(score)], rate, others.recordings)
        return replace(
            line,
            p_value=float(found.p_value[0]),
            threshold=separating(found.threshold),
            is_anomaly=None if found.is_anomaly is None else bool(found.is_anomaly[0]),
        )

    @property
    def _memory(self) -> Memory | EmbeddingMemory:
        memory = self.judge.memory or self.judge.embeddings
        assert memory is not None
        return memory

    def _others(self, row: int) -> NormalScores:
        """Normal scores of other recordings: of those that were held out, where there are some."""
        memory = self._memory
        if memory.is_guaranteed:
            return NormalScores(memory.held_out_scores, memory.held_out_recordings)
        rows = [other for other, name in enumerate(memory.recordings) if name != memory.recordings[row]]
        return NormalScores(memory.leave_one_out[rows], [memory.recordings[other] for other in rows])
