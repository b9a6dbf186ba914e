"""Names of models in Triton: each is a folder of the repository, and a part of an address."""

import os
import re
from pathlib import Path

from osscl.errors import ConfigError
from osscl.model_file.bundle import DEMO
from osscl.support.paths import brief

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_LONGEST = 200  # a folder's name has 255 bytes at most


def model_name(model: str | os.PathLike[str], wanted: str | None) -> str:
    """Find the name of a model in Triton.

    Parameters
    ----------
    model : path-like
        The model file, or the word "demo".
    wanted : str or None
        The name that was asked for; by default that of the file, without its ending.

    Returns
    -------
    str
        A name that can be a folder's and stand in an address.

    Raises
    ------
    ConfigError
        It cannot.
    """
    name = wanted if wanted is not None else DEMO if os.fspath(model) == DEMO else Path(model).stem
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        source = "the name" if wanted is not None else "the file's name"
        raise ConfigError(
            f"{source} '{brief(name)}' cannot be that of a model in Triton, which is a folder and a part of "
            f"an address; expected up to {_LONGEST} letters, digits, '_', '-' and '.', neither of the last "
            "two first: --name NAME (a machine's ID is no such name: each request says it)"
        )
    return name
