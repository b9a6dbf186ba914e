"""What a small plant has: memories of its machines in one model file, and recordings of some days."""

from pathlib import Path
from typing import NamedTuple

import soundfile

from osscl.enrolment import enroll
from support.normal_recordings import RATE_HZ, clip, write_normals
from support.once import made_once

MADE, REAL = "fan/id_00", "uav/id_06"


class Plant(NamedTuple):
    """A model file and recordings.

    Attributes
    ----------
    model : Path
        Memories of `MADE`, and of the real quadrotors where the reference recordings are there.
    made : tuple of Path
        A normal recording of `MADE`, and one of a fault.
    real : tuple of Path
        The same of `REAL`; empty where the reference recordings are not there.
    """

    model: Path
    made: tuple[Path, Path]
    real: tuple[Path, ...]


def plant(beside: Path) -> Plant:
    """Make a plant: once for all tests; `beside` is the folder of the reference recordings."""
    folder = made_once("plant", lambda at: _make(at, beside / "data" / "uav" / "train"))
    of_real = beside / "data" / "uav" / "test"
    real = (*sorted(of_real.glob("normal_id_06_*"))[:1], *sorted(of_real.glob("anomaly_id_06_*"))[:1])
    made = folder / "fan" / "test"
    return Plant(folder / "site.onnx", (made / f"normal{_NUMBERED}", made / f"anomaly{_NUMBERED}"), real)


_NUMBERED = "_id_00_00000100.wav"


def _make(folder: Path, real: Path) -> None:
    write_normals(folder / "fan" / "train", 20)
    write_normals(folder / "fan" / "test", 1, first=100)
    soundfile.write(folder / "fan" / "test" / f"anomaly{_NUMBERED}", clip(100, pitch=2.0), RATE_HZ)
    normals = [folder / "fan" / "train"] + ([real] if real.is_dir() else [])
    enroll(normals, folder / "site.onnx")
