"""What normal clips are compared by: the features of a memory, or a network's embedding."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from osscl.decisions.blocks import BLOCKS, EMBEDDING_BLOCKS, Block, Rows
from osscl.errors import DecisionError


@dataclass(frozen=True, eq=False)
class Space:
    """Numbers of a clip in which distances are measured.

    Attributes
    ----------
    called : str
        What a refusal calls them.
    maker : str
        What gives them.
    blocks : mapping of str to Block
        Their blocks, which lie side by side.
    min_variance : float
        Smallest mean variance of a block's numbers without a background, in their unit squared: clips that
        hardly differ make no distance endless.
    is_unit : bool
        Whether a clip's numbers are brought to a Euclidean norm of 1 before anything else.
    """

    called: str
    maker: str
    blocks: Mapping[str, Block]
    min_variance: float
    is_unit: bool = False

    @property
    def size(self) -> int:
        """Numbers of a clip."""
        return max(int(block.columns.stop) for block in self.blocks.values())

    def rows(self, given: npt.ArrayLike, name: str | None = None) -> Rows:
        """Take numbers as float64, one row a clip.

        Parameters
        ----------
        given : array_like of float, [N, size]
            Numbers of clips, finite.
        name : str, optional
            What a refusal calls them.

        Returns
        -------
        ndarray of float64, [N, size]
            The same numbers; of norm 1 where the space is one of directions.

        Raises
        ------
        DecisionError
            They have another shape or width, one is not a finite number, or a row of a space of directions
            has none.
        """
        called = name or self.called
        array: npt.NDArray[Any] = np.asarray(given)
        if array.ndim != 2 or array.shape[1] != self.size or array.dtype.kind not in "fiu":
            raise DecisionError(
                f"{called} are {array.dtype} {list(array.shape)}; expected numbers [clips, {self.size}], "
                f"one row a clip, as {self.maker} gives them"
            )
        rows = array.astype(np.float64)
        bad = np.flatnonzero(~np.isfinite(rows).all(1))
        if bad.size:
            raise DecisionError(
                f"row {bad[0]} of {called} holds a number that is not finite; leave that clip out"
            )
        return self._of_norm_1(rows, called) if self.is_unit else rows

    def _of_norm_1(self, rows: Rows, called: str) -> Rows:
        norms = np.sqrt(np.einsum("nd,nd->n", rows, rows))  # [N]
        bad = np.flatnonzero(norms == 0)
        if bad.size:
            raise DecisionError(f"row {bad[0]} of {called} is zero throughout; leave that clip out")
        unit: Rows = rows / norms[:, np.newaxis]
        return unit


FEATURE_SPACE = Space("features", "osscl.features.memory_features", BLOCKS, min_variance=1e-3)
"""In dB. Clips of a real machine vary by 1 dB^2 and more a feature: a thousandth of it is none."""

EMBEDDING_SPACE = Space("embeddings", "Detector.embed", EMBEDDING_BLOCKS, min_variance=1e-8, is_unit=True)
"""Without a unit. All 128 variances of vectors of norm 1 sum up to less than 1, and those of a machine's
normal clips to some hundredths, 1e-5 to 1e-3 each: the 1e-3 of features would drown them. Backends
differ by 2e-5 at most, 4e-10 as a variance, and float16 rounds deviations by less: 1e-8 lies between."""
