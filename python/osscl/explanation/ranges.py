"""Which range of neighbouring bands explains most of what sets a clip apart from normal ones."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from osscl.decisions.block import whiten

Floats = npt.NDArray[np.float64]


class Range(NamedTuple):
    """Neighbouring features that are changed together.

    Attributes
    ----------
    first, end : int
        The features `first` to `end` - 1.
    change : float
        By how much all of them are changed, in the unit of the features.
    z : float
        The change in spreads of normal clips, with its sign.
    """

    first: int
    end: int
    change: float
    z: float


def changed_ranges(residual: Floats, whitening: Floats, most: int) -> Iterator[Range]:
    """Find ranges of features, what explains most first.

    Each is the one change of neighbours that, taken away, lowers the whitened distance most; what the first
    explains is taken away before the next is looked for.

    Parameters
    ----------
    residual : ndarray of float64, [d]
        Whitened way from the normal clips to the clip.
    whitening : ndarray of float64, [d, d] or [d]
        What whitened it.
    most : int
        How many are looked for.

    Yields
    ------
    Range
        One after another, each weaker than the one before.
    """
    size = len(residual)
    firsts, ends = np.triu_indices(size)
    shapes = np.zeros((len(firsts), size))
    for row, (first, last) in enumerate(zip(firsts, ends, strict=True)):
        shapes[row, first : last + 1] = 1.0
    whitened = whiten(whitening, shapes)  # [ranges, d]
    power = np.einsum("rd,rd->r", whitened, whitened)
    left = residual
    for _ in range(most):
        along = whitened @ left
        best = int(np.argmax(along**2 / power))
        change = along[best] / power[best]
        yield Range(
            int(firsts[best]), int(ends[best]) + 1, float(change), float(along[best] / np.sqrt(power[best]))
        )
        left = left - change * whitened[best]
