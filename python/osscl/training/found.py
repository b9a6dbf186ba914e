"""Which recordings a training may take, of which machine: folders, names and a table of labels tell."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from osscl.audio.candidate import Candidate
from osscl.errors import FolderReadError, MachineError
from osscl.machines.attribute_tables import AttributeTables
from osscl.machines.dcase import id_of_file
from osscl.machines.folders import training_type
from osscl.machines.label_table import LabelTable
from osscl.machines.survey import Survey
from osscl.machines.telling import Telling
from osscl.machines.told import Told
from osscl.runs.folder import find_recordings
from osscl.runs.passed_over import PassedOver

PLACE = "<type>/train, such as fan/train/normal_id_00_00000000.wav"
_MAX_FOLDERS = 4096


class Found(NamedTuple):
    """A recording to train on, or one that was meant to be and cannot.

    Attributes
    ----------
    candidate : Candidate
        The file; with a problem where it cannot be used.
    told : Told
        Of which machine it is, and under which conditions.
    """

    candidate: Candidate
    told: Told


@dataclass(slots=True)
class NotTaken:
    """What a search met and a training leaves out.

    Attributes
    ----------
    passed_over : PassedOver
        Files that are no recordings, and recordings that are not for training.
    anomalous : list of str
        Recordings among those for training that are said to be anomalous.
    unlabelled : list of str
        Recordings whose row in a table of labels leaves open whether they are normal.
    """

    passed_over: PassedOver = field(default_factory=PassedOver)
    anomalous: list[str] = field(default_factory=list)
    unlabelled: list[str] = field(default_factory=list)


def find_training_files(
    roots: Sequence[str | os.PathLike[str]],
    not_taken: NotTaken,
    survey: Survey,
    labels: LabelTable | None = None,
    attributes: AttributeTables | None = None,
) -> Iterator[Found]:
    """Find normal recordings for training.

    Parameters
    ----------
    roots : sequence of path-like
        Folders, searched at any depth; or files.
    not_taken : NotTaken
        Counts what lies there and is not taken.
    survey : Survey
        Counts what is told of all recordings.
    labels : LabelTable, optional
        Names machines and labels of the recordings, which may lie in any folder then. By default they lie in
        a folder for training of a layout that is known, or in one named ``train`` whose parent names the
        type.
    attributes : AttributeTables, optional
        Tells attributes of recordings whose names have none, and refuses those that contradict it.

    Yields
    ------
    Found
        Each file; each folder that cannot be listed, and each root that is no folder and not for training,
        as a candidate with a problem.
    """
    named = {os.fsdecode(root) for root in roots}
    telling = Telling()
    type_of_folder = lru_cache(_MAX_FOLDERS)(training_type)
    for candidate in find_recordings(roots, not_taken.passed_over):
        if isinstance(candidate.problem, FolderReadError):
            yield Found(candidate, Told())
            continue
        try:
            fitting = telling.fittings(candidate.path)
            survey.add(candidate.path, fitting)
            told = fitting[0].told if fitting else _by_folder(candidate.path, type_of_folder)
            if attributes is not None and fitting and told.purpose == "train":
                told = attributes.joined(candidate.path, told)
            if labels is not None:
                told = joined(told, labels.told_of(candidate.path))
        except MachineError as error:
            yield Found(Candidate(candidate.path, candidate.problem or error), Told())
            continue
        if told.is_anomaly and told.purpose != "test":
            not_taken.anomalous.append(candidate.path)
        elif labels is not None and labels.has_labels and told.is_anomaly is None:
            not_taken.unlabelled.append(candidate.path)
        elif told.purpose == "train" or (told.machine and told.purpose is None):
            yield Found(candidate, told)
        elif candidate.path in named:
            yield Found(Candidate(candidate.path, MachineError(f"it lies in no folder {PLACE}")), Told())
        else:
            not_taken.passed_over.n_elsewhere += candidate.problem is None


def joined(told: Told, row: Told) -> Told:
    """Put what a table tells over what place and name tell.

    Parameters
    ----------
    told : Told
        By place and name.
    row : Told
        By the table.

    Returns
    -------
    Told
        Purpose and attributes as place and name tell them, all else as the table does.
    """
    return row._replace(purpose=told.purpose, attributes=told.attributes)


def _by_folder(path: str, type_of_folder: Callable[[str], str | None]) -> Told:
    """What a folder named train says of recordings in no layout; nothing of those elsewhere."""
    machine_type = type_of_folder(os.path.dirname(path))  # noqa: PTH120 - Path costs more
    if machine_type is None:
        return Told()
    if not machine_type:
        raise MachineError("no folder above train names the machine type; expected <type>/train")
    return Told(f"{machine_type}/{id_of_file(path)}", "train")
