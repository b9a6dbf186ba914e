"""Tables of labels: what is told of files by rows of a CSV table."""

import csv
import os
from collections import defaultdict
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path
from typing import Self, TypeAlias

from osscl.errors import LabelTableError, MachineError
from osscl.machines.dcase import check_machine
from osscl.machines.label_rows import RowError, rows_of
from osscl.machines.told import Told
from osscl.support.csv_rows import CsvReader, not_utf_8, open_csv
from osscl.support.links import real_path, unreadable
from osscl.support.paths import path_of, printable
from osscl.support.spelling import composed, with_slashes
from osscl.support.urls import is_url

_MAX_FOLDERS = 4096

_Key: TypeAlias = tuple[str, str]
"""Folder, its links followed, and file name, both printable."""


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
    separate names (Windows).

    Attributes
    ----------
    has_labels : bool
        Whether some row says that its file is normal or anomalous.
    """

    def __init__(self) -> None:
        self.has_labels = False
        self._told: dict[str, dict[str, Told]] = {}  # folder -> file name -> what its row tells
        # rows read as another system may have spelled them, where that is another spelling -> what they tell
        self._composed: dict[_Key, dict[Told, None]] = defaultdict(dict)
        self._with_slashes: dict[_Key, dict[Told, None]] = defaultdict(dict)
        self._resolved = lru_cache(_MAX_FOLDERS)(real_path)

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
        table = cls()
        folder = str(Path(path).parent)
        same: dict[Told, Told] = {}  # one object for equal rows, however many
        try:
            with open_csv(path) as file:
                rows = CsvReader(file, keeps_bytes=True)
                try:
                    for spelled, told in rows_of(rows):
                        if known is not None:
                            check_machine(told.machine or "", known)
                        table.has_labels = table.has_labels or told.is_anomaly is not None
                        table._add(folder, spelled, same.setdefault(told, told))
                except (csv.Error, RowError, MachineError) as error:
                    raise LabelTableError(f"{printable(path)}, line {rows.line_num}: {error}") from error
        except OSError as error:
            raise LabelTableError(unreadable(path, "table", error)) from error
        if not table._told:
            raise LabelTableError(f"{printable(path)}: has no rows below its header")
        return table

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
        folder, name = self._key(os.fsdecode(path))
        told = self._told.get(folder, {}).get(name)
        return self._told_by_another_spelling((folder, name)) if told is None else told

    def is_labelled(self, path: str | os.PathLike[str]) -> bool:
        """Whether the table says of a file that it is normal, or that it is anomalous."""
        try:
            return self.told_of(path).is_anomaly is not None
        except MachineError:  # no row for it
            return False

    def _told_by_another_spelling(self, key: _Key) -> Told:
        folder, name = key = _composed_key(key)
        exactly_so = dict.fromkeys(filter(None, [self._told.get(folder, {}).get(name)]))
        for meant in (exactly_so | self._composed.get(key, {}), self._with_slashes.get(key, {})):
            if len(meant) > 1:
                machines = dict.fromkeys(told.machine or "" for told in meant)
                raise MachineError(
                    "the table of labels has rows that spell its path in other ways, for "
                    f"{' and '.join(machines)}; add one with its very path"
                )
            if meant:
                return next(iter(meant))
        raise MachineError("the table of labels has no row for it; add one with its path and machine")

    def _add(self, base: str, spelled: str, told: Told) -> None:
        """Add a row; its path counts from the folder `base`."""
        path = path_of(spelled)
        if not is_url(path):
            path = os.path.join(base, path)  # noqa: PTH118 - Path would drop a final /
        folder, name = self._key(path)
        if not name:
            raise RowError("path is empty or names a folder; expected the path of an audio file")
        if (problem := not_utf_8(spelled)) is not None and not os.path.lexists(os.path.join(folder, name)):  # noqa: PTH118
            raise RowError(f"{problem} (no file has that byte in its name)")
        before = self._told.setdefault(folder, {}).setdefault(name, told)
        if before != told:
            raise RowError(f"{printable(name)} was given {_differing(before, told)}; keep one")
        if (key := _composed_key((folder, name))) != (folder, name):
            self._composed[key][told] = None
        if (slashed := with_slashes(spelled)) is not None:
            key = self._key(os.path.join(base, slashed))  # noqa: PTH118 - as above
            self._with_slashes[_composed_key(key)][told] = None

    def _key(self, path: str) -> _Key:
        folder, name = os.path.split(path)
        return self._resolved(folder), name


def _composed_key(key: _Key) -> _Key:
    folder, name = key
    return composed(folder), composed(name)


def _differing(before: Told, here: Told) -> str:
    """The first thing that two rows say differently."""
    words: dict[bool | None, str] = {None: "none", False: "normal", True: "anomaly"}
    for column, above, below in (
        ("machine", before.machine, here.machine),
        ("label", words[before.is_anomaly], words[here.is_anomaly]),
        ("domain", before.domain, here.domain),
        ("recording", before.recording, here.recording),
    ):
        if above != below:
            return f"the {column} {above or 'none'} above and {below or 'none'} here"
    raise AssertionError("rows differ in one of these")
