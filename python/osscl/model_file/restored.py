"""Backgrounds and memories as a model file holds them, and as they compute."""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from osscl.decisions import Background, EmbeddingBackground, EmbeddingMemory, Memory, StoredArrays
from osscl.model_file.decisions import (
    N_EMBEDDING,
    N_LEVEL,
    N_MEASURES,
    AnyBackground,
    StoredBackground,
    StoredEmbeddingBackground,
    StoredEmbeddings,
    StoredMemory,
    StoredNormals,
)

_FLOAT32, _FLOAT64 = "<f4", "<f8"
_Memory = TypeVar("_Memory", Memory, EmbeddingMemory)


def stored_background(background: Background) -> StoredBackground:
    """Write a background down.

    Parameters
    ----------
    background : Background
        It is rounded to float32 already.

    Returns
    -------
    StoredBackground
        The same.
    """
    return StoredBackground(
        features_sha256=background.features_sha256,
        level=_lower_triangle(background.level),
        modulation=background.modulation.astype(_FLOAT32).tobytes(),
        flutter=background.flutter.astype(_FLOAT32).tobytes(),
        event=background.event.astype(_FLOAT32).tobytes(),
        n_machines=background.n_machines,
        n_clips=background.n_clips,
        source=background.source,
    )


def restored_background(stored: StoredBackground) -> Background:
    """Read a background that was written down.

    Parameters
    ----------
    stored : StoredBackground
        Out of a model file.

    Returns
    -------
    Background
        The same as before.

    Raises
    ------
    DecisionError
        It is no covariance.
    """
    return Background(
        level=_covariance(stored.level, N_LEVEL),
        modulation=np.frombuffer(stored.modulation, _FLOAT32),
        flutter=np.frombuffer(stored.flutter, _FLOAT32),
        event=np.frombuffer(stored.event, _FLOAT32),
        n_machines=stored.n_machines,
        n_clips=stored.n_clips,
        source=stored.source,
        features_sha256=stored.features_sha256,
    )


def stored_embedding_background(
    background: EmbeddingBackground, checkpoint_sha256: str | None
) -> StoredEmbeddingBackground:
    """Write a background of embeddings down.

    Parameters
    ----------
    background : EmbeddingBackground
        It is rounded to float32 already.
    checkpoint_sha256 : str or None
        Hash of the checkpoint that the network came from; None in that checkpoint itself.

    Returns
    -------
    StoredEmbeddingBackground
        The same.
    """
    return StoredEmbeddingBackground(
        checkpoint_sha256=checkpoint_sha256,
        embedding=_lower_triangle(background.embedding),
        n_machines=background.n_machines,
        n_clips=background.n_clips,
        source=background.source,
    )


def restored_embedding_background(stored: StoredEmbeddingBackground) -> EmbeddingBackground:
    """Read a background of embeddings that was written down.

    Parameters
    ----------
    stored : StoredEmbeddingBackground
        Out of a model file or a checkpoint.

    Returns
    -------
    EmbeddingBackground
        The same as before.

    Raises
    ------
    DecisionError
        It is no covariance.
    """
    return EmbeddingBackground(
        embedding=_covariance(stored.embedding, N_EMBEDDING),
        n_machines=stored.n_machines,
        n_clips=stored.n_clips,
        source=stored.source,
    )


def _lower_triangle(covariance: npt.NDArray[np.float64]) -> bytes:
    return covariance[np.tril_indices(len(covariance))].astype(_FLOAT32).tobytes()


def _covariance(triangle: bytes, size: int) -> npt.NDArray[np.float64]:
    """The whole matrix [size, size] of a lower triangle."""
    lower = np.zeros((size, size), np.float32)
    lower[np.tril_indices(size)] = np.frombuffer(triangle, _FLOAT32)
    covariance: npt.NDArray[np.float64] = (lower + np.tril(lower, -1).T).astype(np.float64)
    return covariance


def restored_prior(stored: AnyBackground) -> Background | EmbeddingBackground:
    """Read a background of either kind that was written down.

    Parameters
    ----------
    stored : StoredBackground or StoredEmbeddingBackground
        Out of a model file.

    Returns
    -------
    Background or EmbeddingBackground
        The same as before.

    Raises
    ------
    DecisionError
        It is no covariance.
    """
    if isinstance(stored, StoredBackground):
        return restored_background(stored)
    return restored_embedding_background(stored)


def restored_memory(stored: StoredMemory, background: StoredBackground | None) -> Memory:
    """Read a memory that was written down; it is fitted anew, to the same numbers.

    Parameters
    ----------
    stored : StoredMemory
        Out of a model file.
    background : StoredBackground or None
        The file's.

    Returns
    -------
    Memory
        Its scores are those of the one that was written.

    Raises
    ------
    DecisionError
        It cannot be fitted.
    """
    return _from_stored(Memory, stored, None if background is None else restored_background(background))


def restored_embeddings(
    stored: StoredEmbeddings, background: StoredEmbeddingBackground | None
) -> EmbeddingMemory:
    """Read a memory of embeddings that was written down; it is fitted anew, to the same numbers.

    Parameters
    ----------
    stored : StoredEmbeddings
        Out of a model file.
    background : StoredEmbeddingBackground or None
        The file's.

    Returns
    -------
    EmbeddingMemory
        Its scores are those of the one that was written.

    Raises
    ------
    DecisionError
        It cannot be fitted.
    """
    known = None if background is None else restored_embedding_background(background)
    return _from_stored(EmbeddingMemory, stored, known)


def _from_stored(
    kind: type[_Memory], stored: StoredNormals, background: Background | EmbeddingBackground | None
) -> _Memory:
    return kind.from_stored(
        StoredArrays(stored.mean, stored.deviations),
        [clip.recording for clip in stored.clips],
        background,
        np.frombuffer(stored.held_out_scores, _FLOAT64),
        [clip.recording for clip in stored.held_out],
    )


def restored_normals(stored: StoredNormals, background: AnyBackground | None) -> Memory | EmbeddingMemory:
    """Read a memory of either kind, as `restored_memory` and `restored_embeddings` do.

    Parameters
    ----------
    stored : StoredMemory or StoredEmbeddings
        Out of a model file.
    background : StoredBackground or StoredEmbeddingBackground or None
        The file's, of the same kind.

    Returns
    -------
    Memory or EmbeddingMemory
        Its scores are those of the one that was written.

    Raises
    ------
    DecisionError
        It cannot be fitted.
    """
    if isinstance(stored, StoredMemory):
        assert not isinstance(background, StoredEmbeddingBackground), "of the same kind"
        return restored_memory(stored, background)
    assert not isinstance(background, StoredBackground), "of the same kind"
    return restored_embeddings(stored, background)


def restored_measures(stored: StoredMemory) -> npt.NDArray[np.float32] | None:
    """What the clips of a memory say of their recordings.

    Parameters
    ----------
    stored : StoredMemory
        Out of a model file.

    Returns
    -------
    ndarray of float32, [n, 6], or None
        `osscl.audio.quality.MEASURES` of each stored clip; None in a memory that was made without them.
    """
    if not stored.measures:
        return None
    return np.frombuffer(stored.measures, _FLOAT32).reshape(-1, N_MEASURES).astype(np.float32)
