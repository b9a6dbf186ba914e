"""Lines of the windows of a stream: those that a file with the same sound would have."""

from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from osscl.audio.recorded_at import moved
from osscl.audio.samples import Samples
from osscl.audio.silence import silence_of
from osscl.scoring.record import WINDOW, Record, short_float, undecided_by
from osscl.scoring.scores import Scores

_Z_COLUMNS = ("z_level", "z_modulation", "z_flutter", "z_event")


class WindowLines(NamedTuple):
    """What all windows of a stream have in common.

    Attributes
    ----------
    name : str
        What stands in the place of a file's path.
    machine : str
        Whose sound it is.
    rate_hz : int
        Sample rate.
    misfit : str or None
        Why nothing can be decided of whole windows; None where it can.
    """

    name: str
    machine: str
    rate_hz: int
    misfit: str | None

    def of(self, start: int, clip: Samples, began: str | None, scores: Scores, at: int) -> Record:
        """Make the line of a window.

        Parameters
        ----------
        start : int
            Its first sample.
        clip : ndarray of int16 or float32, [n_samples]
            Its samples.
        began : str or None
            When sample 0 was recorded, ISO 8601.
        scores : Scores
            Of several windows.
        at : int
            Which of them it is.

        Returns
        -------
        Record
            The line.
        """
        start_s, silence = start / self.rate_hz, silence_of(clip)
        said = f"{silence}: a dead microphone or channel?" if silence is not None else None
        record = Record(
            path=self.name,
            machine=self.machine,
            status="ok" if silence is None else "silent",
            reason=said,
            start_s=start_s,
            duration_s=len(clip) / self.rate_hz,
            sample_rate_hz=self.rate_hz,
            recorded_at=None if began is None else moved(began, start_s),
            quality=scores.quality[at] if silence is None else None,
            scope=WINDOW,
        )
        return _decided(_scored(record, scores, at), scores, at, self.misfit)


def _scored(record: Record, scores: Scores, at: int) -> Record:
    score = scores.score[at]
    if not np.isfinite(score):
        return replace(record, status="no_score", reason=f"the model gives {score} for this clip")
    z = [None if np.isnan(each) else short_float(each) for each in scores.z[at]]
    by_block = dict(zip(_Z_COLUMNS, z, strict=True))
    return replace(record, score=short_float(score), rule=scores.rule[at], **by_block)


def _decided(record: Record, scores: Scores, at: int, misfit: str | None) -> Record:
    if record.score is None:
        return record
    if misfit is not None:
        record = replace(record, reason=misfit if record.reason is None else f"{record.reason}; {misfit}")
        return undecided_by(record, scores.undecided[at])
    p_value, threshold = float(scores.p_value[at]), float(scores.threshold[at])
    decision = scores.is_anomaly[at]
    decided = replace(
        record,
        p_value=None if np.isnan(p_value) else p_value,
        threshold=None if np.isnan(threshold) else threshold,
        is_anomaly=None if decision is np.ma.masked else bool(decision),
    )
    return undecided_by(decided, scores.undecided[at])
