"""Where the recordings of a table lie now."""

import os
from collections.abc import Iterable
from pathlib import Path

from osscl.support.paths import path_of


class Whereabouts:
    """Finds the recordings that a table names.

    Parameters
    ----------
    paths : iterable of str
        All paths of the table, as it spells them.
    audio_root : path-like, optional
        Folder where they lie now: paths count from it, and absolute ones from the folder that all of them
        have in common. By default paths are taken as they stand, from the working folder.
    """

    def __init__(self, paths: Iterable[str], audio_root: str | os.PathLike[str] | None = None) -> None:
        self._root = None if audio_root is None else Path(audio_root)
        folders = {os.path.dirname(path) for path in paths if path.startswith("/")}  # noqa: PTH120
        self._common = os.path.commonpath(folders) if folders and self._root is not None else ""

    def of(self, spelled: str) -> Path:
        """Where a recording should be.

        Parameters
        ----------
        spelled : str
            Its path in the table.

        Returns
        -------
        Path
            It need not exist.
        """
        if self._root is None:
            return Path(path_of(spelled))
        below = os.path.relpath(spelled, self._common) if spelled.startswith("/") else spelled
        return self._root / path_of(below)
