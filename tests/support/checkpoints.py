"""Checkpoints in the published layout with random weights."""

import json
from pathlib import Path
from typing import Any

import torch

from osscl.audio.samples import to_waveform
from osscl.config import ModelConfig
from osscl.export.published_layout import published_name
from osscl.frontend import log_mel
from osscl.machines.dcase import PUBLISHED_CLASSES
from osscl.model import OSSCL
from osscl.model_file.golden import golden_clips
from support.once import made_once


def random_state(**settings: Any) -> dict[str, torch.Tensor]:
    """A published state dict of random weights that tells clips apart.

    Its batch norms shift and scale what the golden clips give, as trained ones do. Without them the
    embedding of every clip is the same, and no test could tell a wrong graph from a right one.

    Parameters
    ----------
    **settings
        Of `ModelConfig`: inputs, head.
    """
    name = "-".join(["random_state", *(f"{name}_{value}" for name, value in sorted(settings.items()))])
    made = made_once(name, lambda at: torch.save(_make_state(**settings), at / "state.pth"))
    state: dict[str, torch.Tensor] = torch.load(made / "state.pth", weights_only=True)
    return state


def _make_state(**settings: Any) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    model = OSSCL(ModelConfig(classes=PUBLISHED_CLASSES, **settings))
    for name, value in model.state_dict().items():
        if name.endswith("bias"):
            value.normal_(std=0.1)
    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.momentum = 1.0  # take over what the clips give
    clips = golden_clips(8)
    feeds = {"waveform": to_waveform(clips), "log_mel": log_mel(clips)}
    with torch.no_grad():
        model.train()(*(torch.from_numpy(feeds[name]) for name in model.input_names))
    return {published_name(name): value for name, value in model.state_dict().items()}


def write_checkpoint(
    path: Path, state: dict[str, torch.Tensor] | None = None, config: dict[str, Any] | None = None
) -> Path:
    """Write a checkpoint with its config.json; by default three maps and the basic head."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(random_state() if state is None else state, path)
    stated = {"m": 0.4, "fussion": 1, "ht": "basic"} if config is None else config
    path.with_name("config.json").write_text(json.dumps(stated), encoding="utf-8")
    return path
