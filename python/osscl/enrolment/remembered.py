"""A machine's memory as a model file holds it, made of normal clips."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from osscl.audio.reading import Fit
from osscl.decisions import EmbeddingMemory, Memory
from osscl.decisions.fitted_normals import far_above
from osscl.enrolment.domains import Owner
from osscl.enrolment.kinds import OF_FEATURES, Kind, class_of, rows_of
from osscl.enrolment.normals import Normal
from osscl.errors import DecisionError
from osscl.machines.domains import Domain
from osscl.model_file.decisions import (
    AnyBackground,
    FitOptions,
    StoredClip,
    StoredMemory,
    StoredNormals,
)
from osscl.model_file.restored import restored_prior

SEED = 0
"""Of the draw of clips where there are more than 512."""
FLOAT32, FLOAT64 = "<f4", "<f8"


@dataclass(frozen=True, eq=False)
class Remembered:
    """A machine's memory.

    Attributes
    ----------
    stored : StoredMemory or StoredEmbeddings
        As a model file holds it.
    memory : Memory or EmbeddingMemory
        As it computes.
    flagged : tuple of str
        Hashes of clips that were added although the memory had called them anomalous.
    n_set_aside : int
        Clips that are neither stored nor calibrate: others of their recordings are stored.
    notes : tuple of str
        What is to be said of how it came about.
    """

    stored: StoredNormals
    memory: Memory | EmbeddingMemory
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
    machine: str,
    normals: Sequence[Normal],
    fit: Fit,
    background: AnyBackground | None,
    kind: Kind = OF_FEATURES,
    domain: Domain | None = None,
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
    background : StoredBackground or StoredEmbeddingBackground or None
        How clips of other machines vary, of the same kind.
    kind : Kind
        Of features or of embeddings.
    domain : {"source", "target"}, optional
        Domain of all of them; None where the machine has one memory.

    Returns
    -------
    Remembered
        The memory.

    Raises
    ------
    DecisionError
        There are fewer than 3.
    """
    how = FitOptions(resample=fit.resample, channel=fit.channel, pad=fit.pad)
    clips = [stored_clip(normal, flagged=False) for normal in normals]
    measures = np.stack([normal.clip.measures for normal in normals])  # [n, 6]
    blank = kind.blank(Owner(machine, domain), how, normals[0].clip.is_padded)
    return fitted(blank, rows_of(blank, normals), clips, background, measures)


def fitted(
    like: StoredNormals,
    rows: npt.NDArray[np.floating[Any]],
    clips: Sequence[StoredClip],
    background: AnyBackground | None,
    measures: npt.NDArray[np.float32] | None,
) -> Remembered:
    """Fit a memory to numbers of clips.

    Parameters
    ----------
    like : StoredMemory or StoredEmbeddings
        Of the same machine, domain and kind, made to fit in the same way; its clips do not count.
    rows : ndarray of float, [n, size]
        Features or embeddings of different clips.
    clips : sequence of StoredClip, [n]
        What they are.
    background : StoredBackground or StoredEmbeddingBackground or None
        How clips of other machines vary, of the same kind.
    measures : ndarray of float32, [n, 6], or None
        What the clips say of their recordings, which a memory of features keeps; None where that is not
        known of all of them.

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
    prior = None if background is None else restored_prior(background)
    try:
        memory = class_of(like).fit(rows, recordings, prior, seed=SEED)
    except DecisionError as error:
        raise DecisionError(f"{like.owner}: {error}") from None
    assert memory.selection is not None
    stored = replace(
        like,
        mean=memory.stored.mean,
        deviations=memory.stored.deviations,
        clips=tuple(clips[i] for i in memory.selection.fitted),
        held_out=tuple(clips[i] for i in memory.selection.held_out),
        held_out_scores=memory.held_out_scores.astype(FLOAT64).tobytes(),
    )
    if isinstance(stored, StoredMemory):
        of_fitted = None if measures is None else measures[memory.selection.fitted]
        stored = replace(stored, measures=b"" if of_fitted is None else of_fitted.astype(FLOAT32).tobytes())
    return Remembered(stored, memory, n_set_aside=len(memory.selection.set_aside))


def stored_clip(normal: Normal, *, flagged: bool) -> StoredClip:
    """Write down what a clip is, added today."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return StoredClip(
        sha256=normal.clip.sha256, recording=normal.recording, added=today, flagged=bool(flagged)
    )
