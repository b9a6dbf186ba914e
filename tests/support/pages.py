"""Tables of scores, with the recordings and the model file that they come from, for pages about them."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from support.console import osscl
from support.remembering import faulty_clips, normal_clips, stored_memory, write_clips, write_model

Row = dict[str, str]
N_NORMAL, N_FAULTY = 12, 12


class Site(NamedTuple):
    """A folder with a model file, recordings of two machines and their scores; press/id_09 has a fault."""

    folder: Path
    model: Path
    table: Path


def make_site(folder: Path) -> Site:
    """Record two machines, one of which has a fault from 14:00 on, and score them."""
    fan, press = (
        stored_memory("fan/id_00", normal_clips(1, 24)),
        stored_memory("press/id_09", normal_clips(2, 24)),
    )
    model = write_model(folder / "model.onnx", [fan, press], network=False)
    sound = folder / "sound"
    write_clips(sound / "fan" / "test", "normal_id_00_", normal_clips(4, N_NORMAL))
    write_clips(sound / "press" / "test", "normal_id_09_", normal_clips(5, N_NORMAL))
    write_clips(sound / "press" / "test", "anomaly_id_09_", faulty_clips(6, N_FAULTY))
    table = folder / "scores.csv"
    done = osscl("score", model, "sound", "-o", table, cwd=folder)
    assert done.returncode == 0, done.stderr
    times = {"normal": 8, "anomaly": 14}

    def recorded(row: Row) -> Row:
        name = Path(row["path"]).name
        hour, minute = times[name.partition("_")[0]], int(name[-6:-4])
        return row | {"recorded_at": f"2026-11-03T{hour:02}:{minute:02}:00"}

    change(table, recorded)
    return Site(folder, model, table)


def rows(table: Path) -> list[Row]:
    """Lines of a table."""
    with table.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_rows(table: Path, lines: Sequence[Row]) -> Path:
    """Write a table."""
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, lines[0].keys())
        writer.writeheader()
        writer.writerows(lines)
    return table


def change(table: Path, changed: Callable[[Row], Row], to: Path | None = None) -> Path:
    """Write a table with each of its lines changed."""
    return write_rows(to or table, [changed(row) for row in rows(table)])
