"""Tables of labels: what is told of files by rows of a CSV table."""

import csv
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Self

from osscl.errors import LabelTableError, MachineError
from osscl.machines.dcase import check_machine
from osscl.machines.label_globs import Fits, is_glob, name_glob, path_glob
from osscl.machines.label_paths import PathRows
from osscl.machines.label_rows import LabelRow, RowError, differing, rows_of
from osscl.machines.told import Told
from osscl.support.csv_rows import CsvReader, not_utf_8, open_csv
from osscl.support.links import as_walked, unreadable
from osscl.support.listing import listed
from osscl.support.paths import path_of, printable
from osscl.support.plurals import plural
from osscl.support.spelling import composed

_MAX_NAMED = 3
_MAX_FILES = 4096
_NAME_COUNTS = (
    ", or call its column path file: it has a row for a file of that name beside the table, and names in a "
    "column file count in every folder"
)


@dataclass(slots=True)
class _Row:
    """A row that stands for files of any number, and whether one of them was asked for."""

    spelled: str
    told: Told
    fits: Fits | None = None
    is_met: bool = False


class LabelTable:
    r"""What is told of files by a CSV table with the columns ``path`` and ``machine``.

    It may have the columns ``label`` (normal or anomaly), ``domain`` (source or target) and ``recording``
    (what clips were cut of) as well, see `osscl.machines.label_rows`.

    Paths are absolute, or relative to the folder of the table, and spelled as result tables spell them: a
    cell may be disarmed as `osscl.support.csv_rows` says; bytes of a file name that are not UTF-8 stand as
    they are, where there is a file of that name, or as ``\xNN``, and a name that holds the four characters
    ``\xff`` itself is ``\x5cxff``.
    Symbolic links are followed in folders, but a link to a file is another file than its target.

    A row stands for the file of that very spelling. A file without such a row has that of the row which
    differs in how accents are spelled (macOS takes them apart), or else of the row whose backslashes
    separate names (Windows); else that of the globs that it fits, see `path_glob`, which must tell the same.
    A row with one of ``* ? [`` is a glob unless there is a file of that very name.

    A column ``file`` in place of ``path`` holds names of files, wherever they lie, or globs of names.

    Parameters
    ----------
    path : path-like
        Where the table lies.

    Attributes
    ----------
    has_labels : bool
        Whether some row says that its file is normal or anomalous.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.has_labels = False
        self._path = path
        self._base = str(Path(path).parent)
        self._paths = PathRows(self._base)
        self._names: dict[str, _Row] = {}  # name of a file, composed -> its row
        self._globs: dict[str, _Row] = {}  # as it is spelled -> its row
        # a file is asked for when the walk meets it, and again when it is read
        self._globs_of = lru_cache(_MAX_FILES)(self._find_globs_of)

    @classmethod
    def read(cls, path: str | os.PathLike[str], known: Collection[str] | None = None) -> Self:
        """Read a table.

        Parameters
        ----------
        path : str or path
            CSV file as of RFC 4180, UTF-8 with or without byte order mark, with a header. Other columns
            than those named above are ignored.
        known : collection of str, optional
            Names of the machines that the model knows; by default every name will do.

        Returns
        -------
        LabelTable
            The table, held in memory.

        Raises
        ------
        LabelTableError
            If it cannot be read, lacks a column or a value, names a machine, label or domain that is not
            known, gives a domain in some rows alone, or tells two things of one file.
        """
        table = cls(path)
        same: dict[Told, Told] = {}  # one object for equal rows, however many
        try:
            with open_csv(path) as file:
                rows = CsvReader(file, keeps_bytes=True)
                try:
                    for row in rows_of(rows):
                        if known is not None:
                            check_machine(row.told.machine or "", known)
                        table.has_labels = table.has_labels or row.told.is_anomaly is not None
                        table._add(row._replace(told=same.setdefault(row.told, row.told)))
                except (csv.Error, RowError, MachineError) as error:
                    raise LabelTableError(f"{printable(path)}, line {rows.line_num}: {error}") from error
        except OSError as error:
            raise LabelTableError(unreadable(path, "table", error)) from error
        if not len(table):
            raise LabelTableError(f"{printable(path)}: has no rows below its header")
        return table

    def __len__(self) -> int:
        """Rows of different files, names and globs."""
        return len(self._paths) + len(self._names) + len(self._globs)

    def __call__(self, path: str | os.PathLike[str]) -> str:
        """Look up the machine of a file, as `machine_of`."""
        return self.machine_of(path)

    def machine_of(self, path: str | os.PathLike[str]) -> str:
        """Look up the machine of a file.

        Parameters
        ----------
        path : str or path
            The file.

        Returns
        -------
        str
            Name of its machine.

        Raises
        ------
        MachineError
            If the table has no row for the file, or several that may be meant, with different machines.
        """
        return self.told_of(path).machine or ""

    def told_of(self, path: str | os.PathLike[str]) -> Told:
        """Look up all that the table tells of a file.

        Parameters
        ----------
        path : str or path
            The file.

        Returns
        -------
        Told
            Its machine, and what the other columns say.

        Raises
        ------
        MachineError
            If the table has no row for the file, or several that may be meant and tell different things.
        """
        spelled = os.fsdecode(path)
        told = self._paths.told_of(spelled) or self._told_by_name(spelled) or self._told_by_globs(spelled)
        if told is None:
            raise MachineError(
                "the table of labels has no row for it; add one with its path and machine"
                f"{_NAME_COUNTS if self._paths.has_beside_table(spelled) else ''}"
            )
        return told

    def is_labelled(self, path: str | os.PathLike[str]) -> bool:
        """Whether the table says of a file that it is normal, or that it is anomalous."""
        try:
            return self.told_of(path).is_anomaly is not None
        except MachineError:  # no row for it
            return False

    def meet(self, path: str | os.PathLike[str]) -> None:
        """Note that there is a file: all rows that it fits are of use, also where another goes before."""
        for find in (self.told_of, self._told_by_globs):
            with suppress(MachineError):
                find(os.fsdecode(path))

    def unmet(self) -> str | None:
        """Say which rows are of no file that was asked for; None where all are of some."""
        rows = [*self._paths.unmet()]
        rows += [each.spelled for each in (*self._names.values(), *self._globs.values()) if not each.is_met]
        if not rows:
            return None
        return (
            f"no recording was met for {len(rows):,} of {len(self):,} {plural(len(self), 'row')} of "
            f"{printable(self._path)}: {listed(rows, _MAX_NAMED)}"
        )

    def _told_by_name(self, path: str) -> Told | None:
        row = self._names.get(composed(os.path.basename(path))) if self._names else None  # noqa: PTH119 - a str
        if row is None:
            return None
        row.is_met = True
        return row.told

    def _told_by_globs(self, path: str) -> Told | None:
        if not self._globs:
            return None
        fitting = self._globs_of(path)
        for glob in fitting:
            glob.is_met = True
        for glob in fitting[1:]:
            if glob.told != fitting[0].told:
                raise MachineError(
                    f"it fits two rows of the table of labels, {printable(fitting[0].spelled)} and "
                    f"{printable(glob.spelled)}, and was given {differing(fitting[0].told, glob.told)}; "
                    "add a row for it alone"
                )
        return fitting[0].told if fitting else None

    def _find_globs_of(self, path: str) -> list[_Row]:
        paths = [composed(each) for each in dict.fromkeys((as_walked(path), self._paths.key_of(path)))]
        return [row for row in self._globs.values() if row.fits is not None and row.fits(paths)]

    def _add(self, row: LabelRow) -> None:
        if not is_glob(row.spelled):
            if row.is_name:
                self._put(self._names, composed(path_of(row.spelled)), row, None)
            else:
                self._paths.add(row.spelled, row.told)
        elif row.is_name:
            self._put(self._globs, row.spelled, row, name_glob)
        elif row.spelled.endswith("/") or self._paths.is_there(row.spelled):
            self._paths.add(row.spelled, row.told)
        else:
            self._put(self._globs, row.spelled, row, partial(path_glob, base=self._base))

    def _put(
        self, rows: dict[str, _Row], key: str, row: LabelRow, make: Callable[[str], Fits] | None
    ) -> None:
        if not key:
            raise RowError("file is empty; expected the name of an audio file")
        if (problem := not_utf_8(row.spelled)) is not None:
            raise RowError(problem)
        if key not in rows:
            rows[key] = _Row(row.spelled, row.told, None if make is None else make(row.spelled))
        elif rows[key].told != row.told:
            raise RowError(
                f"{printable(row.spelled)} was given {differing(rows[key].told, row.told)}; keep one"
            )


def unmet_rows(machine_of: object) -> Iterator[str]:
    """Say which rows are of no file, where a table names machines."""
    if isinstance(machine_of, LabelTable) and (note := machine_of.unmet()) is not None:
        yield note
