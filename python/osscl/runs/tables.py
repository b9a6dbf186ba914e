"""Result tables: CSV, JSON Lines and Parquet, written line by line under another name until complete."""

import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import IO, Any, TextIO, TypeVar

import msgspec

from osscl.errors import ConfigError, OutputError
from osscl.runs.parquet import ParquetTable, parquet_maker
from osscl.scoring.record import COLUMNS, Record
from osscl.storage.urls import Place, Url
from osscl.storage.writing import appearing_at, check_free, is_taken
from osscl.support.atomic import appearing_whole
from osscl.support.csv_rows import CsvWriter, TextSink
from osscl.support.outputs import cannot_be_written, check_output, refuse_inputs
from osscl.support.paths import printable


class Table(ABC):
    """Lines of a result table, each written as soon as it is known."""

    @abstractmethod
    def write(self, record: Record) -> None:
        """Add one line."""

    def end(self, run: dict[str, Any]) -> None:  # noqa: B027 - most have no place for it
        """Write what stands below all lines; `run` says how they came about."""

    def abandon(self) -> None:  # noqa: B027 - as above
        """Let go of a file that will not be completed."""


class CsvTable(Table):
    """CSV as `osscl.support.csv_rows` writes it, with one header line."""

    def __init__(self, file: TextSink) -> None:
        self._writer = CsvWriter(file)
        self._writer.write(COLUMNS)

    def write(self, record: Record) -> None:
        cells = record.to_dict()
        if record.is_anomaly is not None:
            cells["is_anomaly"] = "true" if record.is_anomaly else "false"
        self._writer.write(cells.values())


class JsonLinesTable(Table):
    """One JSON object a line."""

    def __init__(self, file: TextSink) -> None:
        self._file = file

    def write(self, record: Record) -> None:
        self._file.write(msgspec.json.encode(record).decode() + "\n")


Table.register(ParquetTable)
AnyPlace = TypeVar("AnyPlace", Path, Url, Path | Url)
_OF_TEXT: dict[str, Callable[[TextSink], Table]] = {".csv": CsvTable, ".jsonl": JsonLinesTable}
FORMATS = (*_OF_TEXT, ".parquet")
"""Endings, in lower case, of the tables that are written."""


class OutputTable:
    """A table on its way to a file, which appears whole or not at all; or to a stream.

    Parameters
    ----------
    output : Path, Url or None
        File to write, or object, its ending one of `FORMATS`; None means a stream.
    overwrite : bool
        Replace what an earlier run left at `output`; where that is a link, the link itself.
    inputs : iterable of path-like or None
        What the run reads, which is never replaced.
    suffix : str
        Format of the stream.
    stream : text file, optional
        Where lines go without `output`; by default stdout.

    Attributes
    ----------
    output : Path, Url or None
        As above.

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
        output: Place | None,
        *,
        overwrite: bool = False,
        inputs: Iterable[str | os.PathLike[str] | None] = (),
        suffix: str = ".csv",
        stream: TextIO | None = None,
    ) -> None:
        self.output = output
        self._overwrite = overwrite
        self._suffix = suffix if output is None else check_format(output)
        self._stream = stream or sys.stdout
        self._table: Table | None = None
        self._file: IO[bytes] | None = None
        self._appearing: AbstractContextManager[IO[bytes]] | None = None
        if isinstance(output, Url):
            check_free(output, overwrite=overwrite)
        elif output is not None:
            inputs = tuple(inputs)
            check_output(output, overwrite=overwrite, inputs=inputs)
            refuse_inputs(record_of(output), inputs)

    def write(self, record: Record) -> None:
        """Add one line, its path spelled so that it can be printed."""
        try:
            self._begun().write(msgspec.structs.replace(record, path=printable(record.path)))
        except OSError as error:
            raise self._cannot_write(error) from error

    def abandon(self) -> None:
        """Take back what is there of a file."""
        if self._appearing is not None:
            appearing, self._appearing = self._appearing, None
            if self._table is not None:
                self._table.abandon()
            with suppress(_Abandoned, OSError):  # what is buffered may find no room either
                appearing.__exit__(_Abandoned, _Abandoned(), None)

    def finish(self, run: dict[str, Any], on_complete: Callable[[Path], None] | None = None) -> None:
        """Complete the table and give it its name.

        Parameters
        ----------
        run : dict
            How the lines came about.
        on_complete : callable, optional
            Called with the complete file right before it gets its name; not for a stream.

        Raises
        ------
        OutputError
            It cannot be written, or something came into being at that name meanwhile; nothing is left then.
        """
        try:
            self._begun().end(run)
            if self.output is None:
                self._stream.flush()
                return
            assert self._file is not None
            assert self._appearing is not None
            self._file.flush()
            if on_complete is not None:
                on_complete(Path(self._file.name))
            if not self._overwrite and _is_there(self.output):
                raise OutputError(
                    f"{printable(self.output)} came into being meanwhile; name another file, or use "
                    "--overwrite"
                )
            appearing, self._appearing = self._appearing, None
            appearing.__exit__(None, None, None)
        except OSError as error:
            raise self._cannot_write(error) from error
        finally:
            self.abandon()

    def _begun(self) -> Table:
        """Open the table with its first line: a run that never comes to a result leaves stdout empty."""
        if self._table is None:
            if self.output is None:
                self._table = _OF_TEXT[self._suffix](self._stream)
            else:
                place = self.output
                self._appearing = appearing_at(place) if isinstance(place, Url) else appearing_whole(place)
                self._file = self._appearing.__enter__()
                if self._suffix == ".parquet":
                    self._table = parquet_maker()(self._file)  # type: ignore[assignment]
                else:
                    self._table = _OF_TEXT[self._suffix](_Utf8(self._file))
        return self._table  # type: ignore[return-value]

    def _cannot_write(self, error: OSError) -> OutputError:
        if self.output is None:
            return OutputError(f"stdout cannot be written: {error.strerror}")
        return cannot_be_written(Path(self.output), error)


class _Abandoned(Exception):  # noqa: N818 - never leaves this module
    """Ends the writing of a file before it is whole."""


class _Utf8:
    """Text into a binary file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, text: str) -> None:
        """Take some text."""
        self._file.write(text.encode("utf-8", "backslashreplace"))


def _is_there(place: Place) -> bool:
    return is_taken(place) if isinstance(place, Url) else os.path.lexists(place)


def check_format(output: Place) -> str:
    """Tell the format of a table by the ending of its name, before hours of work go into it.

    Parameters
    ----------
    output : Path
        File to write.

    Returns
    -------
    str
        One of `FORMATS`.

    Raises
    ------
    ConfigError
        It names none.
    MissingExtraError
        The format needs a package that is not installed.
    """
    suffix = output.suffix.lower()
    if suffix not in FORMATS:
        raise ConfigError(
            f"{printable(output)}: no table format ends in '{suffix}'; choose one of: {', '.join(FORMATS)}"
        )
    if suffix == ".parquet":
        parquet_maker()
    return suffix


def record_of(output: AnyPlace) -> AnyPlace:
    """Where the record of the run that wrote an output is."""
    return output.with_name(output.name + ".run.json")
