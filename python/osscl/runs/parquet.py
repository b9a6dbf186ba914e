"""Parquet tables: columns of fixed types, and the description of the run in the file's metadata."""

from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any, TypeAlias

import msgspec

from osscl.errors import MissingExtraError
from osscl.scoring.record import COLUMNS, Record

_ROWS_OF_A_GROUP = 8192
_RUN_KEY = "osscl.run"
_TYPES = {
    "score": "float32",
    "p_value": "float64",
    "threshold": "float64",
    "is_anomaly": "bool",
    "start_s": "float64",
    "duration_s": "float64",
    "sample_rate_hz": "int32",
    **dict.fromkeys(("z_level", "z_modulation", "z_flutter", "z_event"), "float32"),
}
COLUMN_TYPES = {name: _TYPES.get(name, "string") for name in COLUMNS}
"""Type of each column of `Record` in Parquet tables, by Arrow's name of it."""


def record_schema() -> Any:
    """The columns of a Parquet table, a `pyarrow.Schema`."""
    import pyarrow

    return pyarrow.schema([(name, pyarrow.type_for_alias(type_)) for name, type_ in COLUMN_TYPES.items()])


class ParquetTable:
    """A Parquet file on its way; no reader takes half of one.

    Parameters
    ----------
    file : binary file
        Where to.
    """

    def __init__(self, file: IO[bytes]) -> None:
        import pyarrow
        import pyarrow.parquet

        self._schema = record_schema()
        self._writer = pyarrow.parquet.ParquetWriter(file, self._schema)
        self._make = pyarrow.Table.from_pylist
        self._rows: list[dict[str, Any]] = []

    def write(self, record: Record) -> None:
        """Add one line."""
        self._rows.append(record.to_dict())
        if len(self._rows) == _ROWS_OF_A_GROUP:
            self._write_group()

    def end(self, run: dict[str, Any] | None) -> None:
        """Write what is left, and how the lines came about, where that is known."""
        if self._rows:
            self._write_group()
        if run is not None:
            self._writer.add_key_value_metadata({_RUN_KEY: msgspec.json.encode(run).decode()})
        self._writer.close()

    def abandon(self) -> None:
        """Let go of a file that will not be completed."""
        with suppress(OSError):  # it would write its end, for which there may be no room
            self._writer.close()
        self._writer.is_open = False  # else it tries again when it is collected

    def _write_group(self) -> None:
        self._writer.write_table(self._make(self._rows, schema=self._schema))
        self._rows = []


ParquetMaker: TypeAlias = Callable[[IO[bytes]], ParquetTable]


def parquet_maker() -> ParquetMaker:
    """Load what writes Parquet, before a run of hours needs it at its end.

    Returns
    -------
    callable
        Begins a table in a file.

    Raises
    ------
    MissingExtraError
        pyarrow is not installed.
    """
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            'Parquet needs the package pyarrow, which is not installed: pip install "osscl[parquet]"'
        ) from error
    return ParquetTable
