"""Mixup: each clip of a batch is mixed with another one of it, all in the same proportion."""

from typing import NamedTuple

import torch
from torch import Tensor

from osscl.training.randomness import Purpose, generator

BETA = 0.5  # both parameters of the Beta distribution of the share


class Mixing(NamedTuple):
    """How the clips of a batch are mixed.

    Attributes
    ----------
    share : float
        Share lambda of a clip itself, in [0, 1]; its partner has the rest.
    permutation : Tensor of int64, [B]
        Partner of each clip.
    """

    share: float
    permutation: Tensor

    def mix(self, x: Tensor) -> Tensor:
        """Mix waveforms or log-mels [B, ...] along their first axis."""
        return self.share * x + (1.0 - self.share) * x[self.permutation]


def draw_mixing(seed: int, epoch: int, step: int, batch_size: int, device: torch.device) -> Mixing:
    """Draw share and partners of one batch.

    Parameters
    ----------
    seed, epoch, step : int
        Decide the draw.
    batch_size : int
        Number of clips B.
    device : torch.device
        Where the permutation shall be.

    Returns
    -------
    Mixing
        One share for the whole batch, as published.

    References
    ----------
    Zhang et al., "mixup: beyond empirical risk minimization", ICLR 2018, arXiv 1710.09412.
    """
    chance = generator(seed, Purpose.MIXUP, epoch, step)
    share = float(chance.beta(BETA, BETA))
    return Mixing(share, torch.from_numpy(chance.permutation(batch_size)).to(device))
