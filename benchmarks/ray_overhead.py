"""Throughput and start-up of ``osscl score --runner ray`` beside the same run in one process, in turns.

``python benchmarks/ray_overhead.py FOLDER FEW --turns 3``: FOLDER holds the clips, FEW some of them. The
rate of a runner is that of the clips that FOLDER has more than FEW, in the time that it takes longer for
them: what a run costs once, starting and ending, is in both and falls out of it, and is stated apart.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNNERS = {
    "local": ["--output", "scores.parquet"],
    "ray": ["--output", "parts.parquet", "--runner", "ray", "--workers", "2"],
}


def seconds(runner: str, folder: Path) -> float:
    """Time of one run, from the start of its process to its end."""
    with tempfile.TemporaryDirectory() as work:
        command = [
            shutil.which("osscl") or "osscl",
            "score",
            "demo",
            str(folder.absolute()),
            *RUNNERS[runner],
        ]
        began = time.perf_counter()
        subprocess.run(command, cwd=work, check=True, capture_output=True, env={**os.environ})
        return time.perf_counter() - began


def main() -> None:
    """Measure, and print a line a turn and the medians."""
    parser = argparse.ArgumentParser()
    parser.add_argument("many", type=Path)
    parser.add_argument("few", type=Path)
    parser.add_argument("--turns", type=int, default=3)
    asked = parser.parse_args()
    n_many, n_few = (sum(1 for _ in folder.rglob("*.wav")) for folder in (asked.many, asked.few))
    ratios, once = [], []
    for turn in range(asked.turns):
        order = list(RUNNERS) if turn % 2 == 0 else list(RUNNERS)[::-1]
        took = {runner: (seconds(runner, asked.few), seconds(runner, asked.many)) for runner in order}
        rate = {runner: (n_many - n_few) / (many - few) for runner, (few, many) in took.items()}
        start = {runner: few - n_few / rate[runner] for runner, (few, _) in took.items()}
        ratios.append(rate["ray"] / rate["local"])
        once.append(start["ray"] - start["local"])
        for runner in RUNNERS:
            few, many = took[runner]
            took_s = f"{few:.1f} s of {n_few}, {many:.1f} s of {n_many}"
            print(f"{turn} {runner}: {took_s}, {rate[runner]:.1f} clips/s")
        print(f"{turn} ratio {ratios[-1]:.3f}, Ray starts and ends in {once[-1]:.1f} s more")
        sys.stdout.flush()
    print(f"median ratio {statistics.median(ratios):.3f}, start-up {statistics.median(once):.1f} s")


if __name__ == "__main__":
    main()
