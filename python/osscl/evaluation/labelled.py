"""Scores with the truth beside them, and the truth that file names tell."""

import os
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from osscl.errors import EvaluationError
from osscl.machines.dcase import ANOMALY_PREFIX, NORMAL_PREFIX
from osscl.machines.domains import Domain, domain_in
from osscl.machines.layouts import told_in
from osscl.scoring.record import Record
from osscl.support.paths import printable
from osscl.support.plurals import plural
from osscl.support.spelling import file_names, with_slashes

_MAX_LISTED = 3
_OF_SECTION = re.compile(r"section_[0-9]+_(?:(?:source|target)_)?(?:(?:train|test)_)?(normal|anomaly)_")
"""What names of the challenge's clips begin with from 2021 on; attributes of any wording follow."""


class LabelledScore(NamedTuple):
    """A scored clip of which it is known whether it is anomalous.

    Attributes
    ----------
    machine : str
        Machine ID, such as "fan/id_00".
    name : str
        File name, without folder.
    score : float
        Anomaly score; higher is more anomalous.
    is_anomaly : bool
        The truth.
    was_flagged : bool or None
        What was decided; None where nothing was.
    domain : {"source", "target"} or None
        Domain of the clip; None where nothing tells it.
    """

    machine: str
    name: str
    score: float
    is_anomaly: bool
    was_flagged: bool | None = None
    domain: Domain | None = None


@dataclass(slots=True)
class Labelled:
    """What labelling the lines of a result table gives.

    Attributes
    ----------
    scores : list of LabelledScore
        Clips with score and label.
    unscored : list of Record
        Lines without a score.
    unlabelled : list of str
        Paths of scored clips whose names tell no label.
    """

    scores: list[LabelledScore] = field(default_factory=list)
    unscored: list[Record] = field(default_factory=list)
    unlabelled: list[str] = field(default_factory=list)


def label_in_name(path: str) -> bool | None:
    """Whether a clip is anomalous, as its file name says.

    Parameters
    ----------
    path : str
        File name, with or without folders.

    Returns
    -------
    bool or None
        True for ``anomaly_...`` and ``section_00_source_test_anomaly_...``, False for ``normal_...`` in its
        place; as the folder says in layouts where it does; None for every other name.

    Raises
    ------
    EvaluationError
        The path says one thing as it is, and another if its backslashes separate names.
    """
    return _name_and_label(path)[1]


def _name_and_label(path: str) -> tuple[str, bool | None]:
    """The file name in a path that tells a label, and the label; or the file name, and None."""
    names = file_names(path)
    told = {name: label for name in names if (label := _label(name)) is not None}
    told = told or _labels_by_place(path, names)
    if len(set(told.values())) > 1:
        raise EvaluationError(
            f"{printable(path)} can be read in two ways, as {' and as '.join(map(printable, told))}; write / "
            "between the names in its path"
        )
    return next(iter(told.items()), (names[0], None))


def _labels_by_place(path: str, names: list[str]) -> dict[str, bool]:
    """The file name with its label, where a published layout tells it by the folder."""
    found = {}
    for name, reading in zip(names, (path, with_slashes(path)), strict=False):
        told = None if reading is None else told_in(reading)
        if told is not None and told.is_anomaly is not None:
            found[name] = told.is_anomaly
    return found


def _label(name: str) -> bool | None:
    if (of_section := _OF_SECTION.match(name)) is not None:
        return of_section[1] == "anomaly"
    if name.startswith(ANOMALY_PREFIX):
        return True
    return False if name.startswith(NORMAL_PREFIX) else None


def domain_of_path(path: str) -> Domain | None:
    """Read the domain of a clip in its name, or in that of the folder that it lies in.

    Parameters
    ----------
    path : str
        Such as ``fan/test/section_00_source_test_normal_0000.wav``, or
        ``fan/source_test/section_03_0000.wav``.

    Returns
    -------
    {"source", "target"} or None
        None where neither says it.

    Raises
    ------
    EvaluationError
        Name and folder say different things.
    """
    folder, name = os.path.split(with_slashes(path) or path)
    of_name, of_folder = domain_in(name), domain_in(os.path.basename(folder))  # noqa: PTH119 - Path costs more
    if of_name is not None and of_folder not in (None, of_name):
        raise EvaluationError(
            f"{printable(path)}: its name says {of_name} and its folder {of_folder}; let them agree"
        )
    return of_name or of_folder


def label_by_names(records: Iterable[Record]) -> Labelled:
    """Put beside each score what the file name says.

    Parameters
    ----------
    records : iterable of Record
        Lines of a result table.

    Returns
    -------
    Labelled
        Every line in one of its lists.

    Raises
    ------
    EvaluationError
        A clip occurs twice, a score stands without a machine, or a name can be read in two ways.
    """
    labelled = Labelled()
    seen: dict[tuple[str | None, str], int] = {}
    for record in records:
        name, label = _name_and_label(record.path)
        if record.score is None:
            labelled.unscored.append(record)
        elif label is None:
            labelled.unlabelled.append(record.path)
        else:
            labelled.scores.append(labelled_score(record, name, label, domain_of_path(record.path)))
        key = (record.machine, record.path)
        seen[key] = seen.get(key, 0) + 1
    refuse_repeated([path for (_, path), count in seen.items() if count > 1], "the scores")
    return labelled


def labelled_score(record: Record, name: str, is_anomaly: bool, domain: Domain | None) -> LabelledScore:
    """Join a scored line with what is known of its clip.

    Parameters
    ----------
    record : Record
        A line with a score.
    name : str
        The file name in its path.
    is_anomaly : bool
        The truth.
    domain : {"source", "target"} or None
        Where the clip comes from; None where nothing tells it.

    Returns
    -------
    LabelledScore
        All of it.

    Raises
    ------
    EvaluationError
        The line names no machine.
    """
    assert record.score is not None
    if not record.machine:
        raise EvaluationError(f"{record.path} has a score and no machine; score the recordings again")
    return LabelledScore(record.machine, printable(name), record.score, is_anomaly, record.is_anomaly, domain)


def refuse_repeated(names: Collection[str], place: str) -> None:
    """Refuse clips that occur more than once.

    Parameters
    ----------
    names : collection of str
        The clips that do.
    place : str
        Where they do, for the message.

    Raises
    ------
    EvaluationError
        There are any.
    """
    if names:
        raise EvaluationError(f"{few(names, 'clip')} more than once in {place}: keep one of each")


def few(names: Collection[str], noun: str) -> str:
    """Say how many there are, and the first of them.

    Parameters
    ----------
    names : collection of str
        What is counted.
    noun : str
        What one of them is called.

    Returns
    -------
    str
        Such as "7 clips (a.wav, b.wav, ...)".
    """
    shown = ", ".join(list(names)[:_MAX_LISTED]) + (", ..." if len(names) > _MAX_LISTED else "")
    return f"{len(names)} {plural(len(names), noun)} ({shown})"
