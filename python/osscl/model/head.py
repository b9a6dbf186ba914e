"""Feature-perturbation head: a narrow pass between encoder and embedding."""

from torch import Tensor, nn

from osscl.config import EMBEDDING_SIZE, HeadKind


class PerturbationHead(nn.Module):
    """Linear to half the size and back, each with activation and batch norm; or nothing at all.

    Parameters
    ----------
    kind : {"basic", "leaky_relu", "none"}
        ReLU, LeakyReLU with slope 0.01, or no head (the encoder's vector passes unchanged).

    References
    ----------
    Huang, Fang, He, "One-stage supervised contrastive learning for anomalous sound detection",
    ICASSP 2025, arXiv 2509.13853.
    """

    def __init__(self, kind: HeadKind) -> None:
        super().__init__()
        narrow = EMBEDDING_SIZE // 2
        self.layers = nn.Sequential()
        if kind != "none":
            activation = {"basic": nn.ReLU, "leaky_relu": nn.LeakyReLU}[kind]
            self.layers.extend(
                [
                    nn.Linear(EMBEDDING_SIZE, narrow),
                    activation(),
                    nn.BatchNorm1d(narrow),
                    nn.Linear(narrow, EMBEDDING_SIZE),
                    activation(),
                    nn.BatchNorm1d(EMBEDDING_SIZE),
                ]
            )

    def forward(self, x: Tensor) -> Tensor:
        """Vector [B, 128] -> vector [B, 128]."""
        y: Tensor = self.layers(x)
        return y
