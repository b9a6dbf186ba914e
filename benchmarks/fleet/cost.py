"""Processor time and memory that a clip takes, by rule: whole processes of `osscl score` on one thread."""

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

_PROGRAM = "from osscl.cli import main; main()"
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
N_FEW = 20
N_MORE = {"network": 120, "memory": 1520, "both": 120, "embedding": 120}  # some seconds each


class Used(NamedTuple):
    """What a process used up to its end."""

    cpu_s: float  # user and system, all threads
    peak_mib: float


def link_clips(clips: Path, folder: Path, n_clips: int) -> None:
    """Link to recordings in turn, each in the folder of its machine."""
    found = sorted(clips.rglob("*.wav"))
    for number in range(n_clips):
        clip = found[number % len(found)]
        place = folder / clip.relative_to(clips).parent
        place.mkdir(parents=True, exist_ok=True)
        os.link(clip, place / f"{clip.stem}_{number:06}.wav")


def used_by_run(model: Path, folder: Path, rule: str, table: Path) -> Used:
    """Score a folder with its journal, on one thread, and say what the process used."""
    command = ["score", str(model), str(folder), "--rule", rule, "--threads", "1", "--streams", "1"]
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, *command, "--output", str(table)],
        env=os.environ | _ONE_THREAD,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"osscl {' '.join(command)} ended with {process.returncode}")
    return Used(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def bytes_a_clip(folder: Path, few: Path, more: Path, n_more: int) -> dict[str, float]:
    """What a clip adds to a table and to its journal, bytes."""
    grown = {
        name: (more.with_name(more.name + end).stat().st_size - few.with_name(few.name + end).stat().st_size)
        for name, end in (("table_bytes", ""), ("journal_bytes", ".journal"))
    }
    return {name: round(size / (n_more - N_FEW), 1) for name, size in grown.items()}


def cost_of_rule(model: Path, clips: Path, rule: str, rounds: int, seed: int) -> dict[str, Any]:
    """Median over rounds of what a run over many clips takes beyond one over few, a clip."""
    choose, n_more = random.Random(seed), N_MORE[rule]
    used: dict[str, list[Used]] = {"few": [], "more": []}
    with tempfile.TemporaryDirectory(dir=clips.parent) as name:
        folder = Path(name)
        for kind, n_clips in (("few", N_FEW), ("more", n_more)):
            link_clips(clips, folder / kind, n_clips)
        for number in range(rounds):
            for kind in choose.sample(list(used), len(used)):
                table = folder / f"{kind}-{number}.csv"
                used[kind].append(used_by_run(model, folder / kind, rule, table))
        sizes = bytes_a_clip(folder, folder / "few-0.csv", folder / "more-0.csv", n_more)
    pairs = zip(used["few"], used["more"], strict=True)
    each = sorted(1000 * (more.cpu_s - few.cpu_s) / (n_more - N_FEW) for few, more in pairs)
    cpu_ms = statistics.median(each)
    return {
        "cpu_ms": round(cpu_ms, 3),
        "cpu_ms_from_to": [round(each[0], 3), round(each[-1], 3)],
        "start_s": round(statistics.median(few.cpu_s for few in used["few"]) - N_FEW * cpu_ms / 1000, 2),
        "peak_mib": round(max(more.peak_mib for more in used["more"])),
        **sizes,
    }


def within_process(model: Path, clips: Path, rule: str, n_clips: int, seed: int) -> dict[str, Any]:
    """What only a process itself can tell, see `within.py`; its threads are chosen when it starts."""
    command = [sys.executable, "-m", f"{__package__}.within", model, clips, rule, n_clips, seed]
    told = subprocess.run(
        list(map(str, command)), env=os.environ | _ONE_THREAD, check=True, stdout=subprocess.PIPE, text=True
    )
    found: dict[str, Any] = json.loads(told.stdout)
    return found
