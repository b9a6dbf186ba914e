"""Tgram: a learned spectrogram, one wide convolution over the waveform and three narrow ones over time."""

from torch import Tensor, nn

from osscl.config import CLIP, FRONTEND

KERNEL_SIZE = 1024
N_BLOCKS = 3


class TgramBlock(nn.Module):
    """Normalisation of each channel over time, activation, convolution over three frames."""

    def __init__(self, n_channels: int, n_frames: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(n_frames)
        self.activation = nn.LeakyReLU(0.2)
        self.conv = nn.Conv1d(n_channels, n_channels, kernel_size=3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.activation(self.norm(x))  # [B, 128, 313]
        y: Tensor = self.conv(x)  # [B, 128, 313]
        return y


class Tgram(nn.Module):
    """Map of the waveform with the log-mel's size, its filters learned.

    References
    ----------
    Liu et al., "Anomalous sound detection using spectral-temporal information fusion", ICASSP 2022,
    arXiv 2201.05510.
    """

    def __init__(self) -> None:
        super().__init__()
        n_channels = FRONTEND.n_mels
        n_frames = FRONTEND.n_frames(CLIP.n_samples)
        self.conv = nn.Conv1d(
            1, n_channels, KERNEL_SIZE, stride=FRONTEND.hop_length, padding=KERNEL_SIZE // 2, bias=False
        )
        self.blocks = nn.Sequential(*(TgramBlock(n_channels, n_frames) for _ in range(N_BLOCKS)))

    def forward(self, waveform: Tensor) -> Tensor:
        """Waveform [B, 160000], full scale ±1 -> map [B, 128, 313]."""
        x = self.conv(waveform.unsqueeze(1))  # [B, 1, 160000] -> [B, 128, 313]
        y: Tensor = self.blocks(x)  # [B, 128, 313]
        return y
