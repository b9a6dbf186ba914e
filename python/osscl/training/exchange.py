"""Exchange between the clips of a batch: what is half one clip and half another is a class of its own.

A network that tells such clips from whole ones must look at how a machine's parts go together, and not only
at one of them that would be enough to know the machine by.
"""

import torch
from torch import Tensor

from osscl.training.pseudo_classes import first_label
from osscl.training.randomness import Purpose, generator
from osscl.training.step import Batch
from osscl.training.train_config import TrainConfig

SHARE = 0.5
"""Chance that a clip takes part of another one."""
_MIN_DEVIATION_DB = 1e-3


def exchange(
    batch: Batch, input_names: tuple[str, ...], n_classes: int, config: TrainConfig, epoch: int, step: int
) -> Batch:
    """Let clips of a batch take parts of others.

    Parameters
    ----------
    batch : Batch
        The clips.
    input_names : tuple of str
        What its inputs are.
    n_classes : int
        Number of real classes K; pseudo-classes neither give nor take.
    config : TrainConfig
        What is exchanged, and the seed.
    epoch, step : int
        Decide the draw.

    Returns
    -------
    Batch
        With two labels for each clip that took something: what it kept is of one class, what it took of
        another.

    References
    ----------
    Wilkinghoff, "Self-supervised learning for anomalous sound detection", ICASSP 2024, arXiv 2312.09578,
    section 2: exchange of statistics, as by Chen et al., ICASSP 2023, and of features.
    """
    if not config.exchanged:
        return batch
    chance = generator(config.seed, Purpose.EXCHANGE, epoch, step)
    size, device = len(batch.labels), batch.labels.device
    giver = torch.from_numpy(chance.permutation(size)).to(device)  # [B]
    takes = torch.from_numpy(chance.random(size) < SHARE).to(device)  # [B]
    kind = torch.from_numpy(chance.integers(len(config.exchanged), size=size)).to(device)  # [B]
    takes &= (batch.labels < n_classes) & (batch.labels[giver] < n_classes)
    inputs, labels, others = dict(zip(input_names, batch.inputs, strict=True)), batch.labels, batch.labels
    log_mel = inputs["log_mel"]  # [B, 128, 313]
    for number, name in enumerate(config.exchanged):
        chosen = takes & (kind == number)  # [B]
        taken = log_mel[giver] if name == "features" else _with_statistics_of(log_mel, giver)
        inputs["log_mel"] = torch.where(chosen[:, None, None], taken, inputs["log_mel"])
        kept, given = (
            first_label(f"exchanged {name} {role}", n_classes, config) for role in ("kept", "taken")
        )
        labels = torch.where(chosen, kept + batch.labels, labels)
        others = torch.where(chosen, given + batch.labels[giver], others)
    return Batch(tuple(inputs[name] for name in input_names), labels, others)


def _with_statistics_of(log_mel: Tensor, giver: Tensor) -> Tensor:
    """Log-mels [B, 128, 313] with mean and deviation over time, band by band, of other clips."""
    deviation, mean = torch.std_mean(log_mel, dim=2, keepdim=True)  # [B, 128, 1]
    plain = (log_mel - mean) / deviation.clamp(min=_MIN_DEVIATION_DB)
    return plain * deviation[giver] + mean[giver]
