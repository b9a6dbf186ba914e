"""Folders of recordings that the user names: looked at before a model is opened."""

import os
from pathlib import Path

import typer

from osscl.support.links import missing
from osscl.support.paths import printable


def check_listable(folder: Path) -> None:
    """Refuse a folder that would only look empty.

    Parameters
    ----------
    folder : Path
        A folder to read from.

    Raises
    ------
    typer.BadParameter
        It is not there, is none, or cannot be listed.
    """
    try:
        with os.scandir(folder):
            pass
    except FileNotFoundError:
        raise typer.BadParameter(missing(folder) or f"there is no folder {printable(folder)}") from None
    except NotADirectoryError:
        raise typer.BadParameter(f"{printable(folder)} is no folder") from None
    except OSError as error:
        raise typer.BadParameter(
            f"the folder {printable(folder)} cannot be listed: {error.strerror}"
        ) from error
