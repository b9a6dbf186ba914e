"""Which recordings of a data set are for testing: those in folders named ``test``, none in ``train``."""

import os
from collections.abc import Iterator
from pathlib import Path

from osscl.audio.candidate import Candidate
from osscl.machines.dcase import TEST_FOLDER, TRAIN_FOLDER
from osscl.runs.folder import find_recordings


def find_test_recordings(data: str | os.PathLike[str]) -> Iterator[Candidate]:
    """Walk through a data set for the recordings in its ``test`` folders.

    Parameters
    ----------
    data : path-like
        Folder of a data set, such as one with ``fan/test/normal_id_00_00000000.wav``; or a folder that
        is itself named ``test``.

    Yields
    ------
    Candidate
        Recordings, in the order of `osscl.folder.find_recordings`; and folders that cannot be listed,
        which may hold some.
    """
    root = Path(os.fsdecode(data))
    whole = Path(os.path.realpath(root)).name == TEST_FOLDER
    for candidate in find_recordings([root]):
        parents = Path(candidate.path).relative_to(root).parts[:-1]
        if whole or TEST_FOLDER in parents or (candidate.problem is not None and _is_folder(candidate)):
            yield candidate


def is_for_training(path: str) -> bool:
    """Whether the nearest folder of the two kinds that a recording lies in is for training.

    Parameters
    ----------
    path : str
        The recording, as a result table names it.

    Returns
    -------
    bool
        True below ``train``; False below ``test``, and where neither is named.
    """
    kinds = [part for part in Path(path).parts[:-1] if part in (TEST_FOLDER, TRAIN_FOLDER)]
    return bool(kinds) and kinds[-1] == TRAIN_FOLDER


def _is_folder(candidate: Candidate) -> bool:
    return os.path.isdir(candidate.path)  # noqa: PTH112 - Path.is_dir raises where the way there is closed
