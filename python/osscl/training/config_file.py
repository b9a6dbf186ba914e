"""Recipes of trainings as TOML files, so that one can be kept, compared and committed."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from osscl.errors import ConfigError
from osscl.support.links import unreadable
from osscl.support.paths import printable
from osscl.support.regular_file import read_regular
from osscl.training.train_config import TrainConfig


def read_config(path: Path | None, changes: Mapping[str, Any]) -> TrainConfig:
    """Read a recipe, with changes to it.

    Parameters
    ----------
    path : Path or None
        TOML file with fields of `TrainConfig`; those it does not name are as published. None means the
        published recipe.
    changes : mapping of str to object
        Fields that shall have other values.

    Returns
    -------
    TrainConfig
        The recipe.

    Raises
    ------
    ConfigError
        The file cannot be read, or a field is unknown, of a wrong type or out of its range.
    """
    stated: dict[str, Any] = {}
    place = ""
    if path is not None:
        place = f"{printable(path)}: "
        try:
            stated = tomllib.loads(read_regular(path).decode())
        except OSError as error:
            raise ConfigError(unreadable(path, "recipe", error)) from error
        except ValueError as error:
            raise ConfigError(f"{place}the recipe is no TOML file: {error}") from error
    try:
        return msgspec.convert({**stated, **changes}, TrainConfig)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{place if _is_refused(stated) else ''}{error}") from None


def _is_refused(stated: Mapping[str, Any]) -> bool:
    """Whether a file by itself is no recipe; else what was changed is to blame."""
    try:
        msgspec.convert(stated, TrainConfig)
    except msgspec.ValidationError:
        return True
    return False
