"""Checkpoints of a training: one safetensors file with a JSON document that says what is in it.

A hash over document and tensors stands beside the document, so that no damage goes unnoticed: a float with
another bit is a float as well.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from osscl.config import ClipConfig, FrontendConfig, Settings
from osscl.errors import CheckpointError, OutputError
from osscl.model_file.decisions import StoredBackground, StoredEmbeddingBackground
from osscl.model_file.verdict import Verdict
from osscl.support.atomic import write_atomically
from osscl.support.links import unreadable
from osscl.support.paths import printable
from osscl.support.strict_json import decode_strictly
from osscl.training.progress import Progress
from osscl.training.resuming import DOCUMENT_KEY
from osscl.training.train_config import TrainConfig

SUFFIX = ".safetensors"
_KEY, _HASH_KEY = DOCUMENT_KEY, "osscl.checkpoint_sha256"

Format: TypeAlias = Literal["osscl.checkpoint/2", "osscl.checkpoint/3", "osscl.checkpoint/4"]
_FIELDS_SINCE = {
    "$.background": 3,
    "$.verdict": 4,
    "$.class_machines": 4,
    "$.embedding_background": 4,
    "$.config.classes": 4,
    "$.config.exposure": 4,
    "$.config.exchange": 4,
    "$.config.sub_centres": 4,
    "$.config.feature_loss": 4,
    "$.progress.best.hold_out_margin": 4,
    "$.progress.best.confusion": 4,
}
"""JSON paths, and the format that each came with."""

Content: TypeAlias = Literal["ema_weights", "training_state"]


class _Header(msgspec.Struct):
    """The one field that every format has."""

    format: Format


class CheckpointInfo(Settings, frozen=True, kw_only=True):
    """What a checkpoint says of itself.

    Attributes
    ----------
    format : str
        Version of this list of fields.
    content : {"ema_weights", "training_state"}
        The averaged weights alone; or all that a training needs to go on: live and averaged weights and
        the optimiser's moments.
    config : TrainConfig
        Settings of the training.
    classes : tuple of str
        Names of the classes, in the order of the class weight.
    front_end, clip : FrontendConfig, ClipConfig
        How recordings became inputs.
    front_end_sha256 : str
        Hash of the front end's settings.
    data_fingerprint : str
        Hash over class and content of all clips.
    training_clips, hold_out_clips : tuple of str
        Hashes of the clips' waveforms, see `osscl.samples.clip_sha256`.
    progress : Progress
        How far the training had come.
    device : str
        What it ran on.
    versions : dict of str to str
        Packages that took part.
    git_revision : str or None
        Revision of the folder that the training was started in; None outside of a repository.
    background : StoredBackground or None
        How the training clips of any one machine vary; None where there are fewer than 4 machines of 4 clips.
        Since ``osscl.checkpoint/3``.
    verdict : Verdict or None
        What the clips held out say of the best averaged weights; None before an epoch is complete, and where
        it is not known. Since ``osscl.checkpoint/4``.
    class_machines : tuple of str or None
        Machine of each class, in their order, where machines have several; None where each class is a
        machine. Since ``osscl.checkpoint/4``.
    embedding_background : StoredEmbeddingBackground or None
        How these weights' embeddings of the training clips of any one machine vary; None in the state of a
        training, before its end, and where there are fewer than 4 machines of 4 clips. Since
        ``osscl.checkpoint/4``.
    """

    format: Format = "osscl.checkpoint/4"
    content: Content
    config: TrainConfig
    classes: tuple[str, ...]
    front_end: FrontendConfig
    clip: ClipConfig
    front_end_sha256: str
    data_fingerprint: str
    training_clips: tuple[str, ...]
    hold_out_clips: tuple[str, ...]
    progress: Progress
    device: str
    versions: dict[str, str]
    git_revision: str | None
    background: StoredBackground | None = None
    verdict: Verdict | None = None
    class_machines: tuple[str, ...] | None = None
    embedding_background: StoredEmbeddingBackground | None = None


def write_checkpoint(path: Path, tensors: Mapping[str, Tensor], info: CheckpointInfo) -> None:
    """Write a checkpoint whole, or leave the one before as it is.

    Parameters
    ----------
    path : Path
        File to write; an existing one is replaced.
    tensors : mapping of str to Tensor
        On any device.
    info : CheckpointInfo
        What they are.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    held = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    document = msgspec.json.encode(info).decode()
    content = save(held, metadata={_KEY: document, _HASH_KEY: content_sha256(document, held)})
    try:
        write_atomically(path, [content])
    except OSError as error:
        kept = "; the checkpoint before it is kept" if path.exists() else ""
        raise OutputError(
            f"{printable(path)}: the checkpoint cannot be written: {error.strerror}{kept}"
        ) from error


