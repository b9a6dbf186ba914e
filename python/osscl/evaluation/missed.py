"""Anomalous clips that were missed: not flagged, or no more anomalous than normal ones by their score."""

from collections.abc import Iterable

import msgspec
import numpy as np

from osscl.evaluation.labelled import LabelledScore


class MissedClip(msgspec.Struct, frozen=True):
    """An anomalous clip that was not found.

    Attributes
    ----------
    machine : str
        Machine ID.
    name : str
        File name, without folder.
    score : float
        Its score.
    """

    machine: str
    name: str
    score: float


def missed_of(clips: Iterable[LabelledScore]) -> list[MissedClip] | None:
    """Find the anomalous clips that were not flagged.

    Parameters
    ----------
    clips : iterable of LabelledScore
        The clips.

    Returns
    -------
    list of MissedClip or None
        In their order; None where nothing was decided of any clip.
    """
    decided = [clip for clip in clips if clip.was_flagged is not None]
    if not decided:
        return None
    return [_missed(clip) for clip in decided if clip.is_anomaly and not clip.was_flagged]


def unheard_of(clips: Iterable[LabelledScore]) -> list[MissedClip]:
    """Find the anomalous clips whose scores say nothing of an anomaly.

    Parameters
    ----------
    clips : iterable of LabelledScore
        The clips.

    Returns
    -------
    list of MissedClip
        Those that score lower than half of the normal clips of their machine, in their order.
    """
    clips = list(clips)
    normal: dict[str, list[float]] = {}
    for clip in clips:
        if not clip.is_anomaly:
            normal.setdefault(clip.machine, []).append(clip.score)
    middle = {machine: float(np.median(scores)) for machine, scores in normal.items()}
    return [
        _missed(clip)
        for clip in clips
        if clip.is_anomaly and clip.machine in middle and clip.score < middle[clip.machine]
    ]


def _missed(clip: LabelledScore) -> MissedClip:
    return MissedClip(clip.machine, clip.name, clip.score)
