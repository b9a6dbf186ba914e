"""Whether a training may go on: looked at by what its checkpoint says, before anything heavy is loaded."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import asdict, replace

from osscl.errors import ConfigError, TrainingError
from osscl.model_file.unexported import LAST_FILE
from osscl.support.paths import printable
from osscl.training.config_file import read_config
from osscl.training.run_files import holds_training
from osscl.training.train_config import TrainConfig

DOCUMENT_KEY = "osscl.checkpoint"
"""Of the metadata of a checkpoint: what it says of itself, as JSON."""
_LONGEST_HEADER = 2**26
_WHY_NO_EPOCHS = " (the learning rate falls over all epochs, so that a training of more or fewer starts anew)"


def refuse_without_training(folder: Path) -> None:
    """Refuse to go on in a folder that holds no training; raises `TrainingError`."""
    if not holds_training(folder):
        raise TrainingError(
            f"{printable(folder / LAST_FILE)} does not exist: there is no training to resume in this folder"
        )


def refuse_early(
    folder: Path, recipe: Path | None, changes: Mapping[str, Any], *, epochs_are_planned: bool
) -> None:
    """Refuse another recipe by the checkpoint's header alone; one that cannot be read is told of later.

    Parameters
    ----------
    folder : Path
        Folder of the training.
    recipe : Path or None
        Recipe file that is named now.
    changes : mapping of str to object
        Fields that are stated now.
    epochs_are_planned : bool
        Whether the number of epochs was planned when the training began.

    Raises
    ------
    TrainingError
        There is no training in the folder, or one with another recipe.
    """
    refuse_without_training(folder)
    stored = _stated(folder / LAST_FILE)
    if stored is not None:
        resumed(folder, stored, recipe, changes, epochs_are_planned=epochs_are_planned)


def resumed(
    folder: Path,
    stored: TrainConfig,
    recipe: Path | None,
    changes: Mapping[str, Any],
    *,
    epochs_are_planned: bool,
) -> TrainConfig:
    """Recipe of a training that goes on, by what is stored and stated now; raises as `refuse_early`."""
    base = asdict(stored) if recipe is None else {}
    planned = {"epochs": stored.epochs} if epochs_are_planned else {}
    now = as_was_decided(read_config(recipe, {**base, **changes, **planned}), stored)
    refuse_another_recipe(folder / LAST_FILE, stored, now)
    return now


def as_was_decided(config: TrainConfig, stored: TrainConfig) -> TrainConfig:
    """Fill what a recipe leaves open with what a training that goes on decided when it began."""
    return config if config.ema_warmup is not None else replace(config, ema_warmup=stored.ema_warmup)


def refuse_another_recipe(last: Path, stored: TrainConfig, now: TrainConfig) -> None:
    """Name each setting that differs from the training that shall go on; raises `TrainingError`."""
    refuse_differences(
        last,
        [
            f"{name} was {was}, is {getattr(now, name)}{_WHY_NO_EPOCHS if name == 'epochs' else ''}"
            for name, was in asdict(stored).items()
            if was != getattr(now, name)
        ],
    )


def refuse_differences(last: Path, differences: Sequence[str]) -> None:
    """Refuse to go on where something differs; raises `TrainingError`."""
    if differences:
        raise TrainingError(
            f"{printable(last)} cannot be resumed: {'; '.join(differences)}; "
            "resume with the same settings and data, or start anew in another folder"
        )


def _stated(last: Path) -> TrainConfig | None:
    """The recipe that a checkpoint states, its hash unchecked; None where it says none that can be read."""
    try:
        with last.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(min(length, _LONGEST_HEADER)))
        document = json.loads(header["__metadata__"][DOCUMENT_KEY])
        return msgspec.convert(document["config"], TrainConfig)
    except (OSError, ValueError, KeyError, TypeError, ConfigError):  # msgspec's are ValueErrors
        return None
