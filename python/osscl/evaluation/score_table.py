"""Result tables read back: path, machine, status and score of each line."""

import csv
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from osscl.errors import ConfigError, EvaluationError
from osscl.scoring.record import SCORED_STATUSES, Record
from osscl.support.failed_import import needing
from osscl.support.paths import printable

_NEEDED = ("path", "machine", "status", "score")


def read_records(path: Path) -> Iterator[Record]:
    """Read a table that ``osscl score`` wrote, or any table with the same four columns.

    Parameters
    ----------
    path : Path
        File that ends in .csv, .jsonl or .parquet.

    Yields
    ------
    Record
        Each line, with path, machine, status, reason and score; the other columns are not read.

    Raises
    ------
    ConfigError
        The ending names no table format.
    MissingExtraError
        Parquet, and pyarrow is not installed.
    EvaluationError
        It cannot be read, lacks a column, or holds a line whose status and score contradict one another.
    """
    suffix = path.suffix.lower()
    if suffix not in _READERS:
        raise ConfigError(
            f"{printable(path)}: no table format ends in '{suffix}'; choose one of: {', '.join(_READERS)}"
        )
    try:
        for line, cells in _READERS[suffix](path):
            try:
                record = _record(cells)
            except ValueError as error:
                raise _unusable(path, line, error) from error
            yield record
    except OSError as error:
        raise EvaluationError(f"{printable(path)}: cannot be read: {error.strerror or error}") from error


def _record(cells: Mapping[str, Any]) -> Record:
    missing = [name for name in _NEEDED if name not in cells]
    if missing:
        raise ValueError(f"column {missing[0]} is missing; expected {', '.join(_NEEDED)}")
    path, machine, status, score = (cells[name] for name in _NEEDED)
    if not path:
        raise ValueError("path is empty")
    if (status in SCORED_STATUSES) != (score not in (None, "")):
        raise ValueError(f"status is '{status}' and score '{'' if score is None else score}'")
    return Record(
        path=path,
        machine=machine or None,
        status=status,
        reason=cells.get("reason") or None,
        score=None if score in (None, "") else _finite(score),
    )


def _finite(score: Any) -> float:
    try:
        value = float(score)
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"score is {score}, expected a finite number")
    return value


def _unusable(path: Path, line: int, error: Exception) -> EvaluationError:
    return EvaluationError(f"{printable(path)}, line {max(1, line)}: {error}")


def _csv_lines(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file, strict=True)
        try:
            header = next(rows, [])
            for cells in rows:
                if len(cells) != len(header):
                    raise ValueError(f"has {len(cells)} values where the header names {len(header)} columns")
                yield rows.line_num, dict(zip(header, cells, strict=True))
        except (csv.Error, ValueError) as error:  # text that is not UTF-8 is a ValueError too
            raise _unusable(path, rows.line_num, error) from error


def _json_lines(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    number = 0
    with path.open(encoding="utf-8") as file:
        try:
            for number, line in enumerate(file, 1):
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise ValueError("is no JSON object")
                yield number, row
        except ValueError as error:
            raise _unusable(path, number, error) from error


def _parquet_lines(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    with needing("Parquet", "parquet"):
        import pyarrow.parquet
    number = 0
    with pyarrow.parquet.ParquetFile(path) as table:
        for batch in table.iter_batches():
            for row in batch.to_pylist():
                number += 1
                yield number, row


_READERS = {".csv": _csv_lines, ".jsonl": _json_lines, ".parquet": _parquet_lines}
