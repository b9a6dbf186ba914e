"""The embedding told to keep what a machine's memory listens to: levels and fluctuations of bands.

Telling machines apart needs neither, so that a network forgets them. A linear map, which exists in training
alone, must read them from the embedding.
"""

import torch
from torch import Tensor, nn

from osscl.config import EMBEDDING_SIZE
from osscl.features import BLOCKS, N_FEATURES

WEIGHTS = {"level": 1.0, "modulation": 1.0, "flutter": 0.5, "event": 0.5}
"""How much each block counts beside the others."""


class FeatureReading(nn.Linear):
    """Embedding [B, 128] of norm 1 -> features [B, 360] in deviations from their mean."""

    def __init__(self) -> None:
        super().__init__(EMBEDDING_SIZE, N_FEATURES)

    def forward(self, embedding: Tensor) -> Tensor:
        """Read the features of a batch; entries of the embedding are brought to a mean square of 1 first."""
        return super().forward(embedding * EMBEDDING_SIZE**0.5)


def feature_loss(read: Tensor, targets: Tensor) -> Tensor:
    """Squared error of features that were read from embeddings.

    Parameters
    ----------
    read, targets : Tensor, [B, 360]
        In deviations from the mean over the training clips.

    Returns
    -------
    Tensor
        Scalar: mean over the features of each block, blocks weighted by `WEIGHTS`.

    References
    ----------
    Pascual et al., "Learning problem-agnostic speech representations from multiple self-supervised tasks",
    Interspeech 2019, arXiv 1904.03416: regression of known features as a task beside others.
    """
    error = (read - targets).square()  # [B, 360]
    return torch.stack([WEIGHTS[name] * error[:, part].mean() for name, part in BLOCKS.items()]).sum()
