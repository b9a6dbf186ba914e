"""Names and words that stand in what a model file holds to decide by, and in its detection limits."""

from typing import Annotated, Literal, TypeAlias

import msgspec

Rule: TypeAlias = Literal["network", "memory", "both", "embedding"]
"""Which score decides: the network's, the memory's, the larger of both, or the distance of the embedding."""

Name: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
