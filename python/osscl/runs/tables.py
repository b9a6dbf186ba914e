"""Result tables: CSV, JSON Lines and Parquet, written line by line under another name until complete."""

import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TextIO

import msgspec

from osscl.errors import ConfigError, OutputError
from osscl.runs.parquet import ParquetMaker, parquet_maker
from osscl.runs.part import Part, part_of
from osscl.scoring.record import COLUMNS, Record
from osscl.support.atomic import appearing_whole
from osscl.support.csv_rows import CsvWriter, TextSink
from osscl.support.outputs import check_output, refuse_inputs
from osscl.support.paths import printable


class Table(ABC):
    """Lines of a result table, each written as soon as it is known."""

    def begin(self) -> None:  # noqa: B027 - most have no header
        """Write what stands above all lines."""

    @abstractmethod
    def write(self, record: Record) -> None:
        """Add one line."""


class CsvTable(Table):
    """CSV as `osscl.support.csv_rows` writes it, with one header line."""

    def __init__(self, file: TextSink) -> None:
        self._writer = CsvWriter(file)

    def begin(self) -> None:
        self._writer.write(COLUMNS)

    def write(self, record: Record) -> None:
        cells = msgspec.structs.asdict(record)
        if record.is_anomaly is not None:
            cells["is_anomaly"] = "true" if record.is_anomaly else "false"
        self._writer.write(cells.values())


class JsonLinesTable(Table):
    """One JSON object a line."""

    def __init__(self, file: TextSink) -> None:
        self._file = file

    def write(self, record: Record) -> None:
        self._file.write(msgspec.json.encode(record).decode() + "\n")


FORMATS: dict[str, Callable[[TextSink], Table]] = {
    ".csv": CsvTable,
    ".jsonl": JsonLinesTable,
    ".parquet": JsonLinesTable,  # until it is complete: no reader takes half a Parquet file
}


class OutputTable:
    """A table on its way to a file, or to stdout.

    Lines go to ``<output>.part``, which `finish` renames, or makes Parquet of. An interrupted run leaves it
    as it is, and a table without a line is not left behind.

    Parameters
    ----------
    output : Path or None
        File to write, its ending one of `FORMATS`; None means a stream.
    overwrite : bool
        Replace what an earlier run left at `output` or beside it; where that is a link, the link itself.
    inputs : iterable of path-like or None
        What the run reads, which is never replaced.
    suffix : str
        Format of the stream.
    stream : text file, optional
        Where lines go without `output`; by default stdout.

    Attributes
    ----------
    output : Path or None
        As above.
    n_lines : int
        Lines written.

    Raises
    ------
    ConfigError
        The ending names no format.
    MissingExtraError
        The format needs a package that is not installed.
    OutputError
        The place cannot be written to, or is taken.
    """

    def __init__(
        self,
        output: Path | None,
        *,
        overwrite: bool = False,
        inputs: Iterable[str | os.PathLike[str] | None] = (),
        suffix: str = ".csv",
        stream: TextIO | None = None,
    ) -> None:
        self.output = output
        self.n_lines = 0
        suffix = suffix if output is None else output.suffix.lower()
        if suffix not in FORMATS:
            raise ConfigError(
                f"{printable(output or '')}: no table format ends in '{suffix}'; choose one of: "
                f"{', '.join(FORMATS)}"
            )
        self._make_parquet = parquet_maker() if suffix == ".parquet" else None
        self._part = None if output is None else _open_part(output, overwrite, tuple(inputs))
        self._stream = stream or sys.stdout
        self._table = FORMATS[suffix](self._part or self._stream)
        self._has_begun = False

    @property
    def part(self) -> Path:
        """Where the lines are until the table is complete."""
        assert self.output is not None
        return part_of(self.output)

    @property
    def kept(self) -> str:
        """Where the lines of an interrupted run are, in words; nothing where there are none, or no file."""
        if self._part is None or not self.n_lines:
            return ""
        return printable(self.part) + (" (JSON Lines)" if self._make_parquet else "")

    def write(self, record: Record) -> None:
        """Add one line, its path spelled so that it can be printed."""
        try:
            self._begin()
            self._table.write(msgspec.structs.replace(record, path=printable(record.path)))
        except OSError as error:
            raise self._cannot_write(error) from error
        self.n_lines += 1

    def abandon(self) -> None:
        """Take back the empty table of a run that never began."""
        if self._part is not None:
            self._part.discard()

    def stop(self) -> None:
        """Close the table where it is, with the lines that it has."""
        if self._part is not None and self.n_lines:
            self._part.close()
        else:
            self.abandon()

    def finish(self, run: dict[str, Any]) -> None:
        """Close the table and give it its name; `run` describes how the lines came about."""
        try:
            self._begin()
            if self.output is None or self._part is None:
                self._stream.flush()
                return
            self._part.sync()
            self._part.check_place()
            if self._make_parquet is None:
                self._part.rename()
                self._part.close()
            else:
                _convert(self._make_parquet, self._part, self.output, run)
                self._part.discard()
        except OSError as error:
            raise self._cannot_write(error) from error

    def _begin(self) -> None:
        """Write the header, once: a run that never comes to a result leaves its part, or stdout, empty."""
        if not self._has_begun:
            self._table.begin()
            self._has_begun = True

    def _cannot_write(self, error: OSError) -> OutputError:
        place = "stdout" if self.output is None else printable(self.output)
        lines = "the line" if self.n_lines == 1 else f"the {self.n_lines} lines"
        kept = f"; {lines} before that are kept in {self.kept}" if self.kept else ""
        return OutputError(f"{place} cannot be written: {error.strerror}{kept}")


def record_of(output: Path) -> Path:
    """Where the record of the run that wrote an output is."""
    return output.with_name(output.name + ".run.json")


def _open_part(output: Path, overwrite: bool, inputs: tuple[str | os.PathLike[str] | None, ...]) -> Part:
    check_output(output, overwrite=overwrite, inputs=inputs)
    for beside in (part_of(output), record_of(output), record_of(part_of(output))):
        refuse_inputs(beside, inputs)
    return Part(output, overwrite=overwrite)


def _convert(make: ParquetMaker, part: Part, output: Path, run: dict[str, Any]) -> None:
    with part.path.open("rb") as lines, appearing_whole(output) as file:
        make(lines, run, file)
