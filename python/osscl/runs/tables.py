"""Result tables: CSV, JSON Lines and Parquet, written line by line under another name until complete."""

import csv
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import msgspec

from osscl.errors import ConfigError, MissingExtraError, OutputError
from osscl.scoring.record import COLUMNS, Record
from osscl.support.failed_import import needing
from osscl.support.paths import printable

_FORMULA_STARTS = ("=", "+", "-", "@")
_ROWS_OF_A_GROUP = 8192


class Table(ABC):
    """A result table that is being written."""

    @abstractmethod
    def write(self, record: Record) -> None:
        """Add one line."""

    @abstractmethod
    def close(self, run: dict[str, Any]) -> None:
        """Write what is still held back; `run` describes how the lines came about."""


class CsvTable(Table):
    """RFC 4180, UTF-8, one header line; each line is on its way to disk once it is written."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._writer = csv.writer(file)
        self._writer.writerow(COLUMNS)

    def write(self, record: Record) -> None:
        cells = msgspec.structs.asdict(record) | {"path": _without_formula(record.path)}
        if record.is_anomaly is not None:
            cells["is_anomaly"] = "true" if record.is_anomaly else "false"
        self._writer.writerow(cells.values())

    def close(self, run: dict[str, Any]) -> None:
        self._file.flush()


class JsonLinesTable(Table):
    """One JSON object a line."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, record: Record) -> None:
        self._file.write(msgspec.json.encode(record).decode() + "\n")

    def close(self, run: dict[str, Any]) -> None:
        self._file.flush()


class ParquetTable(Table):
    """Columns of fixed types; the description of the run stands in the file's metadata too."""

    def __init__(self, file: IO[bytes]) -> None:
        self._arrow, self._writer = _open_parquet(file)
        self._rows: list[dict[str, Any]] = []

    def write(self, record: Record) -> None:
        self._rows.append(msgspec.structs.asdict(record))
        if len(self._rows) == _ROWS_OF_A_GROUP:
            self._write_group()

    def close(self, run: dict[str, Any]) -> None:
        self._write_group()
        self._writer.add_key_value_metadata({"osscl.run": msgspec.json.encode(run).decode()})
        self._writer.close()

    def _write_group(self) -> None:
        if self._rows:
            self._writer.write_table(self._arrow.Table.from_pylist(self._rows, schema=self._writer.schema))
            self._rows.clear()


FORMATS: dict[str, Callable[[Any], Table]] = {
    ".csv": CsvTable,
    ".jsonl": JsonLinesTable,
    ".parquet": ParquetTable,
}


class OutputTable:
    """A table on its way to a file, or to stdout.

    Lines go to ``<output>.part``, which `finish` renames. An interrupted run leaves it as it is.

    Parameters
    ----------
    output : Path or None
        File to write, its ending one of `FORMATS`; None means stdout.
    overwrite : bool
        Replace what an earlier run left at `output` or beside it.
    suffix : str
        Format of stdout.

    Raises
    ------
    ConfigError
        The ending names no format.
    MissingExtraError
        The format needs a package that is not installed.
    OutputError
        The place cannot be written to, or is taken.
    """

    def __init__(self, output: Path | None, *, overwrite: bool = False, suffix: str = ".csv") -> None:
        self.output = output
        self.n_lines = 0
        suffix = suffix if output is None else output.suffix.lower()
        if suffix not in FORMATS:
            raise ConfigError(
                f"{output}: no table format ends in '{suffix}'; choose one of: {', '.join(FORMATS)}"
            )
        self._file = sys.stdout if output is None else self._open_part(output, suffix, overwrite)
        try:
            self._table = FORMATS[suffix](self._file)
        except MissingExtraError:
            self.abandon()
            raise

    @property
    def part(self) -> Path:
        """Where the lines are until the table is complete."""
        assert self.output is not None
        return self.output.with_name(self.output.name + ".part")

    def write(self, record: Record) -> None:
        """Add one line, its path spelled so that it can be printed."""
        try:
            self._table.write(msgspec.structs.replace(record, path=printable(record.path)))
        except OSError as error:
            raise self._cannot_write(error) from error
        self.n_lines += 1

    def abandon(self) -> None:
        """Take back the empty table of a run that never began."""
        if self.output is not None:
            self._file.close()
            self.part.unlink(missing_ok=True)

    def stop(self, run: dict[str, Any]) -> None:
        """Close the table where it is: complete or not, it can be read."""
        try:
            self._table.close(run)
            if self.output is not None:
                self._file.close()
        except OSError as error:
            raise self._cannot_write(error) from error

    def finish(self, run: dict[str, Any]) -> None:
        """Close the table and give it its name."""
        self.stop(run)
        if self.output is not None:
            self.part.replace(self.output)

    def _open_part(self, output: Path, suffix: str, overwrite: bool) -> IO[Any]:
        for path, what in ((output, "already there"), (self.part, "there from an interrupted run")):
            if path.exists() and not overwrite:
                raise OutputError(f"{path} is {what}; move it away, or use --overwrite")
        try:
            if output.is_dir():
                raise IsADirectoryError(None, "it is a folder")
            if suffix == ".parquet":
                return self.part.open("wb")
            return self.part.open("w", encoding="utf-8", newline="", buffering=1)
        except OSError as error:
            raise self._cannot_write(error) from error

    def _cannot_write(self, error: OSError) -> OutputError:
        place = "stdout" if self.output is None else self.part
        kept = f"; the {self.n_lines} lines before are kept" if self.n_lines else ""
        return OutputError(f"{place} cannot be written: {error.strerror}{kept}")


def _without_formula(path: str) -> str:
    """A path that no spreadsheet takes for a formula."""
    return f".{os.sep}{path}" if path.startswith(_FORMULA_STARTS) or path[:1] < " " else path


def _open_parquet(file: IO[bytes]) -> tuple[Any, Any]:
    with needing("Parquet", "parquet"):
        import pyarrow
        import pyarrow.parquet
    types: dict[str, Any] = {
        "score": pyarrow.float32(),
        "p_value": pyarrow.float64(),
        "threshold": pyarrow.float64(),
        "is_anomaly": pyarrow.bool_(),
        "start_s": pyarrow.float64(),
        "duration_s": pyarrow.float64(),
        "sample_rate_hz": pyarrow.int32(),
    }
    schema = pyarrow.schema([(name, types.get(name, pyarrow.string())) for name in COLUMNS])
    return pyarrow, pyarrow.parquet.ParquetWriter(file, schema)
