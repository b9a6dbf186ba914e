"""Which background memories are fitted with: a folder's, the model's own, or the one that ships."""

import os
from collections.abc import Callable

import numpy as np

from osscl.audio.reading import Fit
from osscl.config import FEATURES
from osscl.decisions import pooled_background
from osscl.enrolment.normals import read_normals
from osscl.enrolment.plan import plan_of
from osscl.errors import ConfigError, DecisionError
from osscl.model_file.decisions import StoredBackground, StoredDecisions
from osscl.model_file.restored import stored_background
from osscl.model_file.shipped_background import shipped_background
from osscl.support.paths import printable


def background_of_folder(
    folder: str | os.PathLike[str],
    fit: Fit,
    source: str | None = None,
    *,
    on_clip: Callable[[], object] = lambda: None,
) -> StoredBackground:
    """Make a background of normal recordings of many machines.

    Parameters
    ----------
    folder : path-like
        Recordings in a layout that names their machines; those called ``anomaly_...`` are left out.
    fit : Fit
        How recordings that do not fit are made to fit.
    source : str, optional
        What they are, in words; by default the names of their machines.
    on_clip : callable
        Called after each recording.

    Returns
    -------
    StoredBackground
        As a model file holds it.

    Raises
    ------
    DecisionError
        Fewer than 4 machines have 4 clips.
    NoRecordingsError
        The folder holds none.
    """
    read = read_normals(plan_of([folder]), fit, on_clip=on_clip)
    features = {
        machine: np.stack([normal.clip.features for normal in normals])
        for machine, normals in read.by_machine.items()
    }
    try:
        made = pooled_background(features, source or f"normal recordings of {', '.join(features)}", FEATURES.sha256)
    except DecisionError as error:
        unusable = f" ({len(read.unusable)} recordings could not be used)" if read.unusable else ""
        raise DecisionError(f"{printable(folder)}: {error}{unusable}") from None
    return stored_background(made)


def background_for(
    decisions: StoredDecisions, folder: str | os.PathLike[str] | None, fit: Fit
) -> StoredBackground | None:
    """Choose the background of new memories.

    Parameters
    ----------
    decisions : StoredDecisions
        What the model file holds so far.
    folder : path-like or None
        Recordings that a background is to be made of.
    fit : Fit
        How these are made to fit.

    Returns
    -------
    StoredBackground or None
        Of the folder; else the model's own, none where its memories were made without one; else the one that
        ships.

    Raises
    ------
    ConfigError
        Memories that stay were made with another one.
    DecisionError
        The model's own is of features that this osscl does not compute; or as `background_of_folder`.
    """
    own = decisions.background
    if folder is not None:
        made = background_of_folder(folder, fit)
        if decisions.memories and made != own:
            raise ConfigError(
                f"--background names another background than that of the {len(decisions.memories)} memories "
                "that the model file holds, and a file has one; leave it out, or enroll all machines into a "
                "model file without memories"
            )
        return made
    if own is None:
        return None if decisions.memories else shipped_background()
    if own.features_sha256 != FEATURES.sha256:
        raise DecisionError(
            f"the model file's background is of features that this osscl does not compute (their settings have "
            f"the hash {own.features_sha256[:16]}, expected {FEATURES.sha256[:16]}); make another of normal "
            "recordings of 4 or more machines by --background FOLDER"
        )
    return own
