"""Recipes of trainings as TOML files, so that one can be kept, compared and committed."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec

from osscl.errors import ConfigError
from osscl.support.links import unreadable
from osscl.support.paths import printable
from osscl.support.regular_file import read_regular
from osscl.training.train_config import TrainConfig

WHERE_KEYS_ARE_LISTED = "keys of a recipe: docs/training.md, and osscl train --help"


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
    _refuse_unknown(stated, place)
    _refuse_unknown(changes, "")
    try:
        return TrainConfig(**{**stated, **changes})
    except ConfigError as error:
        raise ConfigError(f"{place if _is_refused(stated) else ''}{error}") from None


def _refuse_unknown(keys: Iterable[str], place: str) -> None:
    """Refuse keys that a recipe does not have, each with the one that is spelled most like it."""
    known = [field.name for field in msgspec.structs.fields(TrainConfig)]
    unknown = [_unknown(key, known) for key in keys if key not in known]
    if unknown:
        raise ConfigError(f"{place}{'; '.join(unknown)} ({WHERE_KEYS_ARE_LISTED})")


def _unknown(key: str, known: Sequence[str]) -> str:
    # a file may spell its keys as the options are spelled
    alike = get_close_matches(key.lower().replace("-", "_"), known, n=1)
    return f"{printable(key)} is not known" + (f"; did you mean {alike[0]}?" if alike else "")


def _is_refused(stated: Mapping[str, Any]) -> bool:
    """Whether a file by itself is no recipe; else what was changed is to blame."""
    try:
        TrainConfig(**stated)
    except ConfigError:
        return True
    return False
