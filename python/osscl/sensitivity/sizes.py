"""Graded sizes of a change, and the place of each between the smallest and the largest."""

from typing import NamedTuple

import numpy as np


class Sizes(NamedTuple):
    """From the smallest size to the largest.

    Attributes
    ----------
    least, largest : float
        Both negative for what is lowered: `largest` is then the lower.
    by_ratio : bool
        Whether neighbouring sizes have the same ratio; else the same difference.
    """

    least: float
    largest: float
    by_ratio: bool = True

    def at(self, place: float) -> float:
        """The size at a place.

        Parameters
        ----------
        place : float
            In [0, 1]: 0 is the smallest size, 1 the largest.

        Returns
        -------
        float
            The size.
        """
        if self.by_ratio:
            return float(self.least * (self.largest / self.least) ** place)
        return float(self.least + (self.largest - self.least) * place)

    def found(self, place: float) -> float | None:
        """The size at a place; None for infinity, where no size is found."""
        return self.at(place) if np.isfinite(place) else None
