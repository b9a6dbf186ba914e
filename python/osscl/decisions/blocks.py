"""The four blocks of a clip's features: where each lies, and how much it counts."""

from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from osscl.errors import DecisionError

Rows: TypeAlias = npt.NDArray[np.float64]
"""One row a clip, [clips, features]."""


class Block(NamedTuple):
    """One block of the features.

    Attributes
    ----------
    columns : slice
        Where it lies in a row of features.
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
        """Number of its features."""
        return int(self.columns.stop - self.columns.start)


BLOCKS = {
    "level": Block(slice(0, 32), 1.0, full=True),
    "modulation": Block(slice(32, 128), 1.0, full=False),
    "flutter": Block(slice(128, 328), 1.0, full=False),
    "event": Block(slice(328, 360), 0.25, full=False),
}
N_FEATURES = 360


def feature_rows(features: npt.ArrayLike, name: str = "features") -> Rows:
    """Take features as float64, one row a clip.

    Parameters
    ----------
    features : array_like of float, [N, 360]
        Features in dB, finite.
    name : str
        What a refusal calls them.

    Returns
    -------
    ndarray of float64, [N, 360]
        The same numbers.

    Raises
    ------
    DecisionError
        They have another shape or width, or one is not a finite number.
    """
    given: npt.NDArray[Any] = np.asarray(features)
    if given.ndim != 2 or given.shape[1] != N_FEATURES or given.dtype.kind not in "fiu":
        raise DecisionError(
            f"{name} are {given.dtype} {list(given.shape)}; expected numbers [clips, {N_FEATURES}], "
            "one row a clip, as osscl.features.memory_features gives them"
        )
    rows = given.astype(np.float64)
    bad = np.flatnonzero(~np.isfinite(rows).all(1))
    if bad.size:
        raise DecisionError(f"row {bad[0]} of {name} holds a number that is not finite; leave that clip out")
    return rows
