"""Result tables read back, whoever wrote them."""

import csv
import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from osscl.errors import ConfigError, EvaluationError
from osscl.runs.parquet_parts import parts_of
from osscl.scoring.record import COLUMNS, SCORED_STATUSES, Record
from osscl.support.csv_rows import CsvReader, open_csv
from osscl.support.failed_import import needing
from osscl.support.links import unreadable
from osscl.support.paths import printable
from osscl.support.regular_file import regular_only

_NEEDED = ("path", "machine", "status", "score")
_NUMBERS = tuple(
    name
    for name in COLUMNS
    if name.startswith("z_") or name in ("p_value", "threshold", "start_s", "duration_s")
)
_TEXTS = ("reason", "rule", "recorded_at", "quality", "explanation", "scope")
_LONGEST_SHOWN = 40
_UNFINISHED = "_temporary"  # where Spark writes before a job is through


def read_records(path: Path) -> Iterator[Record]:
    """Read a table that ``osscl score`` wrote, or any table with the same four columns.

    Parameters
    ----------
    path : Path
        File that ends in .csv, .jsonl or .parquet; or a folder of that ending, with a table in parts.

    Yields
    ------
    Record
        Each line. Columns of `Record` that the table lacks are None, those that `Record` lacks are not read.

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
        raise EvaluationError(unreadable(path, "table", error)) from error


def _record(cells: Mapping[str, Any]) -> Record:
    missing = [name for name in _NEEDED if name not in cells]
    if missing:
        raise ValueError(f"column {missing[0]} is missing; expected {', '.join(_NEEDED)}")
    path, machine, status = (_text(cells, name) for name in ("path", "machine", "status"))
    score = cells["score"]
    if not path:
        raise ValueError("path is empty")
    if (status in SCORED_STATUSES) != (score not in (None, "")):
        raise ValueError(f"status is '{status or ''}' and score '{'' if score is None else score}'")
    others: dict[str, Any] = {name: _text(cells, name) or None for name in _TEXTS}
    others |= {name: _number(cells, name) for name in _NUMBERS}
    return Record(
        path=path,
        machine=machine or None,
        status=status or "",
        score=_number(cells, "score"),
        is_anomaly=_truth(cells, "is_anomaly"),
        sample_rate_hz=_whole(cells, "sample_rate_hz"),
        **others,
    )


def _text(cells: Mapping[str, Any], name: str) -> str | None:
    value = cells.get(name)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{name} is {_short(value)}, expected a text")
    return value


def _number(cells: Mapping[str, Any], name: str) -> float | None:
    cell = cells.get(name)
    if cell in (None, ""):
        return None
    is_number = isinstance(cell, str | int | float) and not isinstance(cell, bool)
    try:
        value = float(cell) if is_number else math.nan
    except (ValueError, OverflowError):
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{name} is {_short(cell)}, expected a finite number")
    return value


def _whole(cells: Mapping[str, Any], name: str) -> int | None:
    number = _number(cells, name)
    if number is not None and not number.is_integer():
        raise ValueError(f"{name} is {_short(number)}, expected a whole number")
    return None if number is None else int(number)


def _truth(cells: Mapping[str, Any], name: str) -> bool | None:
    cell = cells.get(name)
    known = {None: None, "": None, "true": True, "false": False}
    word = str(cell).lower() if isinstance(cell, str | bool) else cell
    if not (word is None or isinstance(word, str)) or word not in known:
        raise ValueError(f"{name} is {_short(cell)}, expected true, false or nothing")
    return known[word]


def _short(value: Any) -> str:
    spelled = str(value)
    return spelled if len(spelled) <= _LONGEST_SHOWN else f"{spelled[:_LONGEST_SHOWN]}..."


def _unusable(path: Path, line: int, error: Exception) -> EvaluationError:
    return EvaluationError(f"{printable(path)}, line {max(1, line)}: {error}")


def _csv_lines(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    with open_csv(path) as file:
        rows = CsvReader(file)
        try:
            header = next(rows, [])
            _refuse_repeated(header)
            for cells in rows:
                if not cells:  # a blank line
                    continue
                if len(cells) != len(header):
                    raise ValueError(f"has {len(cells)} values where the header names {len(header)} columns")
                yield rows.line_num, dict(zip(header, cells, strict=True))
        except (csv.Error, ValueError) as error:
            raise _unusable(path, rows.line_num, error) from error


def _json_lines(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    number = 0
    with open(path, "rb", opener=regular_only) as file:
        try:
            for number, content in enumerate(file, 1):
                line = content.decode()  # here, so that the number of the line is its own
                if line.isspace():
                    continue
                row = json.loads(line, object_pairs_hook=_members)
                if not isinstance(row, dict):
                    raise ValueError(f"is {_short(line.strip())}, expected a JSON object")
                yield number, row
        except json.JSONDecodeError as error:
            raise _unusable(
                path, number, ValueError(f"is no JSON: {error.msg} at column {error.colno}")
            ) from error
        except RecursionError:
            raise _unusable(path, number, ValueError("is JSON that is nested too deeply")) from None
        except ValueError as error:
            raise _unusable(path, number, error) from error


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    _refuse_repeated([name for name, _ in pairs])
    return dict(pairs)


def _parquet_lines(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    with needing("Parquet", "parquet"):
        import pyarrow.parquet  # noqa: F401
    if not path.is_dir():
        yield from _lines_of_one_file(path)
        return
    parts = parts_of(path)
    if not parts or (path / _UNFINISHED).exists():
        what = "no file that ends in .parquet" if not parts else "files that are still being written"
        raise EvaluationError(
            f"{printable(path)}: this folder holds {what}; expected a table in parts, all of them written"
        )
    for part in parts:
        yield from _lines_of_one_file(part)


def _lines_of_one_file(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    import pyarrow.parquet

    number = 0
    with open(path, "rb", opener=regular_only) as file:
        try:
            with pyarrow.parquet.ParquetFile(file) as table:
                _refuse_repeated(table.schema_arrow.names)
                for batch in table.iter_batches():
                    for row in batch.to_pylist():
                        number += 1
                        yield number, row
        except (pyarrow.ArrowException, ValueError) as error:
            reason = str(error).partition("\n")[0].rstrip(".")
            raise EvaluationError(
                f"{printable(path)}: no Parquet file, or one that is cut off or damaged ({reason})"
            ) from error


def _refuse_repeated(names: Sequence[str]) -> None:
    if len(set(names)) < len(names):
        name, count = Counter(names).most_common(1)[0]
        raise ValueError(f"{_short(ascii(name))} is named {count} times; expected once")


_READERS = {".csv": _csv_lines, ".jsonl": _json_lines, ".parquet": _parquet_lines}
TABLE_SUFFIXES = tuple(_READERS)
"""Endings, in lower case, of tables of scores."""
