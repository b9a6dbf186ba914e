"""Which recordings of a data set are for testing, and which at least not for training: folders tell."""

import os
from collections.abc import Callable, Iterator
from functools import lru_cache

from osscl.audio.candidate import Candidate
from osscl.errors import EvaluationError, FolderReadError, MachineError
from osscl.machines.dcase import TEST_FOLDER, TRAIN_FOLDER
from osscl.machines.folders import SUPPLEMENTAL_FOLDER, kind_of_root, kinds, kinds_below
from osscl.machines.telling import Telling
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
    telling = Telling()

    def is_of_test_folder(folder: str) -> bool:
        return is_whole or TEST_FOLDER in kinds_below(root, folder)

    yield from _find(root, passed_over, is_of_test_folder, lambda path: _is_for_testing(telling, path))


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
    yield from _find(
        root,
        passed_over,
        lambda folder: kinds_below(root, folder)[-1:] not in ([TRAIN_FOLDER], [SUPPLEMENTAL_FOLDER]),
    )


def _is_for_testing(telling: Telling, path: str) -> bool:
    """Whether a recording is for testing in a layout that has no folder for it, such as MIMII's."""
    try:
        told = telling.of(path)
    except MachineError:  # it contradicts itself; the folders decide
        return False
    return told.purpose == "test" or (told.purpose is None and told.is_anomaly is not None)


def _find(
    root: str,
    passed_over: PassedOver | None,
    takes_from: Callable[[str], bool],
    takes: Callable[[str], bool] = lambda path: False,
) -> Iterator[Candidate]:
    met = PassedOver() if passed_over is None else passed_over
    is_taken = lru_cache(_MAX_FOLDERS)(takes_from)
    for candidate in find_recordings([root], met):
        folder = os.path.dirname(candidate.path)  # noqa: PTH120 - Path costs more
        if is_taken(folder) or isinstance(candidate.problem, FolderReadError) or takes(candidate.path):
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
