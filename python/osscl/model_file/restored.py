"""Backgrounds and memories as a model file holds them, and as they compute."""

import numpy as np
import numpy.typing as npt

from osscl.decisions import Background, Memory, StoredArrays
from osscl.model_file.decisions import N_LEVEL, N_MEASURES, StoredBackground, StoredMemory

_FLOAT32, _FLOAT64 = "<f4", "<f8"
_LOWER = np.tril_indices(N_LEVEL)


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
        level=background.level[_LOWER].astype(_FLOAT32).tobytes(),
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
    level = np.zeros((N_LEVEL, N_LEVEL), np.float32)
    level[_LOWER] = np.frombuffer(stored.level, _FLOAT32)
    covariance: npt.NDArray[np.float64] = (level + np.tril(level, -1).T).astype(np.float64)  # [32, 32]
    return Background(
        level=covariance,
        modulation=np.frombuffer(stored.modulation, _FLOAT32),
        flutter=np.frombuffer(stored.flutter, _FLOAT32),
        event=np.frombuffer(stored.event, _FLOAT32),
        n_machines=stored.n_machines,
        n_clips=stored.n_clips,
        source=stored.source,
        features_sha256=stored.features_sha256,
    )


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
    return Memory.from_stored(
        StoredArrays(stored.mean, stored.deviations),
        [clip.recording for clip in stored.clips],
        None if background is None else restored_background(background),
        np.frombuffer(stored.held_out_scores, _FLOAT64),
        [clip.recording for clip in stored.held_out],
    )


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
