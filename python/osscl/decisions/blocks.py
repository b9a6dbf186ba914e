"""Blocks of the numbers of a clip: where each lies, and how much it counts."""

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Rows: TypeAlias = npt.NDArray[np.float64]
"""One row a clip, [clips, numbers]."""


class Block(NamedTuple):
    """One block of the numbers of a clip.

    Attributes
    ----------
    columns : slice
        Where it lies in a row.
    weight : float
        Of its z in the score.
    full : bool
        Whether its covariance is a whole matrix; else variances alone.
    """

    columns: slice
    weight: float
    full: bool

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return int(self.columns.stop - self.columns.start)


BLOCKS = {
    "level": Block(slice(0, 32), 1.0, full=True),
    "modulation": Block(slice(32, 128), 1.0, full=False),
    "flutter": Block(slice(128, 328), 1.0, full=False),
    "event": Block(slice(328, 360), 0.25, full=False),
}
"""Of a clip's features."""
N_FEATURES = 360
EMBEDDING_BLOCKS = {"embedding": Block(slice(0, 128), 1.0, full=True)}
"""Of a network's embedding: one, whole."""
