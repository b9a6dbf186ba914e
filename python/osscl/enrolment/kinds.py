"""The two kinds of memories that normal recordings become: of features, and of a network's embeddings."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from osscl.config import FEATURES
from osscl.decisions import EmbeddingMemory, Memory
from osscl.enrolment.domains import Owner
from osscl.enrolment.normals import Normal
from osscl.enrolment.options import EnrolledRule
from osscl.errors import ConfigError, DecisionError
from osscl.model_file.decisions import (
    AnyBackground,
    FitOptions,
    StoredBackground,
    StoredDecisions,
    StoredEmbeddingBackground,
    StoredEmbeddings,
    StoredMemory,
    StoredNormals,
)
from osscl.model_file.manifest import Manifest
from osscl.model_file.shipped_background import shipped_background


class Kind(Protocol):
    """A kind of memory: where a model file keeps it, and what a new one says of itself."""

    @property
    def rule(self) -> EnrolledRule:
        """Rule that decides by it."""

    @property
    def called(self) -> str:
        """What people call it."""

    def held(self, decisions: StoredDecisions) -> Sequence[StoredNormals]:
        """Those that a model file holds."""

    def holding(self, decisions: StoredDecisions, held: Iterable[StoredNormals]) -> StoredDecisions:
        """The same decisions, with these instead."""

    def background_of(self, decisions: StoredDecisions) -> AnyBackground | None:
        """Background that a model file holds of it."""

    def with_background(
        self, decisions: StoredDecisions, background: AnyBackground | None
    ) -> StoredDecisions:
        """The same decisions, with this background instead."""

    def shipped(self) -> AnyBackground | None:
        """Background for a model file that holds none."""

    def blank(self, owner: Owner, fit: FitOptions, is_padded: bool) -> StoredNormals:
        """A memory without clips."""

    def refuse_foreign(self, stored: StoredNormals) -> None:
        """Raise `DecisionError` where a memory's numbers are others than those that are computed here."""


def owner_of_stored(stored: StoredNormals) -> Owner:
    """Whose a memory is."""
    return Owner(stored.machine, stored.domain)


def of_owner(kind: Kind, decisions: StoredDecisions, owner: Owner) -> StoredNormals | None:
    """The memory of a machine, or of one of its domains, of a kind, where a model file holds one."""
    return next((each for each in kind.held(decisions) if owner_of_stored(each) == owner), None)


def without_owners(kind: Kind, decisions: StoredDecisions, owners: Collection[Owner]) -> StoredDecisions:
    """What a model file holds but for these memories, of a kind."""
    staying = [each for each in kind.held(decisions) if owner_of_stored(each) not in owners]
    return kind.holding(decisions, staying)


def without_machines(kind: Kind, decisions: StoredDecisions, machines: Collection[str]) -> StoredDecisions:
    """What a model file holds but for the memories of these machines, of a kind."""
    return kind.holding(decisions, [each for each in kind.held(decisions) if each.machine not in machines])


@dataclass(frozen=True)
class OfFeatures:
    """Memories of features."""

    rule: EnrolledRule = "memory"
    called: str = "memory"

    def held(self, decisions: StoredDecisions) -> Sequence[StoredNormals]:
        """Those that a model file holds."""
        return decisions.memories

    def holding(self, decisions: StoredDecisions, held: Iterable[StoredNormals]) -> StoredDecisions:
        """The same decisions, with these instead."""
        return replace(decisions, memories=tuple(cast("Iterable[StoredMemory]", held)))

    def background_of(self, decisions: StoredDecisions) -> AnyBackground | None:
        """Background that a model file holds of it."""
        return decisions.background

    def with_background(
        self, decisions: StoredDecisions, background: AnyBackground | None
    ) -> StoredDecisions:
        """The same decisions, with this background instead."""
        assert not isinstance(background, StoredEmbeddingBackground)
        return replace(decisions, background=background)

    def shipped(self) -> StoredBackground:
        """Background for a model file that holds none."""
        return shipped_background()

    def blank(self, owner: Owner, fit: FitOptions, is_padded: bool) -> StoredMemory:
        """A memory without clips."""
        return StoredMemory(
            machine=owner.machine,
            domain=owner.domain,
            features_sha256=FEATURES.sha256,
            mean=b"",
            deviations=b"",
            clips=(),
            fit=fit,
            is_padded=is_padded,
        )

    def refuse_foreign(self, stored: StoredNormals) -> None:
        """Refuse to go on with a memory of features that this osscl does not compute."""
        if isinstance(stored, StoredMemory) and stored.features_sha256 != FEATURES.sha256:
            raise DecisionError(
                f"{stored.owner}: its memory is of features that this osscl does not compute (their "
                f"settings have the hash {stored.features_sha256[:16]}, expected {FEATURES.sha256[:16]}); "
                "enroll its recordings again, without --add"
            )


