"""The background that is part of the package, for files that bring none of their own."""

from functools import cache
from pathlib import Path

import msgspec

from osscl.model_file.decisions import StoredBackground

SHIPPED_BACKGROUND = Path(__file__).parents[1] / "models" / "background.json"
"""Made by ``demo_model/background.py``."""


@cache
def shipped_background() -> StoredBackground:
    """Read the background of synthetic machines that comes with osscl.

    Returns
    -------
    StoredBackground
        Of the machines 20 to 29 of each type of `osscl.synth`, normal clips alone.
    """
    return msgspec.json.decode(SHIPPED_BACKGROUND.read_bytes(), type=StoredBackground)
