"""Batches of paths to recordings, and records to batches: as Arrow tables, or as pandas frames of them."""

import os
from collections.abc import Iterable, Sequence
from typing import Any

from osscl.audio.candidate import Candidate
from osscl.errors import InputError
from osscl.runs.parquet import COLUMN_TYPES, record_schema
from osscl.scoring.record import Record, short_float
from osscl.support.failed_import import needing
from osscl.support.paths import printable

PATH = "path"
_FLOAT32 = [name for name, type_ in COLUMN_TYPES.items() if type_ == "float32"]
_SPARK_TYPES = {
    "string": "string",
    "float32": "float",
    "float64": "double",
    "int32": "int",
    "bool": "boolean",
}


def candidates_in(batch: Any) -> list[Candidate]:
    """Read the recordings that a batch names.

    Parameters
    ----------
    batch : pyarrow.Table or pandas.DataFrame
        Its column ``path`` holds texts, or bytes where names are not UTF-8.

    Returns
    -------
    list of Candidate
        One for each row.

    Raises
    ------
    InputError
        There is no such column, or a cell of it is no path.
    """
    names = list(getattr(batch, "column_names", getattr(batch, "columns", ())))
    if PATH not in names:
        raise InputError(
            f"the batch has the columns {', '.join(map(str, names)) or '(none)'}; expected a column "
            f"'{PATH}' with the recordings' paths"
        )
    column = batch[PATH]
    cells = column.to_pylist() if hasattr(column, "to_pylist") else column.tolist()
    return [Candidate(_path(cell)) for cell in cells]


def table_of(records: Iterable[Record]) -> Any:
    """Make an Arrow table of records, with the columns and types of a Parquet table of scores.

    Parameters
    ----------
    records : iterable of Record
        The lines.

    Returns
    -------
    pyarrow.Table
        A row for each; paths are spelled as in result tables.

    Raises
    ------
    MissingExtraError
        pyarrow is not installed.
    """
    with needing("scoring batches", "parquet", "ray"):
        import pyarrow
    rows = [{**each.to_dict(), PATH: printable(each.path)} for each in records]
    return pyarrow.Table.from_pylist(rows, schema=record_schema())


def spark_schema() -> str:
    """Tell the columns of records as Spark spells them.

    Returns
    -------
    str
        Such as "path string, machine string, ...".
    """
    return ", ".join(f"{name} {_SPARK_TYPES[type_]}" for name, type_ in COLUMN_TYPES.items())


def records_in(table: Any) -> Sequence[Record]:
    """Read records back.

    Parameters
    ----------
    table : pyarrow.Table
        As `table_of` made it; other columns may stand beside.

    Returns
    -------
    sequence of Record
        One for each row.
    """
    rows = table.select(list(Record.__struct_fields__)).to_pylist()
    for row in rows:
        for name in _FLOAT32:
            if row[name] is not None:
                row[name] = short_float(row[name])
    return [Record(**row) for row in rows]


def _path(cell: object) -> str:
    if not isinstance(cell, str | bytes) or not cell:
        raise InputError(f"the column '{PATH}' holds {cell!r}; expected the path of a recording")
    return os.fsdecode(cell)
