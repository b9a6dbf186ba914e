"""The published way: soundfile, torch.stft, the network in PyTorch as it was written, batch 1."""

from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from osscl.config import CLIP, FRONTEND, ModelConfig
from osscl.export.checkpoint import load_checkpoint
from osscl.frontend import tables
from osscl.model import OSSCL, arcface_logits
from osscl.model.tfgram import AdaptiveMaxPool


class PublishedFrontEnd(nn.Module):
    """Log-mel as the published code computes it: Fourier transform, power, dense filter matrix, decibels."""

    def __init__(self) -> None:
        super().__init__()
        _, filters = tables()
        self.register_buffer("window", torch.hann_window(FRONTEND.n_fft))
        self.register_buffer("filters", torch.from_numpy(filters))

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        """Waveform [B, 160000] -> log-mel [B, 128, 313], dB."""
        spectrum = torch.stft(
            waveform,
            FRONTEND.n_fft,
            FRONTEND.hop_length,
            window=self.window,
            center=True,
            pad_mode="constant",
            return_complex=True,
        )  # [B, 1025, 313]
        mel_power = self.filters @ spectrum.abs().square()  # [B, 128, 313]
        return 10.0 * mel_power.clamp(min=FRONTEND.power_floor).log10()


class PublishedWay:
    """One file after the other, from its path to its score.

    Parameters
    ----------
    checkpoint : Path
        Weights of the network.
    """

    def __init__(self, checkpoint: Path) -> None:
        self.model = published_network(checkpoint)
        self.front_end = PublishedFrontEnd()

    @property
    def config(self) -> ModelConfig:
        """Shape of the network."""
        return self.model.config

    @torch.inference_mode()
    def score(self, path: str, label: int) -> float:
        """Anomaly score of a file that claims to be of a class."""
        waveform = torch.from_numpy(read_waveform(path))
        inputs = {"waveform": waveform, "log_mel": self.front_end(waveform)}
        _, cosine = self.model(*(inputs[name] for name in self.model.input_names))
        return self.score_of(cosine, label)

    def score_of(self, cosine: torch.Tensor, label: int) -> float:
        """Cosine [1, K] -> cross-entropy with the margin on the claimed class."""
        labels = torch.tensor([label])
        logits = arcface_logits(cosine, labels, self.config.margin, self.config.scale)
        return cross_entropy(logits, labels).item()


def published_network(checkpoint: Path) -> OSSCL:
    """The network with PyTorch's own adaptive pooling, which the export has to write otherwise."""
    return with_adaptive_pooling(load_checkpoint(checkpoint).model).eval()


def with_adaptive_pooling(model: OSSCL) -> OSSCL:
    """The same network with PyTorch's own adaptive pooling."""
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, AdaptiveMaxPool):
                setattr(module, name, nn.AdaptiveMaxPool1d(len(child.first)))
    return model


def read_waveform(path: str) -> np.ndarray:
    """File -> waveform [1, 160000], full scale ±1."""
    waveform, _ = soundfile.read(path, dtype="float32", frames=CLIP.n_samples)
    return waveform[None]
