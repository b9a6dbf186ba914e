"""OSSCL: the whole network, from waveform and log-mel to embedding and cosines."""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from osscl.config import ModelConfig, ModelInputs
from osscl.model.arcface import ArcFace
from osscl.model.encoder import MobileFaceNet
from osscl.model.head import PerturbationHead
from osscl.model.tfgram import TFgram
from osscl.model.tgram import Tgram

INPUT_NAMES: Final[dict[ModelInputs, tuple[str, ...]]] = {
    "three_maps": ("waveform", "log_mel"),
    "log_mel": ("log_mel",),
}
"""Inputs of the network, in order, for each choice of maps."""


class ThreeMaps(nn.Module):
    """Log-mel, Tgram and TFgram, stacked."""

    n_maps: Final = 3

    def __init__(self) -> None:
        super().__init__()
        self.tgram = Tgram()
        self.tfgram = TFgram()

    def forward(self, waveform: Tensor, log_mel: Tensor) -> Tensor:
        """Waveform [B, 160000] and log-mel [B, 128, 313] -> maps [B, 3, 128, 313]."""
        return torch.stack((log_mel, self.tgram(waveform), self.tfgram(waveform)), dim=1)


class LogMelMap(nn.Module):
    """The log-mel alone."""

    n_maps: Final = 1

    def forward(self, log_mel: Tensor) -> Tensor:
        """Log-mel [B, 128, 313] -> maps [B, 1, 128, 313]."""
        return log_mel.unsqueeze(1)


class OSSCL(nn.Module):
    """Network of one-stage supervised contrastive learning.

    Parameters
    ----------
    config : ModelConfig
        Classes, maps and head.

    Attributes
    ----------
    input_names : tuple of str
        What `forward` takes, in order: waveform and log-mel, or the log-mel alone.

    References
    ----------
    Huang, Fang, He, "One-stage supervised contrastive learning for anomalous sound detection",
    ICASSP 2025, arXiv 2509.13853.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.input_names = INPUT_NAMES[config.inputs]
        self.maps = ThreeMaps() if config.inputs == "three_maps" else LogMelMap()
        self.encoder = MobileFaceNet(self.maps.n_maps)
        self.head = PerturbationHead(config.head)
        self.arcface = ArcFace(len(config.classes), config.sub_centres)

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Embed clips and compare them with each class.

        Parameters
        ----------
        *inputs : Tensor
            Those of `input_names`: waveform [B, 160000], full scale ±1; log-mel [B, 128, 313], dB.

        Returns
        -------
        embedding : Tensor, [B, 128]
            Vector of norm 1.
        cosine : Tensor, [B, K]
            Cosine of embedding and each class weight, without margin.
        """
        return self.compare(self.vector(*inputs))

    def vector(self, *inputs: Tensor) -> Tensor:
        """Inputs of `forward` -> vector [B, 128]: what may be computed in lower precision."""
        maps = self.maps(*inputs)  # [B, n_maps, 128, 313]
        x = self.encoder(maps)  # [B, 128]
        y: Tensor = self.head(x)  # [B, 128]
        return y

    def compare(self, vector: Tensor) -> tuple[Tensor, Tensor]:
        """Vector [B, 128] -> embedding [B, 128] and cosine [B, K], for which float32 is needed."""
        embedding = normalize(vector)  # [B, 128]
        return embedding, self.arcface(embedding)  # [B, 128], [B, K]
