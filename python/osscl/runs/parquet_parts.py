"""A table in parts: a folder of Parquet files that appears whole, as engines write and read them."""

import os
import secrets
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import msgspec

from osscl.errors import ConfigError, OutputError
from osscl.runs.parquet import ParquetTable, parquet_maker
from osscl.runs.tables import record_of
from osscl.scoring.record import Record
from osscl.support.outputs import cannot_be_written, check_output, refuse_inputs
from osscl.support.paths import printable

SUFFIX = ".parquet"
ROWS_OF_A_PART = 200_000
_PARTS = "part-*.parquet"


class PartsTable:
    """A folder of parts on its way; it gets its name when all of them are written.

    Parameters
    ----------
    output : Path
        The folder, its name ending in .parquet.
    overwrite : bool
        Replace a table that stands there.
    inputs : iterable of path-like or None
        What the run reads, which is never replaced.
    rows : int
        Rows of a part.

    Attributes
    ----------
    output : Path
        As above.
    n_parts : int
        Parts that are begun.

    Raises
    ------
    ConfigError
        The name does not end in .parquet.
    MissingExtraError
        pyarrow is not installed.
    OutputError
        The place cannot be written to, or is taken.
    """

    def __init__(
        self,
        output: Path,
        *,
        overwrite: bool = False,
        inputs: Iterable[str | os.PathLike[str] | None] = (),
        rows: int = ROWS_OF_A_PART,
    ) -> None:
        self.output = output
        self.n_parts = 0
        self._overwrite, self._rows_of_a_part = overwrite, rows
        self._make = parquet_maker()
        self._work = output.absolute().parent / f".osscl-{secrets.token_hex(8)}.part"
        self._file: IO[bytes] | None = None
        self._part: ParquetTable | None = None
        self._n_rows = 0
        _check_place(output, overwrite=overwrite, inputs=tuple(inputs))

    def write(self, record: Record) -> None:
        """Add one line, its path spelled so that it can be printed."""
        try:
            if self._part is None:
                self._begin_part()
            assert self._part is not None
            self._part.write(msgspec.structs.replace(record, path=printable(record.path)))
            self._n_rows += 1
            if self._n_rows == self._rows_of_a_part:
                self._end_part()
        except OSError as error:
            raise cannot_be_written(self.output, error) from error

    def finish(self, run: dict[str, Any], on_complete: Callable[[Path], None] | None = None) -> None:
        """Complete the last part, and give the folder its name.

        Parameters
        ----------
        run : dict
            How the lines came about; it stands beside the folder, in no part.
        on_complete : callable, optional
            Called with the complete folder right before it gets its name.

        Raises
        ------
        OutputError
            It cannot be written; nothing is left then.
        """
        try:
            if self._part is None and not self.n_parts:
                self._begin_part()  # no line: a table with its columns all the same
            self._end_part()
            if on_complete is not None:
                on_complete(self._work)
            self._give_name()
        except OSError as error:
            raise cannot_be_written(self.output, error) from error
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Take back what is there."""
        if self._part is not None:
            self._part.abandon()
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
        self._part = self._file = None
        shutil.rmtree(self._work, ignore_errors=True)

    def _begin_part(self) -> None:
        self._work.mkdir(exist_ok=True)
        self._file = (self._work / f"part-{self.n_parts:05d}.parquet").open("xb")
        self._part = self._make(self._file)
        self.n_parts += 1
        self._n_rows = 0

    def _end_part(self) -> None:
        if self._part is None or self._file is None:
            return
        self._part.end(None)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._part = self._file = None

    def _give_name(self) -> None:
        """Rename the folder; an old table steps aside first, and goes when the new one stands."""
        aside = self._work.with_suffix(".old")
        if os.path.lexists(self.output):
            if not self._overwrite:
                raise OutputError(
                    f"{printable(self.output)} came into being meanwhile; name another folder, or "
                    "use --overwrite"
                )
            self.output.rename(aside)
        self._work.rename(self.output)
        if aside.is_dir() and not aside.is_symlink():
            shutil.rmtree(aside, ignore_errors=True)
        else:
            aside.unlink(missing_ok=True)


def parts_of(folder: Path) -> list[Path]:
    """Find the parts of a table, whoever wrote them.

    Parameters
    ----------
    folder : Path
        The table.

    Returns
    -------
    list of Path
        In the order of their names; hidden files and those named _* are none.
    """
    return sorted(each for each in folder.glob("*.parquet") if each.name[0] not in "._")


def _check_place(output: Path, *, overwrite: bool, inputs: tuple[str | os.PathLike[str] | None, ...]) -> None:
    if output.suffix.lower() != SUFFIX:
        raise ConfigError(
            f"{printable(output)}: a table in parts is a folder of Parquet files; expected a name that ends "
            f"in {SUFFIX}"
        )
    refuse_inputs(record_of(output), inputs)
    if not output.is_dir() or output.is_symlink():
        check_output(output, overwrite=overwrite, inputs=inputs)
        return
    refuse_inputs(output, inputs)
    if not overwrite:
        raise OutputError(f"{printable(output)} exists; name another folder, or use --overwrite")
    try:
        foreign = {each.name for each in output.iterdir()} - {each.name for each in output.glob(_PARTS)}
    except OSError as error:
        raise cannot_be_written(output, error) from error
    if foreign:
        raise OutputError(
            f"{printable(output)} holds more than a table in parts ({printable(min(foreign))}) and is not "
            "replaced; name another folder"
        )