def read_checkpoint(path: Path, content: Content | None) -> tuple[dict[str, Tensor], CheckpointInfo]:
    """Read a checkpoint.

    Parameters
    ----------
    path : Path
        File that `write_checkpoint` wrote.
    content : {"ema_weights", "training_state"} or None
        What it must hold; None for either.

    Returns
    -------
    tensors : dict of str to Tensor
        On the CPU.
    info : CheckpointInfo
        What they are.

    Raises
    ------
    CheckpointError
        The file cannot be read, is damaged or foreign, has no hash of its content, or holds something else.
    """
    try:
        with safe_open(path, "pt") as file:
            stated = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except OSError as error:
        raise CheckpointError(unreadable(path, "checkpoint", error)) from error
    except SafetensorError as error:
        raise CheckpointError(f"{printable(path)}: no safetensors file, or a damaged one: {error}") from error
    document = stated.get(_KEY)
    if document is None:
        raise CheckpointError(
            f"{printable(path)}: not a checkpoint that osscl train wrote: it does not say its classes"
        )
    _check_hash(path, stated.get(_HASH_KEY), content_sha256(document, tensors))
    try:
        info = decode_strictly(document.encode(), CheckpointInfo, _later_than(document))
    except ValueError as error:
        raise CheckpointError(
            f"{printable(path)}: what the checkpoint says of itself is damaged: {error}"
        ) from None
    if content is not None and info.content != content:
        raise CheckpointError(
            f"{printable(path)}: holds {info.content.replace('_', ' ')}, expected {content.replace('_', ' ')}"
            + ("; choose the best.safetensors beside it" if content == "ema_weights" else "")
        )
    return tensors, info


def stated_sha256(path: Path) -> str:
    """Hash of all that a checkpoint, which has been read and so is sound, says and holds."""
    with safe_open(path, "pt") as file:
        return str(file.metadata()[_HASH_KEY])


def _later_than(document: str) -> set[str]:
    """Paths of fields that a document of its format does not have yet."""
    try:
        stated = msgspec.json.decode(document, type=_Header).format
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from None
    number = int(stated.rpartition("/")[2])
    return {path for path, since in _FIELDS_SINCE.items() if since > number}


def content_sha256(document: str, tensors: Mapping[str, Tensor]) -> str:
    """Hash of all that a checkpoint says and holds.

    Parameters
    ----------
    document : str
        What it says of itself, as it stands.
    tensors : mapping of str to Tensor
        On the CPU.

    Returns
    -------
    str
        SHA-256, lower-case hexadecimal digits: over the document's UTF-8, then for each tensor, sorted by
        name, over its name, type and shape as a JSON list and over its bytes, little-endian and row by row.
    """
    found = hashlib.sha256(document.encode())
    for name, value in sorted(tensors.items()):
        found.update(msgspec.json.encode([name, str(value.dtype), list(value.shape)]))
        found.update(value.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def _check_hash(path: Path, stated: str | None, found: str) -> None:
    if stated is None:
        # read unchecked, a file that lost its hash to damage would pass for an old one
        raise CheckpointError(
            f"{printable(path)}: says no hash of its content, as development versions of osscl wrote it, so "
            "that damage could not be seen; train again with this version"
        )
    if stated != found:
        raise CheckpointError(
            f"{printable(path)}: the checkpoint is damaged: its content has the hash {found}, and was "
            f"written with {stated}; take it from a copy, or train again in another folder"
        )
