"""Memories that are there already: added to, made to forget, made smaller."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec.structs import asdict, replace

from osscl.audio.reading import Fit
from osscl.decisions import EmbeddingMemory, Memory, decide, smallest_rate
from osscl.enrolment.kinds import rows_of
from osscl.enrolment.normals import Normal
from osscl.enrolment.remembered import FLOAT64, Remembered, fitted, stored_clip
from osscl.errors import DecisionError
from osscl.model_file.decisions import AnyBackground, FitOptions, StoredClip, StoredMemory, StoredNormals
from osscl.model_file.restored import restored_measures, restored_normals
from osscl.scoring.judge import DEFAULT_RATE
from osscl.support.plurals import counted, verb


def added_to(
    old: StoredNormals,
    normals: Sequence[Normal],
    fit: Fit,
    background: AnyBackground | None,
    false_alarm_rate: float | None = None,
) -> Remembered:
    """Put further normal clips into a memory.

    Where the memory holds clips that calibrate it, the new ones do that too, and it is fitted to the same
    clips as before.

    Parameters
    ----------
    old : StoredMemory or StoredEmbeddings
        The memory so far.
    normals : sequence of Normal
        Different clips; those that it holds already change nothing.
    fit : Fit
        How their recordings were made to fit.
    background : StoredBackground or StoredEmbeddingBackground or None
        How clips of other machines vary.
    false_alarm_rate : float, optional
        At which the memory so far is asked about them.

    Returns
    -------
    Remembered
        The memory from now on.

    Raises
    ------
    DecisionError
        The clips were made to fit in another way than those that it holds.
    """
    _refuse_another_fit(old, normals, fit)
    before = restored_normals(old, background)
    known = {clip.sha256 for clip in (*old.clips, *old.held_out)}
    new = [normal for normal in normals if normal.clip.sha256 not in known]
    if not new:
        return Remembered(old, before)
    rows = rows_of(old, new)
    is_anomaly = _called_anomalous(before, rows, false_alarm_rate)
    clips = [stored_clip(normal, flagged=flag) for normal, flag in zip(new, is_anomaly, strict=True)]
    flagged = tuple(clip.sha256 for clip in clips if clip.flagged)
    if old.held_out:
        return _calibrated_further(old, rows, clips, flagged, background)
    every = np.concatenate([before.rows, rows])
    known_measures = _measures_of(old)
    measures = None
    if known_measures is not None:
        measures = np.concatenate([known_measures, np.stack([normal.clip.measures for normal in new])])
    made = fitted(old, every, [*old.clips, *clips], background, measures)
    return Remembered(made.stored, made.memory, flagged, made.n_set_aside)


def without(old: StoredNormals, forgotten: Collection[str], background: AnyBackground | None) -> Remembered:
    """Take clips out of a memory.

    Parameters
    ----------
    old : StoredMemory or StoredEmbeddings
        The memory so far.
    forgotten : collection of str
        Hashes of clips.
    background : StoredBackground or StoredEmbeddingBackground or None
        How clips of other machines vary.

    Returns
    -------
    Remembered
        The memory from now on.

    Raises
    ------
    DecisionError
        Fewer than 3 clips would be left.
    """
    stays = [place for place, clip in enumerate(old.clips) if clip.sha256 not in forgotten]
    if len(stays) == len(old.clips):
        kept = [place for place, clip in enumerate(old.held_out) if clip.sha256 not in forgotten]
        return with_held_out(old, kept, background)
    try:
        made = with_fitted(old, stays, background)
    except DecisionError as error:
        raise DecisionError(f"a memory cannot forget so much: {error}") from None
    notes: tuple[str, ...] = ()
    if old.held_out:
        notes = (
            f"{old.owner}: {counted(len(old.held_out), 'clip')} that calibrated the memory "
            f"{verb(len(old.held_out), 'is', 'are')} no longer valid "
            "without those that it forgot; it decides by leaving out its own clips in turn. Enroll all "
            "recordings again to have them back",
        )
    return Remembered(made.stored, made.memory, notes=notes)


def with_held_out(old: StoredNormals, kept: Sequence[int], background: AnyBackground | None) -> Remembered:
    """Keep some of the clips that calibrate a memory.

    Parameters
    ----------
    old : StoredMemory or StoredEmbeddings
        The memory so far.
    kept : sequence of int
        Places of the clips that calibrate it from now on.
    background : StoredBackground or StoredEmbeddingBackground or None
        How clips of other machines vary.

    Returns
    -------
    Remembered
        The memory from now on; without any, it decides by leaving out its own clips in turn.
    """
    scores = np.frombuffer(old.held_out_scores, FLOAT64)[list(kept)]
    stored = replace(old, held_out=tuple(old.held_out[i] for i in kept), held_out_scores=scores.tobytes())
    return Remembered(stored, restored_normals(stored, background))


def with_fitted(old: StoredNormals, kept: Sequence[int], background: AnyBackground | None) -> Remembered:
    """Fit a memory to some of its clips, and decide by leaving these out in turn.

    Parameters
    ----------
    old : StoredMemory or StoredEmbeddings
        The memory so far.
    kept : sequence of int
        Places of the clips that stay.
    background : StoredBackground or StoredEmbeddingBackground or None
        How clips of other machines vary.

    Returns
    -------
    Remembered
        The memory from now on.
    """
    rows = restored_normals(old, background).rows[list(kept)]
    clips = [old.clips[place] for place in kept]
    known = _measures_of(old)
    measures = None if known is None else known[list(kept)]
    return fitted(old, rows, clips, background, measures)


def _calibrated_further(
    old: StoredNormals,
    rows: npt.NDArray[np.floating[Any]],
    clips: list[StoredClip],
    flagged: tuple[str, ...],
    background: AnyBackground | None,
) -> Remembered:
    """Let clips [n, size] calibrate a memory that others calibrate already."""
    of_fitted = {clip.recording for clip in old.clips}
    kept = [place for place, clip in enumerate(clips) if clip.recording not in of_fitted]
    scores = restored_normals(old, background).scores_of(rows[kept]) if kept else np.empty(0)
    stored = replace(
        old,
        held_out=(*old.held_out, *(clips[place] for place in kept)),
        held_out_scores=old.held_out_scores + scores.astype(FLOAT64).tobytes(),
    )
    note = (
        f"{old.owner}: its memory stays fitted to the same {counted(len(old.clips), 'clip')}, of more than "
        f"512; the {counted(len(kept), 'new one')} {verb(len(kept), 'calibrates', 'calibrate')} it. To fit "
        "it "
        f"anew, enroll all recordings together"
    )
    memory = restored_normals(stored, background)
    return Remembered(stored, memory, flagged, len(clips) - len(kept), (note,))


def _called_anomalous(
    memory: Memory | EmbeddingMemory, rows: npt.NDArray[np.floating[Any]], false_alarm_rate: float | None
) -> npt.NDArray[np.bool_]:
    """Whether a memory calls clips [n, size] anomalous, [n]; none where it can decide nothing."""
    recordings = memory.calibration_recordings
    rate = false_alarm_rate or max(DEFAULT_RATE, smallest_rate(recordings))
    scores = memory.scores_of(rows).astype(np.float32)  # as osscl score writes them
    found = decide(memory.calibration_scores, scores.astype(np.float64), rate, recordings)
    return np.zeros(len(rows), np.bool_) if found.is_anomaly is None else found.is_anomaly


def _measures_of(stored: StoredNormals) -> npt.NDArray[np.float32] | None:
    """What the stored clips say of their recordings, [n, 6], where it is kept."""
    return restored_measures(stored) if isinstance(stored, StoredMemory) else None


def _refuse_another_fit(old: StoredNormals, normals: Sequence[Normal], fit: Fit) -> None:
    now = FitOptions(resample=fit.resample, channel=fit.channel, pad=fit.pad)
    if now != old.fit:
        raise DecisionError(
            f"{old.owner}: its memory was made with {_spelled(old.fit)}, and these recordings are read "
            f"with {_spelled(now)}; add them by the same options, or enroll all again"
        )
    if normals[0].clip.is_padded != old.is_padded:
        kinds = ("whole", "filled-up")
        raise DecisionError(
            f"{old.owner}: its memory is of {kinds[old.is_padded]} recordings and these are "
            f"{kinds[not old.is_padded]} ones, which are different sounds to a memory; leave them out"
        )


def _spelled(fit: FitOptions) -> str:
    """The options as they are typed."""
    given = {name: value for name, value in asdict(fit).items() if value is not None and value is not False}
    words: list[Any] = [
        f"--{name}" if value is True else f"--{name} {value}" for name, value in given.items()
    ]
    return " ".join(words) or "no option that makes recordings fit"
