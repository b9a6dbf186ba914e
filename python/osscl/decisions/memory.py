"""A machine's memory: what its normal clips sound like, and how far others are from that."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from osscl.decisions.blocks import Rows
from osscl.decisions.fitted import weighted_sum
from osscl.decisions.fitted_normals import FittedNormals
from osscl.decisions.space import FEATURE_SPACE, Space


class MemoryScores(NamedTuple):
    """Scores of clips by a memory, higher is more anomalous.

    Attributes
    ----------
    score : ndarray of float64, [M]
        z_level + z_modulation + z_flutter + z_event / 4.
    z_level, z_modulation, z_flutter, z_event : ndarray of float64, [M]
        What each block says, in spreads of the normal clips' leave-one-out distances.
    """

    score: npt.NDArray[np.float64]
    z_level: npt.NDArray[np.float64]
    z_modulation: npt.NDArray[np.float64]
    z_flutter: npt.NDArray[np.float64]
    z_event: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Memory(FittedNormals):
    """What the normal clips of one machine sound like, by their features; made by `Memory.fit`."""

    space: ClassVar[Space] = FEATURE_SPACE

    @property
    def features(self) -> Rows:
        """Rounded features of the clips that it is fitted to, [n, 360] float64."""
        return self.rows

    def score(self, features: npt.ArrayLike) -> MemoryScores:
        """Score clips.

        Parameters
        ----------
        features : array_like of float, [M, 360]
            Their features in dB, finite.

        Returns
        -------
        MemoryScores
            Each clip's as it would be alone.

        Raises
        ------
        DecisionError
            The features have another shape, or are not finite.
        """
        z = self.fitted.z(self.space.rows(features))
        return MemoryScores(weighted_sum(z), *z.values())
