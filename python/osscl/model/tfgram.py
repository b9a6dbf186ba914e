"""TFgram: a learned time-frequency map of the waveform, from convolutions and pooling over time alone."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_max_pool1d

from osscl.config import CLIP, FRONTEND

STEM_CHANNELS = 64
STEM_STRIDE = 5


class AdaptiveMaxPool(nn.Module):
    """Adaptive max pooling over the last axis, from one fixed length to another.

    Window i covers the samples from ``floor(i * n_in / n_out)`` up to ``ceil((i + 1) * n_in / n_out)``.
    The shortest window's length k serves all of them: a longer window is the union of two of length k,
    one at its start and one at its end. So equal windows and two gathers give the very numbers of
    ``torch.nn.AdaptiveMaxPool1d``, which is faster where gradients are wanted and has no counterpart
    in ONNX.

    Parameters
    ----------
    n_in, n_out : int
        Lengths before and after.
    """

    first: Tensor
    last: Tensor

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        starts = [i * n_in // n_out for i in range(n_out)]
        ends = [-(-(i + 1) * n_in // n_out) for i in range(n_out)]
        lengths = [end - start for start, end in zip(starts, ends, strict=True)]
        shortest = min(lengths)
        assert max(lengths) <= 2 * shortest, f"two windows of {shortest} do not cover one of {max(lengths)}"
        self.pool = nn.MaxPool1d(shortest, stride=1)
        self.register_buffer("first", torch.tensor(starts), persistent=False)
        self.register_buffer("last", torch.tensor([end - shortest for end in ends]), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return adaptive_max_pool1d(x, len(self.first))  # [B, C, n_out]
        x = self.pool(x)  # [B, C, n_in - k + 1]
        return torch.maximum(x.index_select(-1, self.first), x.index_select(-1, self.last))  # [B, C, n_out]


def max_pool_to(n_in: int, n_out: int) -> nn.Module:
    """Adaptive max pooling as the plainest layer that does it."""
    return AdaptiveMaxPool(n_in, n_out) if n_in % n_out else nn.MaxPool1d(n_in // n_out)


class TFgramStage(nn.Module):
    """Two convolutions, the second dilated, each with batch norm and ReLU; then max pooling over time."""

    def __init__(self, in_channels: int, out_channels: int, n_in: int, n_out: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(in_channels, out_channels, kernel_size=3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm1d(out_channels)
        self.conv2 = nn.Conv1d(out_channels, out_channels, kernel_size=3, dilation=2, padding=2, bias=False)
        self.bn2 = nn.BatchNorm1d(out_channels)
        self.pool = max_pool_to(n_in, n_out)

    def forward(self, x: Tensor) -> Tensor:
        x = self.bn1(self.conv1(x)).relu()  # [B, C, n_in]
        x = self.bn2(self.conv2(x)).relu()  # [B, C, n_in]
        y: Tensor = self.pool(x)  # [B, C, n_out]
        return y


class TFgram(nn.Module):
    """Map of the waveform with the log-mel's size, from a stack of small convolutions.

    References
    ----------
    Huang, Fang, He, "One-stage supervised contrastive learning for anomalous sound detection",
    ICASSP 2025, arXiv 2509.13853.
    """

    def __init__(self) -> None:
        super().__init__()
        n_frames = FRONTEND.n_frames(CLIP.n_samples)
        n_stem = CLIP.n_samples // STEM_STRIDE
        channels = (STEM_CHANNELS, STEM_CHANNELS, FRONTEND.n_mels, FRONTEND.n_mels)
        lengths = (n_stem, n_stem // 4, 2 * n_frames, n_frames)

        self.conv = nn.Conv1d(1, STEM_CHANNELS, kernel_size=11, stride=STEM_STRIDE, padding=5, bias=False)
        self.bn = nn.BatchNorm1d(STEM_CHANNELS)
        self.stages = nn.Sequential(
            *(
                TFgramStage(in_channels, out_channels, n_in, n_out)
                for (in_channels, out_channels), (n_in, n_out) in zip(
                    pairwise(channels), pairwise(lengths), strict=True
                )
            )
        )
        for module in self.modules():
            if isinstance(module, nn.Conv1d):
                nn.init.xavier_uniform_(module.weight)

    def forward(self, waveform: Tensor) -> Tensor:
        """Waveform [B, 160000], full scale ±1 -> map [B, 128, 313]."""
        x = self.conv(waveform.unsqueeze(1))  # [B, 1, 160000] -> [B, 64, 32000]
        x = self.bn(x).relu()  # [B, 64, 32000]
        y: Tensor = self.stages(x)  # -> [B, 64, 8000] -> [B, 128, 626] -> [B, 128, 313]
        return y
