"""Which recordings of a data set are for testing, and which at least not for training: folders tell."""

import os
from collections.abc import Callable, Iterator
from functools import lru_cache

from osscl.audio.candidate import Candidate
from osscl.errors import EvaluationError, FolderReadError
from osscl.machines.dcase import TEST_FOLDER, TRAIN_FOLDER
from osscl.machines.folders import kind_of_root, kinds, kinds_below
from osscl.runs.folder import find_recordings
from osscl.runs.passed_over import PassedOver
from osscl.support.paths import printable
from osscl.support.spelling import with_slashes

_MAX_FOLDERS = 4096


def find_test_recordings(
    data: str | os.PathLike[str], passed_over: PassedOver | None = None
) -> Iterator[Candidate]:
    """Walk through a data set for the recordings in its ``test`` folders.

    Parameters
    ----------
    data : path-like
        Folder of a data set, such as one with ``fan/test/normal_id_00_00000000.wav``; or a folder that
        is itself named ``test``.
    passed_over : PassedOver, optional
        Counts what lies there and is not taken.

    Yields
    ------
    Candidate
        Recordings, in the order of `osscl.runs.folder.find_recordings`; and folders that cannot be listed,
        which may hold some.
    """
    root = os.fsdecode(data)
    is_whole = kind_of_root(root) == TEST_FOLDER
    yield from _find(root, passed_over, lambda folder: is_whole or TEST_FOLDER in kinds_below(root, folder))


def find_recordings_not_for_training(
    data: str | os.PathLike[str], passed_over: PassedOver | None = None
) -> Iterator[Candidate]:
    """Walk through a folder for recordings that do not lie in ``train`` folders below it.

    Parameters
    ----------
    data : path-like
        Folder, or a file. What is itself named ``train`` was meant, and is taken.
    passed_over : PassedOver, optional
        Counts what lies there and is not taken.

    Yields
    ------
    Candidate
        Recordings, in the order of `osscl.runs.folder.find_recordings`; and folders that cannot be listed,
        which may hold some.
    """
    root = os.fsdecode(data)
    yield from _find(root, passed_over, lambda folder: kinds_below(root, folder)[-1:] != [TRAIN_FOLDER])


def _find(
    root: str, passed_over: PassedOver | None, takes_from: Callable[[str], bool]
) -> Iterator[Candidate]:
    met = PassedOver() if passed_over is None else passed_over
    is_taken = lru_cache(_MAX_FOLDERS)(takes_from)
    for candidate in find_recordings([root], met):
        folder = os.path.dirname(candidate.path)  # noqa: PTH120 - Path costs more
        if is_taken(folder) or isinstance(candidate.problem, FolderReadError):
            yield candidate
        else:
            met.n_elsewhere += candidate.problem is None


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

    Raises
    ------
    EvaluationError
        The path says one thing as it is, and another if its backslashes separate names.
    """
    readings = [reading for reading in (path, with_slashes(path)) if reading is not None]
    told = [found[-1] for found in (kinds(reading.split("/")[:-1]) for reading in readings) if found]
    if len(set(told)) > 1:
        raise EvaluationError(
            f"{printable(path)} can be read in two ways, in a folder named {TRAIN_FOLDER} and in one named "
            f"{TEST_FOLDER}; write / between the names in its path"
        )
    return told[:1] == [TRAIN_FOLDER]
