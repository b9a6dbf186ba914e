"""Lines of the challenge's CSV files, one by one; what is wrong with one is said with file and line."""

import csv
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from osscl.errors import EvaluationError
from osscl.evaluation.labelled import label_in_name
from osscl.support.csv_rows import CsvReader, open_csv, shown
from osscl.support.paths import printable

_LIST_OF_TYPE = re.compile(r"(?:ground_truth|eval_data_list)_(?P<type>.+)\.csv")
_ID_IN_NAME = re.compile(r"(?<![A-Za-z0-9])(?:id|section)_[0-9]+(?![A-Za-z0-9])")
_LABELS = {"0": False, "1": True}

Clip = tuple[str, str]
"""Machine ID and file name."""


def read_list(path: Path) -> Iterator[tuple[Clip, bool]]:
    """Clips of a list of labels, each with whether it is anomalous; raises `EvaluationError`."""
    named = _LIST_OF_TYPE.fullmatch(path.name)
    machine_type = named["type"] if named else None
    with rows_of(path) as rows:
        for cells in rows:
            row = [cell.strip() for cell in cells]
            while row and not row[-1]:
                row.pop()  # a spreadsheet fills all lines up to one length
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
    if len(row) != 3 or row[2] not in _LABELS:
        raise LineError(f"is {shown(row)}; expected file name, name with label, and 0 or 1")
    name, name_with_label, label = row
    ids = _ID_IN_NAME.findall(name)
    if len(ids) != 1:
        raise LineError(f"file name {name!a} does not hold one machine ID like id_01")
    if label_in_name(name_with_label) not in (None, _LABELS[label]):
        raise LineError(f"says {label} of {name_with_label!a}; 0 is normal and 1 anomalous")
    return (f"{machine_type}/{ids[0]}", name), _LABELS[label]


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
        raise EvaluationError(f"{printable(path)}: cannot be read: {error.strerror}") from error


def finite(text: str) -> float:
    """A score as a number; raises `LineError` where it is none."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise LineError(f"score is {text!a}, expected a finite number")
    return value
