"""What a process tells of itself while it scores on one thread; `cost` starts it."""

import gc
import json
import random
import statistics
import sys
import time
import tracemalloc
from pathlib import Path

import osscl
from osscl.machines.labels import machine_source

DEMO_MODEL = Path(osscl.__file__).parent / "models" / "demo.onnx"


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
    """What a machine's memory takes: KiB of file and process, and CPU ms when it is first met."""
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


if __name__ == "__main__":
    model, clips, rule = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    found: dict[str, object] = {
        "spread": spread_of_clips(model, clips, rule, int(sys.argv[4]), int(sys.argv[5]))
    }
    if rule != "network":
        found["machines"] = cost_of_machines(model, clips, rule)
    print(json.dumps(found))
