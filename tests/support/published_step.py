"""A training step whose figures are known, done by ours."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from osscl.audio.reading import read_clip
from osscl.export.checkpoint import load_checkpoint
from osscl.export.published_layout import is_unused, published_name
from osscl.frontend import log_mel
from osscl.training.learning_network import LearningNetwork
from osscl.training.losses import Losses
from osscl.training.mixup import Mixing
from osscl.training.state import BETAS, EPSILON
from osscl.training.step import Batch, training_step
from osscl.training.train_config import TrainConfig
from support.reference import Reference
from support.reference_step import reference_step

# a batch norm follows these biases: their true gradient is zero, what is measured is rounding noise
NOISE = {f"mobilefacenet.blocks.{i}.conv.7.bias" for i in range(6)} | {"mobilefacenet.linear7.bn.bias"}


@dataclass(frozen=True)
class Step:
    """Ours and theirs, by the names of the published layout.

    Attributes
    ----------
    expected : dict
        The published figures.
    losses : Losses
        Of our step.
    gradient_norm, state_norm : dict of str to float
        L2 norms of our gradients, and of the floating-point state after the step.
    sizes : dict of str to int
        Numbers in each entry of the state.
    """

    expected: dict[str, Any]
    losses: Losses
    gradient_norm: dict[str, float]
    state_norm: dict[str, float]
    sizes: dict[str, int]

    @property
    def expected_state_norm(self) -> dict[str, float]:
        """Theirs, but for the entries that nothing uses."""
        stated: dict[str, float] = self.expected["state_norm_after_step"]
        return {name: norm for name, norm in stated.items() if not is_unused(name, "three_maps")}

    def relative_state_errors(self) -> dict[str, float]:
        """Difference of each entry's norm, over the norm."""
        wanted = self.expected_state_norm
        return {name: abs(self.state_norm[name] - norm) / norm for name, norm in wanted.items()}


def do_published_step(shared: Path) -> Step:
    """Do the step that the published figures describe, from the reference checkpoint."""
    expected = json.loads((shared / "reference" / "train_step.json").read_text())
    clips = [shared / "data" / "dcase2020" / clip for clip in expected["clips"]]
    return _do_step(expected, shared / "reference" / "osscl_basic.pth", clips)


def do_reference_step(reference: Reference) -> Step:
    """Do the step that follows from the definition."""
    samples = np.stack([read_clip(clip).samples for clip in reference.clips])
    expected = reference_step(
        torch.load(reference.checkpoint, weights_only=True),
        torch.from_numpy(samples.astype(np.float32) / np.float32(32768)),
        torch.from_numpy(log_mel(samples)),
        torch.from_numpy(reference.outputs["label"]),
        share=0.3,
        others=torch.arange(len(samples)).roll(3),
    )
    return _do_step(expected, reference.checkpoint, reference.clips)


def _do_step(expected: dict[str, Any], checkpoint: Path, paths: list[Path]) -> Step:
    config = TrainConfig()
    published = load_checkpoint(checkpoint).model
    model = LearningNetwork(config, published.config.classes)
    model.load_state_dict(published.state_dict())
    model.train()
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=expected["lr"], betas=BETAS, eps=EPSILON, weight_decay=config.weight_decay
    )
    samples = np.stack([read_clip(path).samples for path in paths])
    inputs = (torch.from_numpy(samples), torch.from_numpy(log_mel(samples)))
    batch = Batch(inputs, torch.tensor(expected["labels"]))
    mixing = Mixing(expected["lam"], torch.tensor(expected["perm"]))
    losses, _ = training_step(model, optimizer, batch, mixing, config)
    gradients = {name: value.grad for name, value in model.named_parameters()}
    state = {name: value for name, value in model.state_dict().items() if value.is_floating_point()}
    return Step(
        expected,
        losses,
        {published_name(name): value.norm().item() for name, value in gradients.items() if value is not None},
        {published_name(name): value.norm().item() for name, value in state.items()},
        {published_name(name): value.numel() for name, value in state.items()},
    )
