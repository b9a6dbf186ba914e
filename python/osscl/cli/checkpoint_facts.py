"""What ``osscl inspect`` shows of a checkpoint that ``osscl train`` wrote."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from osscl.cli.console import as_json, print_facts
from osscl.cli.messages import emit
from osscl.errors import CheckpointError
from osscl.support.failed_import import needing
from osscl.support.links import unreadable
from osscl.support.own_cache import keep_torch_inside
from osscl.support.paths import printable
from osscl.support.plurals import plural
from osscl.support.regular_file import read_regular

if TYPE_CHECKING:
    from osscl.training.checkpoint import CheckpointInfo

CHECKPOINT_SUFFIX = ".safetensors"


def show_checkpoint(path: Path, *, json: bool) -> None:
    """Show what a checkpoint says of itself, once its hash is checked.

    Parameters
    ----------
    path : Path
        The checkpoint, with averaged weights or the state of a training.
    json : bool
        As one JSON document.

    Raises
    ------
    CheckpointError
        It is damaged, or of other programs.
    MissingExtraError
        PyTorch is not installed.
    """
    try:
        content = read_regular(path)  # before torch takes its seconds
    except OSError as error:
        raise CheckpointError(unreadable(path, "checkpoint", error)) from error
    keep_torch_inside()
    with needing("reading a checkpoint", "train"):
        from osscl.training.checkpoint import read_checkpoint, stated_sha256
    tensors, info = read_checkpoint(path, None)
    n_values = sum(tensor.numel() for tensor in tensors.values())
    hashes = {
        "file_sha256": hashlib.sha256(content).hexdigest(),
        "content_sha256": stated_sha256(path),
    }
    if json:
        emit(as_json({**hashes, "n_values": n_values, "checkpoint": info}))
        return
    shown = {name.replace("_", " "): value for name, value in hashes.items()}
    print_facts(_facts(path, info, n_values) | shown)


def _facts(path: Path, info: "CheckpointInfo", n_values: int) -> dict[str, Any]:
    n_classes = len(info.classes)
    contents = {"ema_weights": "averaged weights", "training_state": "the state of a training, to go on with"}
    n_training, n_held_out = len(info.training_clips), len(info.hold_out_clips)
    return {
        "file": f"{printable(path)} ({path.stat().st_size / 1e6:.2f} MB, its hash agrees)",
        "content": f"{contents[info.content]}, {n_values:,} values",
        "format": info.format,
        "recipe": _recipe(info),
        "classes": f"{n_classes}: {', '.join(info.classes)}",
        "clips": f"{n_training:,} {plural(n_training, 'clip')} to train on, {n_held_out:,} held out",
        "trained": f"{info.progress.epoch} of {info.config.epochs} {plural(info.config.epochs, 'epoch')}, "
        f"{info.progress.n_steps:,} {plural(info.progress.n_steps, 'step')}",
        **_best(info.progress.best),
        "training": str(info.verdict or "what it learned is not known"),
        "device": info.device,
        "versions": ", ".join(f"{name} {version}" for name, version in info.versions.items()) or "not known",
        "git revision": info.git_revision or "none",
        "data fingerprint": info.data_fingerprint,
    }


def _best(best: Any) -> dict[str, str]:
    if best is None:
        return {"hold-out accuracy": "not known before the first epoch is complete"}
    return {
        "hold-out accuracy": f"{best.hold_out_accuracy:.4f} (loss {best.hold_out_loss:.4f}, after epoch "
        f"{best.epoch + 1})"
    }


def _recipe(info: "CheckpointInfo") -> str:
    """Settings that differ from the published recipe's, as a recipe's file spells them."""
    published = msgspec.to_builtins(type(info.config)())
    changed = {
        name: value
        for name, value in msgspec.to_builtins(info.config).items()
        if value != published[name] and value is not None
    }
    spelled = ", ".join(f"{name} = {value}" for name, value in changed.items())
    return f"the published one, but {spelled}" if spelled else "the published one"
