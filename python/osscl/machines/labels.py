"""Which machine a file comes from: one name for all, a table of labels, a pattern, or the file's path."""

import os
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple, Self, TypeAlias

from osscl.errors import ConfigError
from osscl.machines.dcase import MachineFromPath, check_machine
from osscl.machines.label_table import LabelTable
from osscl.machines.pattern import MachineFromPattern

MachineOf: TypeAlias = Callable[[str | os.PathLike[str]], str]
"""Names the machine of a file, or raises `MachineError`."""


class MachineNames(NamedTuple):
    """How the machines of files are named; the paths name them where all are None.

    Attributes
    ----------
    machine : str or None
        The machine of all files.
    labels : path-like or None
        A table of labels, see `LabelTable`.
    machine_pattern : str or None
        A pattern of paths, see `MachinePattern`.
    roots : tuple of str
        Folders below which the pattern counts; empty without a pattern.
    """

    machine: str | None = None
    labels: str | os.PathLike[str] | None = None
    machine_pattern: str | None = None
    roots: tuple[str, ...] = ()

    def below(self, *roots: str | os.PathLike[str]) -> Self:
        """The same for recordings below these folders."""
        return self if self.machine_pattern is None else self._replace(roots=tuple(map(os.fsdecode, roots)))


BY_PATHS = MachineNames()
"""Folder and file name tell the machine."""


def machine_source(
    known: Collection[str],
    machine: str | None = None,
    labels: str | os.PathLike[str] | None = None,
    machine_pattern: str | None = None,
    roots: Sequence[str] = (),
) -> MachineOf:
    """Choose where the machines of files are told: by one name, a table, a pattern, or else by their paths.

    Parameters
    ----------
    known : collection of str
        Names of the machines that the model knows.
    machine : str or None
        The machine of all files.
    labels : str, path or None
        A table of labels, see `LabelTable`.
    machine_pattern : str or None
        A pattern of paths, see `MachinePattern`.
    roots : sequence of str
        Folders below which the pattern counts.

    Returns
    -------
    callable
        Takes the path of a file, gives the name of its machine or raises `MachineError`. Of `labels` it is
        the `LabelTable`.

    Raises
    ------
    ConfigError
        Two of them are given, or the pattern cannot be used.
    MachineError
        If `machine` is not known.
    LabelTableError
        If the table cannot be used.
    """
    check_one_way(machine, labels, machine_pattern)
    if machine is not None:
        check_machine(machine, known)
        return lambda _: machine
    if labels is not None:
        return LabelTable.read(labels, known)
    if machine_pattern is not None:
        return MachineFromPattern(machine_pattern, roots, known)
    return MachineFromPath(known)


def check_one_way(
    machine: str | None, labels: str | os.PathLike[str] | None, machine_pattern: str | None
) -> None:
    """Refuse two ways to name machines at once; raises `ConfigError`."""
    ways = {"machine": machine, "labels": labels, "machine_pattern": machine_pattern}
    given = [name for name, way in ways.items() if way is not None]
    if len(given) > 1:
        options = " and ".join(f"--{name.replace('_', '-')}" for name in given[:2])
        raise ConfigError(f"{' and '.join(given[:2])} ({options}) exclude each other; give one of them")
