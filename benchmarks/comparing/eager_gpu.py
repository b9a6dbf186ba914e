"""PyTorch without compilation on a GPU, in fp32 without TF32: samples in pinned memory to scores."""

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from comparing.published_way import PublishedFrontEnd, published_network
from osscl.audio.samples import INT16_FULL_SCALE
from osscl.bench.rounds import Repetition, repeat_call
from osscl.model import arcface_logits


class EagerOnGpu:
    """The published network and front end on one device.

    Parameters
    ----------
    checkpoint : Path
        Weights of the network.
    device : str
        Such as "cuda:0".
    """

    def __init__(self, checkpoint: Path, device: str) -> None:
        torch.backends.cuda.matmul.fp32_precision = "ieee"
        torch.backends.cudnn.conv.fp32_precision = "ieee"
        self.device = torch.device(device)
        self.model = published_network(checkpoint).to(self.device)
        self.front_end = PublishedFrontEnd().to(self.device)

    @torch.inference_mode()
    def score(self, samples: Tensor, labels: Tensor) -> np.ndarray:
        """Samples int16 [B, 160000] and labels [B], in the host's memory -> scores [B]."""
        waveform = samples.to(self.device, non_blocking=True) / INT16_FULL_SCALE
        inputs = {"waveform": waveform, "log_mel": self.front_end(waveform)}
        _, cosine = self.model(*(inputs[name] for name in self.model.input_names))
        claimed = labels.to(self.device, non_blocking=True)
        config = self.model.config
        logits = arcface_logits(cosine, claimed, config.margin, config.scale)
        return cross_entropy(logits, claimed, reduction="none").cpu().numpy()

    def in_memory(self, samples: np.ndarray) -> Tensor:
        """Samples as a tensor that the GPU copies by itself."""
        tensor = torch.from_numpy(samples)
        return tensor.pin_memory() if self.device.type == "cuda" else tensor


@dataclass
class EagerBatches:
    """Batches of one size, one after the other; a work of the rounds.

    Attributes
    ----------
    eager : EagerOnGpu
        What computes.
    batches : list of ndarray
        Samples int16, [B, 160000] each.
    """

    eager: EagerOnGpu
    batches: list[np.ndarray]

    def run(self, seconds: float) -> Repetition:
        """Score batches in turn."""
        size = len(self.batches[0])
        labels = torch.zeros(size, dtype=torch.int64)
        batches = itertools.cycle([self.eager.in_memory(batch) for batch in self.batches])
        return repeat_call(lambda: self.eager.score(next(batches), labels), size, seconds)
