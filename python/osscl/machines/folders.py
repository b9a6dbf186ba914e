"""What the folders of a data set are for: training and testing, as their names say.

Names are those of the path as it was walked; only where they tell nothing, links are followed.
"""

import os
from collections.abc import Iterable
from functools import lru_cache, partial
from pathlib import PurePath

from osscl.machines.dcase import TEST_FOLDER, TRAIN_FOLDER
from osscl.machines.told import Told
from osscl.support.links import as_walked, real_path

_MAX_FOLDERS = 4096

SUPPLEMENTAL_FOLDER = "supplemental"
"""Of DCASE 2025: clips of the machine alone, or of noise alone; neither for training nor for testing."""

KINDS = {
    TRAIN_FOLDER: TRAIN_FOLDER,
    "train_cut": TRAIN_FOLDER,
    TEST_FOLDER: TEST_FOLDER,
    "source_test": TEST_FOLDER,
    "target_test": TEST_FOLDER,
    "test_cut": TEST_FOLDER,
    SUPPLEMENTAL_FOLDER: SUPPLEMENTAL_FOLDER,
}
"""What folders of these names are for, in the layouts of `osscl.machines.layouts`."""


def training_type(folder: str) -> str | None:
    """Name the machine type that a folder of training clips belongs to.

    Parameters
    ----------
    folder : str
        The folder that holds the clips.

    Returns
    -------
    str or None
        Name of the folder above one named ``train``, empty where there is none; None for other folders.
    """
    for path in (as_walked(folder), real_path(folder)):
        above, name = os.path.split(path)
        if name == TRAIN_FOLDER:
            return os.path.basename(above)  # noqa: PTH119 - a str, as all paths of a walk
    return None


def kind_of_root(root: str) -> str | None:
    """Say whether the folder where a walk begins is itself one for training or testing.

    Parameters
    ----------
    root : str
        The folder.

    Returns
    -------
    str or None
        ``train``, ``test`` or ``supplemental``, as its name says.
    """
    for path in (as_walked(root), real_path(root)):
        if found := kinds(PurePath(path).parts[-1:]):
            return found[0]
    return None


def kinds_below(root: str, folder: str) -> list[str]:
    """Say what the folders between the root of a walk and a recording are for.

    Parameters
    ----------
    root : str
        Where the walk began; what lies above it says nothing.
    folder : str
        Folder that the walk reached, spelled from `root` on.

    Returns
    -------
    list of str
        ``train``, ``test`` and ``supplemental``, in the order in which they are named.
    """
    if walked := kinds(PurePath(folder[len(root) :]).parts):
        return walked
    real_root, real_folder = real_path(root), real_path(folder)
    shared = os.path.commonpath([real_root, real_folder])
    return kinds(PurePath(real_folder[len(shared) :]).parts)


def kinds(names: Iterable[str]) -> list[str]:
    """What those of the names say that tell what a folder is for."""
    return [KINDS[name] for name in names if name in KINDS]


class ForTesting:
    """Tells which recordings below a folder `osscl evaluate` would be given as test clips.

    Parameters
    ----------
    root : path-like
        Where the walk began; what is itself for testing, or a file, was meant: none of it is left out.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self._root = os.fsdecode(root)
        self._was_meant = kind_of_root(self._root) == TEST_FOLDER or os.path.isfile(root)  # noqa: PTH113 - str
        self._below = lru_cache(_MAX_FOLDERS)(partial(kinds_below, self._root))

    def __call__(self, path: str, told: Told) -> bool:
        """Tell it of one.

        Parameters
        ----------
        path : str
            The recording, spelled from the root on.
        told : Told
            What its place and name tell.

        Returns
        -------
        bool
            Whether place, name or a folder around it say that it is for testing.
        """
        if self._was_meant:
            return False
        return told.purpose == "test" or TEST_FOLDER in self._below(os.path.dirname(path))  # noqa: PTH120 - str
