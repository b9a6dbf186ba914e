"""Scores of normal clips by the rule both: each clip as one of a new recording would be scored."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from osscl.audio.reading import Fit
from osscl.config import FEATURES
from osscl.decisions import Memory, RobustScale, both, left_out_z, log_score
from osscl.decisions.staircase import MIN_RECORDINGS
from osscl.enrolment.normals import Normal
from osscl.errors import DecisionError
from osscl.model_file.decisions import FitOptions, StoredMemory

_AGAIN = "enroll it again"


class BothScores(NamedTuple):
    """Scores of normal clips by the rule both.

    Attributes
    ----------
    score : ndarray of float64, [N]
        The larger z of each.
    scale : RobustScale
        Of the logarithm of the network's scores of all.
    """

    score: npt.NDArray[np.float64]
    scale: RobustScale


def refuse_unlike(stored: StoredMemory | None, normals: Sequence[Normal], fit: Fit) -> StoredMemory:
    """Refuse a memory that cannot be calibrated together with the network on these clips.

    Parameters
    ----------
    stored : StoredMemory or None
        The machine's memory.
    normals : sequence of Normal
        Its clips.
    fit : Fit
        How their recordings were made to fit.

    Returns
    -------
    StoredMemory
        The memory.

    Raises
    ------
    DecisionError
        There is none; or it is of other features, was made of recordings that were made to fit in another
        way, or counts recordings in another way.
    """
    if stored is None:
        raise DecisionError("it has no memory; make one by osscl enroll first")
    if stored.features_sha256 != FEATURES.sha256:
        raise DecisionError(f"its memory is of other features than this osscl computes; {_AGAIN}")
    how = FitOptions(resample=fit.resample, channel=fit.channel, pad=fit.pad)
    if stored.fit != how or stored.is_padded != normals[0].clip.is_padded:
        raise DecisionError(
            "its memory is of recordings that were made to fit in another way (--resample, --channel, "
            f"--pad); read these likewise, or {_AGAIN}"
        )
    if len({clip.recording for clip in stored.clips}) < MIN_RECORDINGS:
        raise DecisionError(
            f"its memory has fewer than {MIN_RECORDINGS} recordings, so that none can be left out; {_AGAIN} "
            "with more"
        )
    _refuse_other_recordings(stored, normals)
    return stored


def _refuse_other_recordings(stored: StoredMemory, normals: Sequence[Normal]) -> None:
    """Clips that are here and in the memory must fall into the same groups: a group is left out of both."""
    recording_of = {clip.sha256: clip.recording for clip in (*stored.clips, *stored.held_out)}
    pairs = {
        (normal.recording, recording_of[normal.clip.sha256])
        for normal in normals
        if normal.clip.sha256 in recording_of
    }
    if len({here for here, _ in pairs}) < len(pairs) or len({there for _, there in pairs}) < len(pairs):
        raise DecisionError(
            "its memory says otherwise which clips belong to one recording; give --recording as it was "
            f"enrolled, or {_AGAIN}"
        )


def without_siblings(stored: StoredMemory, normals: Sequence[Normal]) -> list[Normal]:
    """Leave out clips that are not in the memory but whose recordings are: it knows them too well.

    Parameters
    ----------
    stored : StoredMemory
        The memory.
    normals : sequence of Normal
        Clips of the machine.

    Returns
    -------
    list of Normal
        Those that can calibrate.
    """
    known = {clip.sha256 for clip in (*stored.clips, *stored.held_out)}
    remembered = {clip.sha256 for clip in stored.clips}
    of_memory = {clip.recording for clip in stored.clips}
    of_memory |= {normal.recording for normal in normals if normal.clip.sha256 in remembered}
    return [each for each in normals if each.clip.sha256 in known or each.recording not in of_memory]


def both_scores(
    memory: Memory, stored: StoredMemory, normals: Sequence[Normal], network_scores: npt.NDArray[np.float64]
) -> BothScores:
    """Score normal clips by the rule both, each without its own recording.

    Parameters
    ----------
    memory : Memory
        The machine's.
    stored : StoredMemory
        The same as a file holds it.
    normals : sequence of Normal, [N]
        Clips of the machine.
    network_scores : ndarray of float64, [N]
        What the network says of them, nats.

    Returns
    -------
    BothScores
        What calibrates.

    Raises
    ------
    DecisionError
        Scores have no spread, or there are fewer than 2 recordings.
    """
    logarithms = log_score(network_scores)
    by_network = left_out_z(logarithms, [normal.recording for normal in normals])
    by_memory = RobustScale.of(memory.calibration_scores).z(_left_out_of_memory(memory, stored, normals))
    return BothScores(both(by_memory, by_network), RobustScale.of(logarithms))


def _left_out_of_memory(
    memory: Memory, stored: StoredMemory, normals: Sequence[Normal]
) -> npt.NDArray[np.float64]:
    """Score of each clip by the memory without its recording, [N]."""
    left_out = {clip.sha256: score for clip, score in zip(stored.clips, memory.leave_one_out, strict=True)}
    held_out = zip(stored.held_out, memory.held_out_scores, strict=True)
    left_out |= {clip.sha256: score for clip, score in held_out}
    as_new = memory.score(np.stack([normal.clip.features for normal in normals])).score
    return np.array(
        [left_out.get(normal.clip.sha256, new) for normal, new in zip(normals, as_new, strict=True)]
    )
