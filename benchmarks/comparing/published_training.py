"""The published way to train: torch's DataLoader, a log-mel in torch, the network as it was written."""

import copy
import time
from collections.abc import Sequence

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from comparing.published_way import PublishedFrontEnd, read_waveform, with_adaptive_pooling
from osscl.model import OSSCL
from osscl.training.clips import TrainingData
from osscl.training.losses import batch_losses
from osscl.training.mixup import draw_mixing
from osscl.training.train_config import TrainConfig

_DECAY = 0.9999


class _Clips(Dataset[tuple[torch.Tensor, torch.Tensor, int]]):
    """Recordings, read and transformed where they are asked for."""

    def __init__(self, paths: Sequence[str], labels: Sequence[int]) -> None:
        self._paths, self._labels, self._front_end = paths, labels, PublishedFrontEnd()

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, number: int) -> tuple[torch.Tensor, torch.Tensor, int]:
        waveform = torch.from_numpy(read_waveform(self._paths[number]))  # [1, 160000]
        return waveform[0], self._front_end(waveform)[0], self._labels[number]


def seconds_of_steps(data: TrainingData, config: TrainConfig, n_steps: int, workers: int) -> list[float]:
    """Times of steps from files to averaged weights, on a CPU.

    Parameters
    ----------
    data : TrainingData
        The clips; taken again where they are fewer than the steps need.
    config : TrainConfig
        Batch, losses and precision.
    n_steps : int
        How many.
    workers : int
        Processes of the DataLoader.

    Returns
    -------
    list of float, [n_steps]
        Seconds.
    """
    clips = (data.clips * (1 + n_steps * config.batch_size // len(data.clips)))[: n_steps * config.batch_size]
    dataset = _Clips([clip.path for clip in clips], [data.label(clip) for clip in clips])
    loader = DataLoader(dataset, config.batch_size, shuffle=True, num_workers=workers)
    network = with_adaptive_pooling(OSSCL(config.model(data.classes))).train()
    average = copy.deepcopy(network).eval()
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    times, before = [], time.perf_counter()
    for step, (waveform, log_mel, labels) in enumerate(loader):
        mixing = draw_mixing(config.seed, 0, step, len(labels), torch.device("cpu"))
        inputs = tuple(mixing.mix(x) for x in (waveform, log_mel))
        with torch.autocast("cpu", torch.bfloat16, enabled=config.precision == "bf16"):
            vector = network.vector(*inputs)
        embedding, cosine = network.compare(vector.float())
        losses = batch_losses(embedding, cosine, labels, mixing, config)
        optimizer.zero_grad()
        losses.total.backward()
        optimizer.step()
        _take_in(average, network)
        times.append(time.perf_counter() - before)
        before = time.perf_counter()
    return times


@torch.no_grad()
def _take_in(average: nn.Module, network: nn.Module) -> None:
    for mean, value in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.mul_(_DECAY).add_(value, alpha=1 - _DECAY)
