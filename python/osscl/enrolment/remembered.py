"""A memory as it is stored, with the clips that it is made of: made anew, added to, and made to forget."""

import datetime
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np

from osscl.audio.reading import Fit
from osscl.config import FEATURES
from osscl.decisions import Background, Memory, StoredArrays
from osscl.enrolment.normals import Normal
from osscl.errors import DecisionError
from osscl.model_file.decisions import FitOptions, StoredClip, StoredMemory
from osscl.scoring.judge import DEFAULT_RATE

SEED = 0
"""Of the draw of clips where there are more than 512."""
_FLOAT64 = "<f8"


@dataclass(frozen=True, eq=False)
class Remembered:
    """A machine's memory.

    Attributes
    ----------
    stored : StoredMemory
        As a model file holds it.
    memory : Memory
        As it computes.
    flagged : tuple of str
        Hashes of clips that were added although the memory had called them anomalous.
    n_set_aside : int
        Clips that are neither stored nor calibrate: others of their recordings are stored.
    notes : tuple of str
        What is to be said of how it came about.
    """

    stored: StoredMemory
    memory: Memory
    flagged: tuple[str, ...] = ()
    n_set_aside: int = 0
    notes: tuple[str, ...] = field(default=())

    @property
    def is_guaranteed(self) -> bool:
        """Whether its false-alarm rate is guaranteed, if recordings are exchangeable; else it is measured."""
        clips = (*self.stored.clips, *self.stored.held_out)
        return self.memory.is_guaranteed and not any(clip.flagged for clip in clips)

    @property
    def suspicious(self) -> tuple[str, ...]:
        """Hashes of stored clips that stand far from all others."""
        return tuple(
            clip.sha256
            for clip, is_far in zip(self.stored.clips, self.memory.is_suspicious, strict=True)
            if is_far
        )


def made_new(
    machine: str, normals: Sequence[Normal], fit: Fit, background: Background | None
) -> Remembered:
    """Make a memory of normal clips.

    Parameters
    ----------
    machine : str
        Whose it is.
    normals : sequence of Normal
        Different clips, all whole or all filled up.
    fit : Fit
        How their recordings were made to fit.
    background : Background or None
        How clips of other machines vary.

    Returns
    -------
    Remembered
        The memory.

    Raises
    ------
    DecisionError
        There are fewer than 3.
    """
    rows = np.stack([normal.clip.features for normal in normals])  # [n, 360]
    how = FitOptions(resample=fit.resample, channel=fit.channel, pad=fit.pad)
    clips = [_stored_clip(normal, flagged=False) for normal in normals]
    return _fitted(machine, rows, clips, how, normals[0].clip.is_padded, background)


def added_to(
    old: StoredMemory,
    normals: Sequence[Normal],
    fit: Fit,
    background: Background | None,
    false_alarm_rate: float | None = None,
) -> Remembered:
    """Put further normal clips into a memory.

    Where the memory holds clips that calibrate it, the new ones do that too, and it is fitted to the same
    clips as before.

    Parameters
    ----------
    old : StoredMemory
        The memory so far.
    normals : sequence of Normal
        Different clips; those that it holds already change nothing.
    fit : Fit
        How their recordings were made to fit.
    background : Background or None
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
    before = restored(old, background)
    known = {clip.sha256 for clip in (*old.clips, *old.held_out)}
    new = [normal for normal in normals if normal.clip.sha256 not in known]
    if not new:
        return Remembered(old, before)
    rows = np.stack([normal.clip.features for normal in new])  # [n, 360]
    is_anomaly = _called_anomalous(before, rows, false_alarm_rate)
    clips = [_stored_clip(normal, flag) for normal, flag in zip(new, is_anomaly, strict=True)]
    flagged = tuple(clip.sha256 for clip in clips if clip.flagged)
    if old.held_out:
        return _calibrated_further(old, rows, clips, flagged, background)
    every = np.concatenate([before.features, rows])
    made = _fitted(old.machine, every, [*old.clips, *clips], old.fit, old.is_padded, background)
    return Remembered(made.stored, made.memory, flagged, made.n_set_aside)


def without(old: StoredMemory, forgotten: Collection[str], background: Background | None) -> Remembered:
    """Take clips out of a memory.

    Parameters
    ----------
    old : StoredMemory
        The memory so far.
    forgotten : collection of str
        Hashes of clips.
    background : Background or None
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
    rows = restored(old, background).features[stays]
    try:
        made = _fitted(old.machine, rows, [old.clips[i] for i in stays], old.fit, old.is_padded, background)
    except DecisionError as error:
        raise DecisionError(f"a memory cannot forget so much: {error}") from None
    notes: tuple[str, ...] = ()
    if old.held_out:
        notes = (
            f"{old.machine}: {len(old.held_out)} clips that calibrated the memory are no longer valid without "
            "those that it forgot; it decides by leaving out its own clips in turn. Enroll all recordings "
            "again to have them back",
        )
    return Remembered(made.stored, made.memory, notes=notes)


def with_held_out(old: StoredMemory, kept: Sequence[int], background: Background | None) -> Remembered:
    """Keep some of the clips that calibrate a memory.

    Parameters
    ----------
    old : StoredMemory
        The memory so far.
    kept : sequence of int
        Places of the clips that calibrate it from now on.
    background : Background or None
        How clips of other machines vary.

    Returns
    -------
    Remembered
        The memory from now on; without any, it decides by leaving out its own clips in turn.
    """
    scores = np.frombuffer(old.held_out_scores, _FLOAT64)[list(kept)]
    stored = replaced(old, held_out=tuple(old.held_out[i] for i in kept), held_out_scores=scores.tobytes())
    return Remembered(stored, restored(stored, background))


def with_fitted(old: StoredMemory, kept: Sequence[int], background: Background | None) -> Remembered:
    """Fit a memory to some of its clips, and decide by leaving these out in turn.

    Parameters
    ----------
    old : StoredMemory
        The memory so far.
    kept : sequence of int
        Places of the clips that stay.
    background : Background or None
        How clips of other machines vary.

    Returns
    -------
    Remembered
        The memory from now on.
    """
    rows = restored(old, background).features[list(kept)]
    clips = [old.clips[place] for place in kept]
    return _fitted(old.machine, rows, clips, old.fit, old.is_padded, background)