@dataclass(frozen=True)
class OfEmbeddings:
    """Memories of a network's embeddings.

    Attributes
    ----------
    checkpoint_sha256 : str
        Hash of the checkpoint that the network came from.
    precision : str
        Its arithmetic.
    """

    checkpoint_sha256: str
    precision: str
    rule: EnrolledRule = "embedding"
    called: str = "memory of embeddings"

    def held(self, decisions: StoredDecisions) -> Sequence[StoredNormals]:
        """Those that a model file holds."""
        return decisions.embeddings

    def holding(self, decisions: StoredDecisions, held: Iterable[StoredNormals]) -> StoredDecisions:
        """The same decisions, with these instead."""
        return replace(decisions, embeddings=tuple(cast("Iterable[StoredEmbeddings]", held)))

    def background_of(self, decisions: StoredDecisions) -> AnyBackground | None:
        """Background that a model file holds of it."""
        return decisions.embedding_background

    def with_background(
        self, decisions: StoredDecisions, background: AnyBackground | None
    ) -> StoredDecisions:
        """The same decisions, with this background instead."""
        assert not isinstance(background, StoredBackground)
        return replace(decisions, embedding_background=background)

    def shipped(self) -> None:
        """Background for a model file that holds none: those of other networks are of no use."""
        return

    def blank(self, owner: Owner, fit: FitOptions, is_padded: bool) -> StoredEmbeddings:
        """A memory without clips."""
        assert owner.domain is None, "the options refuse it"
        return StoredEmbeddings(
            machine=owner.machine,
            checkpoint_sha256=self.checkpoint_sha256,
            precision=self.precision,
            mean=b"",
            deviations=b"",
            clips=(),
            fit=fit,
            is_padded=is_padded,
        )

    def refuse_foreign(self, stored: StoredNormals) -> None:
        """Refuse to go on with embeddings of another network, or of this one in another precision."""
        assert isinstance(stored, StoredEmbeddings)
        made_with = None
        if stored.checkpoint_sha256 != self.checkpoint_sha256:
            made_with = "with another network than the file's"
        elif stored.precision != self.precision:
            made_with = f"in {stored.precision} and the model is {self.precision}"
        if made_with is not None:
            raise DecisionError(
                f"{stored.machine}: its memory of embeddings was made {made_with}; enroll its recordings "
                "again, without --add"
            )


OF_FEATURES = OfFeatures()


def kinds_of(rule: EnrolledRule, manifest: Manifest | None) -> tuple[Kind, Kind | None]:
    """Choose the kind of memory that a rule needs.

    Parameters
    ----------
    rule : {"memory", "embedding"}
        The rule.
    manifest : Manifest or None
        What the model file says of itself; None without one.

    Returns
    -------
    kind : Kind
        That is made.
    other : Kind or None
        The other one that the file can hold; None where there is no network.

    Raises
    ------
    ConfigError
        Embeddings are asked for, and no model file is named.
    ModelFileError
        They are, and it holds no network.
    """
    if rule == "embedding" and manifest is None:
        raise ConfigError(
            "the rule embedding needs a network; name its model file before the recordings, or leave out "
            "--rule"
        )
    if manifest is None or (rule == "memory" and not manifest.has_network):
        return OF_FEATURES, None
    network = manifest.network
    embeddings = OfEmbeddings(network.checkpoint.sha256, network.precision)
    return (OF_FEATURES, embeddings) if rule == "memory" else (embeddings, OF_FEATURES)


def class_of(stored: StoredNormals) -> type[Memory] | type[EmbeddingMemory]:
    """What a memory that is stored so computes as."""
    return Memory if isinstance(stored, StoredMemory) else EmbeddingMemory


def rows_of(stored: StoredNormals, normals: Sequence[Normal]) -> npt.NDArray[np.floating[Any]]:
    """Numbers of normal clips that go into a memory: features [n, 360], or embeddings [n, 128]."""
    if isinstance(stored, StoredMemory):
        return np.stack([normal.clip.features for normal in normals])
    embeddings = [normal.clip.embedding for normal in normals]
    assert all(each is not None for each in embeddings), "they were read with the network"
    return np.stack(cast("list[npt.NDArray[np.float32]]", embeddings))
