"""Lines of the challenge's CSV files, one by one; what is wrong with one is said with file and line."""

import csv
import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar

from osscl.errors import EvaluationError
from osscl.evaluation.challenge_files import ChallengeFile, read_name
from osscl.evaluation.labelled import label_in_name
from osscl.support.csv_rows import CsvReader, open_csv, shown
from osscl.support.links import unreadable
from osscl.support.paths import printable

_LIST_OF_TYPE = re.compile(r"(?:ground_truth|eval_data_list)_(?P<type>.+)\.csv")
_ID_IN_NAME = re.compile(r"(?<![A-Za-z0-9])(?:id|section)_[0-9]+(?![A-Za-z0-9])")
_BITS = {"0": False, "1": True}

T = TypeVar("T")

Clip = tuple[str, str]
"""Machine ID and file name."""


class Meaning(NamedTuple):
    """What stands beside the file names of a list."""

    noun: str
    expected: str


LABEL = Meaning("label", "0 (normal) or 1 (anomalous)")
DOMAIN = Meaning("domain", "0 (source) or 1 (target)")
DECISION = Meaning("decision", "0 (normal) or 1 (anomalous)")
_SCORE = Meaning("score", "a finite number")


def read_list(path: Path) -> Iterator[tuple[Clip, bool]]:
    """Clips of a list of labels, each with whether it is anomalous; raises `EvaluationError`."""
    of_section = read_name("ground_truth", path.name)
    if of_section is None:
        yield from _list_of_2020(path)
        return
    for name, is_anomaly in read_bits(path, of_section, LABEL):
        yield (of_section.machine, name), is_anomaly


def read_bits(path: Path, file: ChallengeFile, meaning: Meaning) -> Iterator[tuple[str, bool]]:
    """File names, and the 0 or 1 beside each, of a section from 2021 on; raises `EvaluationError`."""
    own_id = file.machine.rpartition("/")[2]

    def parse(name: str, value: str) -> tuple[str, bool]:
        if value not in _BITS:
            raise LineError(
                f"is {shown([name, value])}; expected file name and {meaning.expected}, no header"
            )
        if meaning is LABEL and label_in_name(name) not in (None, _BITS[value]):
            raise LineError(f"says {value} of {name!a}; 0 is normal and 1 anomalous")
        others = [other for other in _ID_IN_NAME.findall(name) if other != own_id]
        if others:
            raise LineError(f"file name {name!a} is of {others[0]}, and the file is named after {own_id}")
        return name, _BITS[value]

    return read_pairs(path, meaning, parse)


def read_scores(path: Path) -> Iterator[tuple[str, float]]:
    """File names, and the score of each; raises `EvaluationError`."""
    return read_pairs(path, _SCORE, lambda name, value: (name, finite(value)))


def read_pairs(path: Path, meaning: Meaning, parse: Callable[[str, str], T]) -> Iterator[T]:
    """What `parse` makes of each line of a file with two columns; raises `EvaluationError`, also for none."""
    is_empty = True
    with rows_of(path) as rows:
        for cells in rows:
            row = _stripped(cells)
            if not row:
                continue
            is_empty = False
            if len(row) != 2:
                raise LineError(f"has {len(row)} values, expected file name and {meaning.noun}")
            yield parse(*row)
    if is_empty:  # as a full disk leaves it; a machine would be missing from every mean
        raise EvaluationError(
            f"{printable(path)}: holds no {meaning.noun}; write it again, or move it away if its machine is "
            "not meant"
        )


def _stripped(cells: list[str]) -> list[str]:
    row = [cell.strip() for cell in cells]
    while row and not row[-1]:
        row.pop()  # a spreadsheet fills all lines up to one length
    return row


def _list_of_2020(path: Path) -> Iterator[tuple[Clip, bool]]:
    named = _LIST_OF_TYPE.fullmatch(path.name)
    machine_type = named["type"] if named else None
    with rows_of(path) as rows:
        for cells in rows:
            row = _stripped(cells)
            if len(row) == 1:
                machine_type = row[0]
            elif row:
                if machine_type is None:
                    raise LineError(
                        "a clip before any machine type; put a line with the type, such as fan, above it, or "
                        "call the file ground_truth_<type>.csv"
                    )
                yield _listed_clip(row, machine_type)


def _listed_clip(row: list[str], machine_type: str) -> tuple[Clip, bool]:
    if len(row) != 3 or row[2] not in _BITS:
        raise LineError(f"is {shown(row)}; expected file name, name with label, and 0 or 1")
    name, name_with_label, label = row
    ids = _ID_IN_NAME.findall(name)
    if len(ids) != 1:
        raise LineError(f"file name {name!a} does not hold one machine ID like id_01")
    if label_in_name(name_with_label) not in (None, _BITS[label]):
        raise LineError(f"says {label} of {name_with_label!a}; 0 is normal and 1 anomalous")
    return (f"{machine_type}/{ids[0]}", name), _BITS[label]


class LineError(Exception):
    """What is wrong with the line just read."""


@contextmanager
def rows_of(path: Path) -> Iterator[Iterator[list[str]]]:
    """Rows of a CSV file; errors raised while they are read name file and line."""
    try:
        with open_csv(path) as file:
            rows = CsvReader(file)
            try:
                yield rows
            except (csv.Error, LineError) as error:
                raise EvaluationError(f"{printable(path)}, line {rows.line_num}: {error}") from error
    except OSError as error:
        raise EvaluationError(unreadable(path, "file", error)) from error


def finite(text: str) -> float:
    """A score as a number; raises `LineError` where it is none."""
    try:
        value = float(text)
    except ValueError:
        raise LineError(f"score is {text!a}, expected a finite number, and no header") from None
    if not math.isfinite(value):
        raise LineError(f"score is {text!a}, expected a finite number")
    return value
