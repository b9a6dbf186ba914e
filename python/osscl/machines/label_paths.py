"""Rows of a table of labels that name one file each, by its path."""

import os
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from osscl.errors import MachineError
from osscl.machines.label_rows import RowError, differing
from osscl.machines.told import Told
from osscl.support.csv_rows import not_utf_8
from osscl.support.links import real_path
from osscl.support.paths import path_of, printable
from osscl.support.spelling import composed, with_slashes
from osscl.support.urls import is_url

_MAX_FOLDERS = 4096

_Key: TypeAlias = tuple[str, str]
"""Folder, its links followed, and file name, both printable."""


class _Row(NamedTuple):
    """What a row tells, and whether its file was asked for; one object for all rows that are alike."""

    told: Told
    is_met: bool = False


class PathRows:
    """The rows of one table.

    Parameters
    ----------
    base : str
        Folder of the table, from which paths count.
    """

    def __init__(self, base: str) -> None:
        self._base = base
        self._rows: dict[str, dict[str, _Row]] = {}  # folder -> file name -> what its row tells
        # rows read as another system may have spelled them, where that is another spelling -> what they tell
        self._composed: dict[_Key, dict[Told, list[_Key]]] = defaultdict(dict)
        self._with_slashes: dict[_Key, dict[Told, list[_Key]]] = defaultdict(dict)
        self._resolved = lru_cache(_MAX_FOLDERS)(real_path)
        self._alike: dict[_Row, _Row] = {}

    def __len__(self) -> int:
        return sum(map(len, self._rows.values()))

    def add(self, spelled: str, told: Told) -> None:
        """Take a row; raises `RowError`."""
        path = self._placed(path_of(spelled))
        key = folder, name = self._key(path)
        if not name:
            raise RowError("path is empty or names a folder; expected the path of an audio file")
        if (problem := not_utf_8(spelled)) is not None and not os.path.lexists(os.path.join(folder, name)):  # noqa: PTH118
            raise RowError(f"{problem} (no file has that byte in its name)")
        before = self._rows.setdefault(folder, {}).setdefault(name, self._one(_Row(told)))
        if before.told != told:
            raise RowError(f"{printable(name)} was given {differing(before.told, told)}; keep one")
        if (of_letters := _composed_key(key)) != key:
            self._composed[of_letters].setdefault(told, []).append(key)
        if (slashed := with_slashes(spelled)) is not None:
            other = _composed_key(self._key(os.path.join(self._base, slashed)))  # noqa: PTH118 - as below
            self._with_slashes[other].setdefault(told, []).append(key)

    def told_of(self, path: str) -> Told | None:
        """What the row of a file tells, or None; raises `MachineError` where several may be meant."""
        key = self._key(path)
        row = self._row(key)
        if row is None:
            return self._told_by_another_spelling(_composed_key(key))
        self._meet(key, row.told)
        return row.told

    def key_of(self, path: str) -> str:
        """The path of a file, links in its folders followed."""
        return os.path.join(*self._key(path))  # noqa: PTH118 - as below

    def has_beside_table(self, path: str) -> bool:
        """Whether a row names a file of this name that lies beside the table."""
        return os.path.basename(path) in self._rows.get(self._resolved(self._base), {})  # noqa: PTH119 - a str

    def is_there(self, spelled: str) -> bool:
        """Whether a row of this very spelling names something that is there."""
        return os.path.lexists(self._placed(path_of(spelled)))

    def unmet(self) -> Iterator[str]:
        """Paths of rows whose files were not asked for; those below the table's folder from there on."""
        base = self._resolved(self._base)
        for folder, rows in self._rows.items():
            below = folder[len(base) :].lstrip("/") if f"{folder}/".startswith(f"{base}/") else folder
            for name, row in rows.items():
                if not row.is_met:
                    yield os.path.join(below, name)  # noqa: PTH118 - a str

    def _told_by_another_spelling(self, key: _Key) -> Told | None:
        row = self._row(key)
        exactly_so = {} if row is None else {row.told: [key]}
        for meant in (exactly_so | self._composed.get(key, {}), self._with_slashes.get(key, {})):
            if len(meant) > 1:
                machines = dict.fromkeys(told.machine or "" for told in meant)
                raise MachineError(
                    "the table of labels has rows that spell its path in other ways, for "
                    f"{' and '.join(machines)}; add one with its very path"
                )
            for told, keys in meant.items():
                for each in keys:
                    self._meet(each, told)
                return told
        return None

    def _row(self, key: _Key) -> _Row | None:
        return self._rows.get(key[0], {}).get(key[1])

    def _meet(self, key: _Key, told: Told) -> None:
        self._rows[key[0]][key[1]] = self._one(_Row(told, is_met=True))

    def _one(self, row: _Row) -> _Row:
        """One object for equal rows, however many."""
        return self._alike.setdefault(row, row)

    def _placed(self, path: str) -> str:
        return path if is_url(path) else os.path.join(self._base, path)  # noqa: PTH118 - Path drops a final /

    def _key(self, path: str) -> _Key:
        folder, name = os.path.split(path)
        return self._resolved(folder), name


def _composed_key(key: _Key) -> _Key:
    folder, name = key
    return composed(folder), composed(name)
