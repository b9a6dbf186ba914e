"""Which background memories are fitted with: a folder's, the model's own, or the one that ships."""

from collections.abc import Callable

import numpy as np

from osscl.audio.reading import Fit
from osscl.config import FEATURES
from osscl.decisions import pooled_background
from osscl.enrolment.normals import read_normals
from osscl.enrolment.plan import Plan
from osscl.errors import ConfigError, DecisionError
from osscl.model_file.decisions import StoredBackground, StoredDecisions, StoredMemory
from osscl.model_file.restored import stored_background
from osscl.model_file.shipped_background import shipped_background
from osscl.support.paths import printable


def background_of(
    plan: Plan,
    fit: Fit,
    source: str | None = None,
    *,
    on_clip: Callable[[], object] = lambda: None,
) -> StoredBackground:
    """Make a background of normal recordings of many machines.

    Parameters
    ----------
    plan : Plan
        Recordings in a layout that names their machines.
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
    """
    read = read_normals(plan, fit, on_clip=on_clip)
    features = {
        machine: np.stack([normal.clip.features for normal in normals])
        for machine, normals in read.by_machine.items()
    }
    try:
        words = source or f"normal recordings of {', '.join(features)}"
        made = pooled_background(features, words, FEATURES.sha256)
    except DecisionError as error:
        unusable = ""
        if read.unusable:
            first = read.unusable[0]
            unusable = (
                f" ({len(read.unusable)} recordings could not be used, first {printable(first.path)}: "
                f"{first.problem})"
            )
        raise DecisionError(f"{error}{unusable}") from None
    return stored_background(made)


def background_for(decisions: StoredDecisions, given: StoredBackground | None) -> StoredBackground | None:
    """Choose the background of new memories.

    Parameters
    ----------
    decisions : StoredDecisions
        What stays of what the model file holds.
    given : StoredBackground or None
        Another one, where it is asked for.

    Returns
    -------
    StoredBackground or None
        The given one; else the model's own, none where its memories were made without one; else the one that
        ships.

    Raises
    ------
    ConfigError
        Memories that stay were made with another one.
    DecisionError
        The model's own, or a memory that stays, is of features that this osscl does not compute.
    """
    for memory in decisions.memories:
        refuse_other_features(memory)
    own = decisions.background
    if given is not None:
        if decisions.memories and given != own:
            raise ConfigError(
                f"--background makes another background than that of the {len(decisions.memories)} memories "
                "that the model file holds, and a file has one; leave it out, or enroll all machines into a "
                "model file without memories"
            )
        return given
    if own is None:
        return None if decisions.memories else shipped_background()
    if own.features_sha256 != FEATURES.sha256:
        raise DecisionError(
            "the model file's background is of features that this osscl does not compute (their settings "
            f"have the hash {own.features_sha256[:16]}, expected {FEATURES.sha256[:16]}); make another of "
            "normal recordings of 4 or more machines by --background FOLDER"
        )
    return own


def refuse_other_features(memory: StoredMemory) -> None:
    """Refuse to go on with a memory of features that this osscl does not compute.

    Parameters
    ----------
    memory : StoredMemory
        Out of a model file.

    Raises
    ------
    DecisionError
        It is one.
    """
    if memory.features_sha256 != FEATURES.sha256:
        raise DecisionError(
            f"{memory.machine}: its memory is of features that this osscl does not compute (their settings "
            f"have the hash {memory.features_sha256[:16]}, expected {FEATURES.sha256[:16]}); enroll its "
            "recordings again, without --add"
        )
