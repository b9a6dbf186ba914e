"""Which machine a file comes from: one name for all, a table of labels, or the file's path."""

import csv
import os
from collections.abc import Callable, Collection, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Self, TypeAlias

from osscl.errors import ConfigError, LabelTableError, MachineError
from osscl.machines.dcase import MachineFromPath, check_machine
from osscl.support.csv_rows import CsvReader
from osscl.support.paths import path_of, printable
from osscl.support.regular_file import regular_only

MachineOf: TypeAlias = Callable[[str | os.PathLike[str]], str]
"""Names the machine of a file, or raises `MachineError`."""

_MAX_FOLDERS = 4096


def machine_source(
    known: Collection[str], machine: str | None = None, labels: str | os.PathLike[str] | None = None
) -> MachineOf:
    """Choose where the machines of files are told: by one name, a table, or else by their paths.

    Parameters
    ----------
    known : collection of str
        Names of the machines that the model knows.
    machine : str or None
        The machine of all files.
    labels : str, path or None
        A table of labels, see `LabelTable`.

    Returns
    -------
    callable
        Takes the path of a file, gives the name of its machine or raises `MachineError`.

    Raises
    ------
    ConfigError
        If both `machine` and `labels` are given.
    MachineError
        If `machine` is not known.
    LabelTableError
        If the table cannot be used.
    """
    if machine is not None and labels is not None:
        raise ConfigError("machine and labels (--machine and --labels) exclude each other; give one of them")
    if machine is not None:
        check_machine(machine, known)
        return lambda _: machine
    if labels is not None:
        return LabelTable.read(labels, known).machine_of
    return MachineFromPath(known)


class LabelTable:
    r"""Machines of files, from a CSV table with the columns ``path`` and ``machine``.

    Paths are absolute, or relative to the folder of the table, and spelled as result tables spell them: a
    cell may be disarmed as `osscl.support.csv_rows` says; bytes of a file name that are not UTF-8 stand as
    they are or as ``\xNN``, and a name that holds the four characters ``\xff`` itself is ``\x5cxff``.
    Symbolic links are followed in folders, but a link to a file is another file than its target.
    """

    def __init__(self) -> None:
        self._machines: dict[str, dict[str, str]] = {}  # folder -> file name -> machine
        self._resolved = lru_cache(_MAX_FOLDERS)(os.path.realpath)

    @classmethod
    def read(cls, path: str | os.PathLike[str], known: Collection[str]) -> Self:
        """Read a table.

        Parameters
        ----------
        path : str or path
            CSV file as of RFC 4180, UTF-8 with or without byte order mark, with a header. Columns
            other than ``path`` and ``machine`` are ignored.
        known : collection of str
            Names of the machines that the model knows.

        Returns
        -------
        LabelTable
            The table, held in memory.

        Raises
        ------
        LabelTableError
            If it cannot be read, lacks a column or a value, names a machine that is not known, or
            gives two machines to one file.
        """
        table = cls()
        folder = str(Path(path).parent)
        same_machine = {name: name for name in known}  # one object a name, however many rows
        try:
            with open(
                path, encoding="utf-8-sig", errors="surrogateescape", newline="", opener=regular_only
            ) as file:
                rows = CsvReader(file)
                try:
                    for spelled, machine in _cells(rows):
                        check_machine(machine, same_machine)
                        named = os.path.join(folder, path_of(spelled))  # noqa: PTH118 - Path would drop a final /
                        table._add(named, same_machine[machine])
                except (csv.Error, _RowError, MachineError) as error:
                    raise LabelTableError(f"{printable(path)}, line {rows.line_num}: {error}") from error
        except OSError as error:
            raise LabelTableError(f"{printable(path)}: cannot be read: {error.strerror}") from error
        if not table._machines:
            raise LabelTableError(f"{printable(path)}: has no rows below its header")
        return table

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
            If the table has no row for the file.
        """
        folder, name = self._key(os.fsdecode(path))
        machine = self._machines.get(folder, {}).get(name)
        if machine is None:
            raise MachineError("the table of labels has no row for it; add one with its path and machine")
        return machine

    def _add(self, path: str, machine: str) -> None:
        folder, name = self._key(path)
        if not name:
            raise _RowError("path is empty or names a folder; expected the path of an audio file")
        known_before = self._machines.setdefault(folder, {}).setdefault(name, machine)
        if known_before != machine:
            raise _RowError(
                f"{printable(name)} was given the machine {known_before} above and {machine} here; keep one"
            )

    def _key(self, path: str) -> tuple[str, str]:
        folder, name = os.path.split(path)
        return self._resolved(folder), name


class _RowError(Exception):
    """What is wrong with the row just read."""


def _cells(rows: Iterator[list[str]]) -> Iterator[tuple[str, str]]:
    """Give path and machine of each row below the header."""
    header = next(rows, [])
    if header.count("path") != 1 or header.count("machine") != 1:
        raise _RowError(
            f"the header must name the columns path and machine, once each; it is {','.join(header)!a}"
        )
    path_column, machine_column = header.index("path"), header.index("machine")
    for row in rows:
        if not row:
            continue
        if len(row) != len(header):
            raise _RowError(f"has {len(row)} values where the header names {len(header)} columns")
        if not row[machine_column]:
            raise _RowError("machine is empty")
        if "\0" in row[path_column]:
            raise _RowError("path holds a NUL character")
        yield row[path_column], row[machine_column]
