"""A machine's memory as a model file holds it, made of normal clips."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from osscl.audio.reading import Fit
from osscl.config import FEATURES
from osscl.decisions import Memory
from osscl.decisions.fitted_normals import far_above
from osscl.enrolment.normals import Normal
from osscl.errors import DecisionError
from osscl.model_file.decisions import FitOptions, StoredBackground, StoredClip, StoredMemory
from osscl.model_file.restored import restored_background

SEED = 0
"""Of the draw of clips where there are more than 512."""
FLOAT32, FLOAT64 = "<f4", "<f8"


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
    notes: tuple[str, ...] = ()

    @property
    def is_guaranteed(self) -> bool:
        """Whether its false-alarm rate is guaranteed, if recordings are exchangeable; else it is measured."""
        clips = (*self.stored.clips, *self.stored.held_out)
        return self.memory.is_guaranteed and not any(clip.flagged for clip in clips)

    @property
    def suspicious(self) -> tuple[str, ...]:
        """Hashes of clips that score far above most others."""
        stored = (self.stored.clips, self.memory.is_suspicious)
        held_out = (self.stored.held_out, far_above(self.memory.held_out_scores))
        return tuple(
            clip.sha256
            for clips, is_far in (stored, held_out)
            for clip, far in zip(clips, is_far, strict=True)
            if far
        )


def made_new(
    machine: str, normals: Sequence[Normal], fit: Fit, background: StoredBackground | None
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
    background : StoredBackground or None
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
    clips = [stored_clip(normal, flagged=False) for normal in normals]
    measures = np.stack([normal.clip.measures for normal in normals])  # [n, 6]
    return fitted(machine, rows, clips, how, normals[0].clip.is_padded, background, measures)


def fitted(
    machine: str,
    rows: npt.NDArray[np.floating[Any]],
    clips: Sequence[StoredClip],
    fit: FitOptions,
    is_padded: bool,
    background: StoredBackground | None,
    measures: npt.NDArray[np.float32] | None,
) -> Remembered:
    """Fit a memory to features.

    Parameters
    ----------
    machine : str
        Whose it is.
    rows : ndarray of float, [n, 360]
        Features of different clips.
    clips : sequence of StoredClip, [n]
        What they are.
    fit : FitOptions
        How their recordings were made to fit.
    is_padded : bool
        Whether they were filled up.
    background : StoredBackground or None
        How clips of other machines vary.
    measures : ndarray of float32, [n, 6], or None
        What the clips say of their recordings; None where that is not known of all of them.

    Returns
    -------
    Remembered
        The memory.

    Raises
    ------
    DecisionError
        There are fewer than 3.
    """
    recordings = [clip.recording for clip in clips]
    prior = None if background is None else restored_background(background)
    try:
        memory = Memory.fit(rows, recordings, prior, seed=SEED)
    except DecisionError as error:
        raise DecisionError(f"{machine}: {error}") from None
    assert memory.selection is not None
    stored = StoredMemory(
        machine=machine,
        features_sha256=FEATURES.sha256,
        mean=memory.stored.mean,
        deviations=memory.stored.deviations,
        clips=tuple(clips[i] for i in memory.selection.fitted),
        held_out=tuple(clips[i] for i in memory.selection.held_out),
        held_out_scores=memory.held_out_scores.astype(FLOAT64).tobytes(),
        fit=fit,
        is_padded=is_padded,
        measures=b"" if measures is None else measures[memory.selection.fitted].astype(FLOAT32).tobytes(),
    )
    return Remembered(stored, memory, n_set_aside=len(memory.selection.set_aside))


def stored_clip(normal: Normal, *, flagged: bool) -> StoredClip:
    """Write down what a clip is, added today."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return StoredClip(
        sha256=normal.clip.sha256, recording=normal.recording, added=today, flagged=bool(flagged)
    )
