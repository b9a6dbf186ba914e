"""Checkpoints in the published layout with random weights."""

import json
from pathlib import Path
from typing import Any

import torch

from osscl.config import ModelConfig
from osscl.dcase import PUBLISHED_CLASSES
from osscl.export.published import published_name
from osscl.model import OSSCL


def random_state(**settings: Any) -> dict[str, torch.Tensor]:
    """A published state dict of random weights whose batch norms shift and scale, as trained ones do."""
    torch.manual_seed(0)
    model = OSSCL(ModelConfig(classes=PUBLISHED_CLASSES, **settings))
    state = model.state_dict()
    for name, value in state.items():
        if name.endswith("running_var"):
            value.uniform_(0.5, 2.0)
        elif name.endswith(("running_mean", "bias")):
            value.normal_(std=0.1)
    return {published_name(name): value for name, value in state.items()}


def write_checkpoint(
    path: Path, state: dict[str, torch.Tensor] | None = None, config: dict[str, Any] | None = None
) -> Path:
    """Write a checkpoint with its config.json; by default three maps and the basic head."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(random_state() if state is None else state, path)
    stated = {"m": 0.4, "fussion": 1, "ht": "basic"} if config is None else config
    path.with_name("config.json").write_text(json.dumps(stated), encoding="utf-8")
    return path
