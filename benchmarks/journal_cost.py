"""What its journal costs a folder run: with ``--output`` against the same with its table on stdout.

    python benchmarks/journal_cost.py MODEL CLIPS [--files 2000] [--rounds 7] [--rules network memory]

CLIPS is a folder whose recordings the model knows the machines of, such as ``osscl demo -o DEMO`` makes. They
are linked to under so many names beside it. Each round runs every variant once, in an order of its own, as a
process of its own; figures are medians over the rounds, of what wall time and processor time of the whole
process differ by. A run over one recording tells what starting costs, which is taken off both sides.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

_PROGRAM = "from osscl.cli import main; main()"
STARTING, WITHOUT, WITH = "starting", "without", "with"


class Cost(NamedTuple):
    """Seconds that a run took."""

    wall_s: float
    cpu_s: float


def link_recordings(clips: Path, folder: Path, n_files: int) -> None:
    """Link to recordings in turn, each in the folder of its machine."""
    found = sorted(clips.rglob("*.wav"))
    for number in range(n_files):
        clip = found[number % len(found)]
        place = folder / clip.relative_to(clips).parent
        place.mkdir(parents=True, exist_ok=True)
        os.link(clip, place / f"{clip.stem}_{number:06}.wav")


def cost_of(command: list[str]) -> Cost:
    """Run the console program to its end, its table going nowhere."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return Cost(wall_s, used.ru_utime + used.ru_stime)


def figures(rounds: dict[str, list[Cost]], n_files: int) -> dict[str, Any]:
    """What the journal adds to a file, and to the run without its start: median of rounds, and extremes."""
    found: dict[str, Any] = {}
    for clock in Cost._fields:
        start, without, with_ = (
            [getattr(cost, clock) for cost in rounds[each]] for each in (STARTING, WITHOUT, WITH)
        )
        start_s = statistics.median(start)
        pairs = list(zip(without, with_, strict=True))
        shares = [100 * (more - less) / (less - start_s) for less, more in pairs]
        found |= {
            f"{clock}_start": round(start_s, 3),
            f"{clock}_without": round(statistics.median(without), 3),
            f"{clock}_with": round(statistics.median(with_), 3),
            f"{clock}_more_a_file_us": round(
                1e6 * statistics.median(more - less for less, more in pairs) / n_files, 1
            ),
            f"{clock}_more_percent": round(statistics.median(shares), 2),
            f"{clock}_more_percent_from_to": [round(min(shares), 2), round(max(shares), 2)],
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("clips", type=Path)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--rules", nargs="+", default=["network", "memory"])
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    choose = random.Random(asked.seed)
    with tempfile.TemporaryDirectory(dir=asked.clips.parent) as temporary:
        folder = Path(temporary)
        link_recordings(asked.clips, folder / "sound", asked.files)
        link_recordings(asked.clips, folder / "one", 1)
        for rule in asked.rules:
            score = ["score", str(asked.model), "--rule", rule]
            output = folder / "scores.csv"
            variants = {
                STARTING: [*score, str(folder / "one")],
                WITHOUT: [*score, str(folder / "sound")],
                WITH: [*score, str(folder / "sound"), "--output", str(output)],
            }
            rounds: dict[str, list[Cost]] = {name: [] for name in variants}
            for _ in range(asked.rounds):
                for name in choose.sample(list(variants), len(variants)):
                    rounds[name].append(cost_of(variants[name]))
                    for each in folder.glob(f"{output.name}*"):
                        each.unlink()
            print(json.dumps({"rule": rule, "n_files": asked.files, **figures(rounds, asked.files)}))


if __name__ == "__main__":
    main()
