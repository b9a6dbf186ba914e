"""What is named where a model file is wanted and is none yet: checkpoints, and folders of trainings."""

import os
from pathlib import Path

from osscl.errors import CheckpointError
from osscl.support.listing import listed
from osscl.support.paths import printable
from osscl.support.plurals import counted

LAST_FILE, BEST_FILE = "last.safetensors", "best.safetensors"
"""Checkpoints in the folder of a training: to go on with, and to be exported."""
_CHECKPOINT_SUFFIXES = (".safetensors", ".pth", ".pt")
_MAX_NAMED = 3


def unexported(path: str | os.PathLike[str]) -> str | None:
    """Say that what is no model file becomes one by an export.

    Parameters
    ----------
    path : path-like
        What was named as a model file.

    Returns
    -------
    str or None
        One sentence, with the command; None where it is neither a checkpoint nor the folder of a training.
    """
    named = Path(path)
    if named.is_dir():
        try:
            checkpoint = checkpoint_at(named)
        except CheckpointError as error:
            return str(error)
        if checkpoint == named:
            return None
        return f"{printable(named)} is the folder of a training: {_export(checkpoint)} makes the model file"
    if named.suffix.lower() in _CHECKPOINT_SUFFIXES and named.exists():
        return f"{printable(named)} is a checkpoint: {_export(named)} makes the model file of it"
    return None


def checkpoint_at(path: Path) -> Path:
    """Find the checkpoint that is meant.

    Parameters
    ----------
    path : Path
        A checkpoint; or the folder of a training, of which its best weights are meant.

    Returns
    -------
    Path
        The checkpoint; the path itself where it is no folder of a training.

    Raises
    ------
    CheckpointError
        No epoch of the training is complete yet, or the folder holds several trainings.
    """
    folder = path if path.is_dir() else path.parent
    best = folder / BEST_FILE
    if path not in (folder, best) or best.exists():
        return best if path == folder and best.exists() else path
    if (folder / LAST_FILE).exists():
        raise CheckpointError(
            f"{printable(best)} is not there yet: it is written when the first epoch is complete; go on with "
            "the training (its command and --resume)"
        )
    several = sorted(each.parent for each in folder.glob(f"*/{BEST_FILE}"))
    if path == folder and several:
        raise CheckpointError(
            f"{printable(folder)} holds {counted(len(several), 'training')}; name one: "
            f"{listed([printable(each) for each in several], _MAX_NAMED)}"
        )
    return path


def _export(checkpoint: Path) -> str:
    return f"osscl-export {printable(checkpoint)} --output model.onnx"
