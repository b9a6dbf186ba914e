"""What real commands write of a few recordings: columns of tables, and the fields of JSON documents."""

import csv
import json
import shlex
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile

from support.console import osscl_each
from support.normal_recordings import RATE_HZ, clip, write_normals

COMMANDS = """
osscl enroll normal --output site.onnx --machine fan/id_00 --json
osscl score site.onnx fan --output scores.csv --explain
osscl score site.onnx fan --output scores.parquet --hop 10 --raven raven
osscl evaluate site.onnx fan --output report.csv --json
osscl evaluate site.onnx fan --output report.md --write-scores challenge
osscl monitor scores.csv --model site.onnx --output monitor.json
osscl embed site.onnx fan --output numbers.npz --json
osscl embed site.onnx fan --output numbers.parquet
osscl explain site.onnx fan/test/anomaly_id_00_00000100.wav --json
osscl inspect site.onnx --json
osscl journal scores.csv.journal --json
osscl data --json
osscl synth synth --train 4 --json
"""
"""Run in their order, in a folder of recordings; none of them needs a network's backend."""

_NAMED_BY_DATA = {"anomalies", "by_rule", "counts", "machines", "operators", "rules", "scored_by", "versions"}
"""Fields of documents whose own fields are named by machines, packages and the like."""
_CLASSES = {"enrolment", "evaluation", "findings", "manifest"}
"""Fields that are objects of a class, whose own fields are in `schemas`."""


class Written(NamedTuple):
    """What all commands have written.

    Attributes
    ----------
    columns, fields : tuple of str
        A fact a line.
    """

    columns: tuple[str, ...]
    fields: tuple[str, ...]


@cache
def written() -> Written:
    """Run all commands, and look at what they wrote."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_normals(folder / "normal", 20)
        write_normals(folder / "fan" / "test", 2, first=50)
        for number in (100, 101):
            path = folder / "fan" / "test" / f"anomaly_id_00_{number:08d}.wav"
            soundfile.write(path, clip(number, pitch=2.0), RATE_HZ)
        commands = [shlex.split(line) for line in COMMANDS.split("\n") if line]
        done = osscl_each([words[1:] for words in commands], cwd=folder)
        fields = []
        for words, each in zip(commands, done, strict=True):
            assert each.returncode == 0, (words, each.stderr)
            if "--json" in words:
                fields += [f"osscl {words[1]} --json{line}" for line in fields_of(json.loads(each.stdout))]
        for path in sorted(folder.glob("*.json")):
            fields += [f"{path.name}{line}" for line in fields_of(json.loads(path.read_bytes()))]
        return Written(tuple(_columns(folder)), tuple(fields))


def fields_of(document: Any) -> list[str]:
    """Spell the fields of a document with their values' types, sorted; "[]" is each object of a list."""
    found: dict[str, set[str]] = {}
    for place, kind in _fields("", document):
        found.setdefault(place, set()).add(kind)
    return [f"{place}: {' | '.join(sorted(kinds))}" for place, kinds in sorted(found.items())]


def _fields(place: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        if place.removeprefix(".") in _CLASSES:
            return
        is_open = place.rpartition(".")[2] in _NAMED_BY_DATA
        yield place, "object"
        for name, each in value.items():
            yield from _fields(f"{place}.{'*' if is_open else name}", each)
    elif isinstance(value, list):
        yield place, "list"
        for each in value:
            if isinstance(each, dict) and place.removeprefix(".") not in _CLASSES:
                yield from _fields(f"{place}[]", each)
    else:
        yield place, _KINDS[type(value)]


_KINDS = {bool: "boolean", int: "number", float: "number", str: "text", type(None): "null"}


def _columns(folder: Path) -> Iterator[str]:
    import pyarrow.parquet

    for name in ("scores.csv", "report.csv"):
        yield from _lines(name, csv_header(folder / name, ","))
    raven = min((folder / "raven").rglob("*.txt"))
    yield from _lines("raven", csv_header(raven, "\t"))
    [of_challenge] = (folder / "challenge").iterdir()
    yield f"challenge: no header, {len(csv_header(of_challenge, ','))} columns"
    for name in ("scores.parquet", "numbers.parquet"):
        schema = pyarrow.parquet.read_schema(folder / name)
        yield from _lines(name, (f"{each.name}: {each.type}" for each in schema))
    with np.load(folder / "numbers.npz") as arrays:
        shapes = {name: arrays[name].shape[1:] for name in arrays.files}
        yield from _lines("numbers.npz", (f"{name} {list(shape)}" for name, shape in shapes.items()))
    yield from _lines("journal", _tables(folder / "scores.csv.journal"))


def csv_header(path: Path, separator: str) -> list[str]:
    """Read the first row of a table."""
    with path.open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file, delimiter=separator))


def _tables(journal: Path) -> Iterator[str]:
    with closing(sqlite3.connect(journal)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type != 'index' ORDER BY 1")
        for (table,) in names.fetchall():
            for _, column, kind, *_ in connection.execute(f"PRAGMA table_info({table})"):
                yield f"{table}.{column} {kind}".rstrip()


def _lines(table: str, columns: Iterable[str]) -> Iterator[str]:
    yield from (f"{table}: {each}" for each in columns)
