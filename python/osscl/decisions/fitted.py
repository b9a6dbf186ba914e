"""Arithmetic of the memory: blocks fitted to normal clips, and their distances made into one score."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from osscl.decisions.block import BlockFit, fit_block, left_out_distances
from osscl.decisions.blocks import BLOCKS, Block, Rows
from osscl.decisions.space import FEATURE_SPACE, Space

SPREAD_FLOOR = 0.05
MEAN_FLOOR = 0.1


class Standard(NamedTuple):
    """Mean and spread of a block's leave-one-out distances."""

    mean: float
    spread: float


@dataclass(frozen=True, eq=False)
class Fitted:
    """What a score is computed from.

    Attributes
    ----------
    fits : dict of str to BlockFit
        Each block, fitted to all normal clips.
    standards : dict of str to Standard
        What each block's distance is measured in.
    leave_one_out : ndarray of float64, [n]
        Score of each normal clip by everything fitted without its group.
    left_out_z : dict of str to ndarray of float64, [n]
        What each block says of it then.
    space : Space
        What the clips are compared by.
    """

    fits: dict[str, BlockFit]
    standards: dict[str, Standard]
    leave_one_out: npt.NDArray[np.float64]
    left_out_z: dict[str, npt.NDArray[np.float64]]
    space: Space

    def distances(self, rows: Rows) -> dict[str, npt.NDArray[np.float64]]:
        """Distances of clips [m, size] from the normal ones, [m] a block."""
        blocks = self.space.blocks.items()
        return {name: self.fits[name].distances(rows[:, block.columns]) for name, block in blocks}

    def z(self, rows: Rows) -> dict[str, npt.NDArray[np.float64]]:
        """Distances of clips [m, size] as leave-one-out distances have mean 0 and spread 1, [m] a block."""
        return {
            name: (distance - self.standards[name].mean) / self.standards[name].spread
            for name, distance in self.distances(rows).items()
        }

    def score(self, rows: Rows) -> npt.NDArray[np.float64]:
        """Score of clips [m, size], [m]."""
        return weighted_sum(self.z(rows), self.space.blocks)


def fit_all(
    rows: Rows,
    groups: npt.NDArray[np.intp],
    priors: Mapping[str, Rows] | None,
    space: Space = FEATURE_SPACE,
) -> Fitted:
    """Fit all blocks, and score each normal clip without its group.

    Parameters
    ----------
    rows : ndarray of float64, [n, size]
        Numbers of the normal clips.
    groups : ndarray of int, [n]
        Which clips are left out together, counted from 0; two or more remain without any group.
    priors : mapping of str to ndarray of float64, or None
        The background's covariance of each block; None where there is no background.
    space : Space
        What the numbers are.

    Returns
    -------
    Fitted
        In float64 throughout.
    """
    fits, standards, z = {}, {}, {}
    for name, block in space.blocks.items():
        part = rows[:, block.columns]
        prior = None if priors is None else priors[name]
        fits[name] = fit_block(part, prior, full=block.full, min_variance=space.min_variance)
        left_out = left_out_distances(part, groups, prior, full=block.full, min_variance=space.min_variance)
        standards[name] = standard_of(left_out, block.size)
        z[name] = (left_out - standards[name].mean) / standards[name].spread
    return Fitted(fits, standards, weighted_sum(z, space.blocks), z, space)


def weighted_sum(
    z: Mapping[str, npt.NDArray[np.float64]], blocks: Mapping[str, Block] = BLOCKS
) -> npt.NDArray[np.float64]:
    """The score: z of all blocks, [m] each, by their weights."""
    total: npt.NDArray[np.float64] = sum(block.weight * z[name] for name, block in blocks.items())  # type: ignore[assignment]
    return total


def standard_of(left_out: npt.NDArray[np.float64], size: int) -> Standard:
    """Mean and spread of leave-one-out distances; clips that hardly differ do not make a z endless."""
    mean = left_out.mean()
    floor = SPREAD_FLOOR * max(mean, MEAN_FLOOR * np.sqrt(size))
    return Standard(float(mean), float(np.sqrt(left_out.var(ddof=1) + floor**2)))
