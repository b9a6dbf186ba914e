"""A machine's memory of embeddings: where a network puts its normal clips, and what lies far off."""

from dataclasses import dataclass
from typing import ClassVar

from osscl.decisions.fitted_normals import FittedNormals
from osscl.decisions.space import EMBEDDING_SPACE, Space


@dataclass(frozen=True, eq=False)
class EmbeddingMemory(FittedNormals):
    """Where a network puts the normal clips of one machine, which it need not know as a class.

    Made by `EmbeddingMemory.fit`. Its numbers are embeddings, brought to norm 1; its score is the z of their
    one block: whitened distance from the mean of the nearest normal ones, in spreads of the normal ones' own.
    """

    space: ClassVar[Space] = EMBEDDING_SPACE
