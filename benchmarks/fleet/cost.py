"""Processor time and memory that a clip takes, by rule: whole processes of `osscl score` on one thread."""

import gc
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import Any, NamedTuple

import osscl
from osscl.machines.labels import machine_source

DEMO_MODEL = Path(osscl.__file__).parent / "models" / "demo.onnx"
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


def spread_of_clips(model: Path, clips: Path, rule: str, n_clips: int, seed: int) -> list[float]:
    """Quantiles 0, 5, ... 95 % of the processor time of single clips, as multiples of their mean."""
    files = random.Random(seed).choices(sorted(clips.rglob("*.wav")), k=n_clips)
    took = []
    with osscl.load(model, rule=rule, threads=1, streams=1) as detector:
        list(detector.score_files(files))  # memories are fitted when their machine is first met
        for file in files:
            began = time.process_time()
            list(detector.score_files([file]))
            took.append(time.process_time() - began)
    mean = statistics.fmean(took)
    return [round(sorted(took)[int(share * n_clips / 20)] / mean, 3) for share in range(20)]


def cost_of_machines(model: Path, clips: Path, rule: str) -> dict[str, float]:
    """What a machine's memory takes: KiB of the model file and of the process, CPU ms when it is first met."""
    with osscl.load(model, rule=rule, threads=1, streams=1) as detector:
        machine_of = machine_source(detector.machines)
        by_machine = {machine_of(file): file for file in sorted(clips.rglob("*.wav"))}
        files = list(by_machine.values())
        list(detector.score_files([files[0]]))  # what is needed once, whatever the machine
        first_s, again_s = (_cpu_s_of(detector, files[1:]) for _ in range(2))
    with osscl.load(model, rule=rule, threads=1, streams=1) as detector:
        list(detector.score_files([files[0]]))
        tracemalloc.start()
        list(detector.score_files(files[1:]))
        gc.collect()
        process_bytes, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    n_machines = len(files)
    return {
        "n_machines": n_machines,
        "file_kib": round((model.stat().st_size - DEMO_MODEL.stat().st_size) / n_machines / 1024, 1),
        "process_kib": round(process_bytes / (n_machines - 1) / 1024, 1),
        "fit_ms": round(1000 * (first_s - again_s) / (n_machines - 1), 1),
    }


def _cpu_s_of(detector: osscl.Detector, files: list[Path]) -> float:
    began = time.process_time()
    list(detector.score_files(files))
    return time.process_time() - began
