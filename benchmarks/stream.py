"""A day of sound through osscl.Stream: memory before and after, and what the stream itself costs.

    python benchmarks/stream.py MODEL MACHINE [HOURS]

The sound is noise that repeats after a minute; windows of 10 s lie side by side. The memory is that of the
process (VmRSS), looked at after each simulated hour.
"""

import sys
import time
from pathlib import Path

import numpy as np

import osscl

RATE_HZ, BLOCK = 16_000, 4_096


def resident_mb() -> float:
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(fields["VmRSS"].split()[0]) / 1024


def main(model: str, machine: str, hours: float = 24.0) -> None:
    minute = (np.random.default_rng(1).standard_normal(60 * RATE_HZ) * 2000).astype(np.int16)
    blocks = [minute[at : at + BLOCK] for at in range(0, len(minute), BLOCK)]
    with osscl.load(model) as detector:
        stream = osscl.Stream(detector, machine, hop_s=10)
        clips = minute.reshape(-1, 10 * RATE_HZ)
        alone = detector.score(clips, machine).score
        n_windows, memory = 0, [resident_mb()]
        began = time.process_time()
        for done in range(1, round(hours * 60) + 1):
            scores = [window.record.score for block in blocks for window in stream.push(block)]
            assert np.array_equal(np.float32(scores), alone), "windows differ from the cuts"
            n_windows += len(scores)
            if done % 60 == 0:
                memory.append(resident_mb())
                print(f"{done // 60:3} h  {n_windows:6} windows  {memory[-1]:7.1f} MB", flush=True)
        cpu_s = time.process_time() - began
        empty = osscl.Stream(detector, machine, hop_s=86_400)
        began = time.process_time()
        for _ in range(10):
            for block in blocks:
                empty.push(block)
        own = (time.process_time() - began) / 600
    print(f"memory: {memory[0]:.1f} MB before, {memory[1]:.1f} MB after 1 h, {memory[-1]:.1f} MB at the end")
    print(f"CPU: {1000 * cpu_s / n_windows:.2f} ms a window; a second of sound in blocks of {BLOCK}")
    print(f"samples costs the stream itself {1e6 * own:.0f} us")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(float, sys.argv[3:4]))
