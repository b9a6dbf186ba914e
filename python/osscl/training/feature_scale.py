"""What embeddings shall keep of clips, in a common scale; without torch, for processes that read."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from osscl.training.clips import TrainingClip, TrainingData

Float32 = npt.NDArray[np.float32]

MAX_DEVIATIONS = 5.0
"""Where a target is cut off: one odd clip shall not rule a batch."""
_MIN_DEVIATION_DB = 1e-3


class FeatureScale(NamedTuple):
    """Mean and deviation of each feature over the training clips, [360] float32, dB."""

    mean: Float32
    deviation: Float32

    @classmethod
    def of(cls, data: TrainingData, clips: Sequence[TrainingClip]) -> "FeatureScale":
        """Measure them over some of the clips."""
        features = np.stack([data.features[clip.sha256] for clip in clips])  # [N, 360]
        return cls(features.mean(0), features.std(0) + np.float32(_MIN_DEVIATION_DB))

    def targets(self, features: Float32) -> Float32:
        """Features [B, 360], dB, in deviations from the mean."""
        scaled: Float32 = (features - self.mean) / self.deviation
        return scaled.clip(-MAX_DEVIATIONS, MAX_DEVIATIONS)
