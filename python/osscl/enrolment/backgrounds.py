"""Which background memories are fitted with: a folder's, the model's own, or the one that ships."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from osscl.audio.reading import Fit
from osscl.config import FEATURES
from osscl.decisions import pooled_background, pooled_embedding_background
from osscl.enrolment.kinds import OF_FEATURES, Kind
from osscl.enrolment.normals import Normals, read_normals
from osscl.enrolment.plan import Plan
from osscl.errors import ConfigError, DecisionError
from osscl.model_file.decisions import (
    AnyBackground,
    StoredBackground,
    StoredDecisions,
    StoredEmbeddingBackground,
    StoredMemory,
)
from osscl.model_file.restored import stored_background, stored_embedding_background
from osscl.runs.featured import Embed
from osscl.support.paths import printable
from osscl.support.plurals import counted


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
    with _naming_unusable(read):
        made = pooled_background(features, source or _source_of(read), FEATURES.sha256)
    return stored_background(made)


def embedding_background_of(
    plan: Plan,
    fit: Fit,
    embed: Embed,
    checkpoint_sha256: str,
    *,
    on_clip: Callable[[], object] = lambda: None,
) -> StoredEmbeddingBackground:
    """Make a background of embeddings of normal recordings of many machines.

    Parameters
    ----------
    plan : Plan
        Recordings in a layout that names their machines.
    fit : Fit
        How recordings that do not fit are made to fit.
    embed : callable
        The network: gives embeddings [B, 128] of samples [B, n_samples].
    checkpoint_sha256 : str
        Hash of the checkpoint that it came from.
    on_clip : callable
        Called after each recording.

    Returns
    -------
    StoredEmbeddingBackground
        As a model file holds it.

    Raises
    ------
    DecisionError
        Fewer than 4 machines have 4 clips.
    """
    read = read_normals(plan, fit, embed=embed, on_clip=on_clip)
    embeddings = {
        machine: np.stack([normal.clip.embedding for normal in normals if normal.clip.embedding is not None])
        for machine, normals in read.by_machine.items()
    }
    with _naming_unusable(read):
        made = pooled_embedding_background(embeddings, _source_of(read))
    return stored_embedding_background(made, checkpoint_sha256)


def _source_of(read: Normals) -> str:
    return f"normal recordings of {', '.join(read.by_machine)}"


@contextmanager
def _naming_unusable(read: Normals) -> Iterator[None]:
    """Say of a background that cannot be made which recordings could not be used."""
    try:
        yield
    except DecisionError as error:
        unusable = ""
        if read.unusable:
            first = read.unusable[0]
            unusable = (
                f" ({counted(len(read.unusable), 'recording')} could not be used, first "
                f"{printable(first.path)}: "
                f"{first.problem})"
            )
        raise DecisionError(f"{error}{unusable}") from None


def background_for(
    decisions: StoredDecisions, given: AnyBackground | None, kind: Kind = OF_FEATURES
) -> AnyBackground | None:
    """Choose the background of new memories.

    Parameters
    ----------
    decisions : StoredDecisions
        What stays of what the model file holds.
    given : StoredBackground or StoredEmbeddingBackground or None
        Another one, where it is asked for.
    kind : Kind
        Which kind of memories.

    Returns
    -------
    StoredBackground or StoredEmbeddingBackground or None
        The given one; else the model's own, none where its memories were made without one; else the one that
        ships, which there is none of for embeddings.

    Raises
    ------
    ConfigError
        Memories that stay were made with another one.
    DecisionError
        The model's own, or a memory that stays, is of features that this osscl does not compute.
    """
    own, held = kind.background_of(decisions), kind.held(decisions)
    for memory in held:
        if isinstance(memory, StoredMemory):
            OF_FEATURES.refuse_foreign(memory)
    if given is not None:
        if held and given != own:
            raise ConfigError(
                f"--background makes another background than that of the {_counted(len(held), kind)} that "
                "the model file holds, and a file has one; leave it out, or enroll all machines into a "
                "model file without memories"
            )
        return given
    if own is None:
        return None if held else kind.shipped()
    if isinstance(own, StoredBackground) and own.features_sha256 != FEATURES.sha256:
        raise DecisionError(
            "the model file's background is of features that this osscl does not compute (their settings "
            f"have the hash {own.features_sha256[:16]}, expected {FEATURES.sha256[:16]}); make another of "
            "normal recordings of 4 or more machines by --background FOLDER"
        )
    return own


def _counted(n: int, kind: Kind) -> str:
    return kind.called.replace("memory", counted(n, "memory"))
