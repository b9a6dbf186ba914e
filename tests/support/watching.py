"""``osscl watch`` as a process: a model with one memory, its command, its table and its end."""

import csv
import re
import signal
from pathlib import Path
from subprocess import Popen

from support.remembering import normal_clips, stored_memory, write_model

MACHINE = "fan/id_00"


def watching_model(folder: Path) -> Path:
    """A model file that knows `MACHINE` by a memory alone."""
    memory = stored_memory(MACHINE, normal_clips(1, 24))
    return write_model(folder / "memory.onnx", [memory], network=False)


def watch_command(model: Path, folder: Path, *more: object) -> list[object]:
    """To watch the folder `in` below a folder, into ``watch.csv`` there."""
    (folder / "in").mkdir(exist_ok=True)
    where = ["watch", model, folder / "in", "--output", folder / "watch.csv", "--machine", MACHINE]
    return [*where, "--settle", "0.1", *more]


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV table."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def ended(process: "Popen[str]", number: int = signal.SIGTERM) -> tuple[int, str]:
    """Ask a process to stop; its exit code, and what it said but for the time that each line begins with."""
    process.send_signal(number)
    _, said = process.communicate(timeout=300)
    return process.returncode, untimed(said)


def untimed(said: str) -> str:
    """What a watch said, without the time; each line must have one."""
    lines = [re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (.*)", line) for line in said.splitlines()]
    assert all(lines), said
    return "".join(f"{line[1]}\n" for line in lines if line)
