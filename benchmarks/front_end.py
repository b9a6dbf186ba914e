"""Prints the time of the log-mel front end for each instruction set, batch size and number of threads.

usage: python benchmarks/front_end.py
"""

import os
import statistics
import time

import numpy as np

import osscl
from osscl import _native

REPEATS = 15


def ms_per_clip(batch: np.ndarray, threads: int) -> float:
    """Median over `REPEATS` runs, the output array made once."""
    out = np.empty((len(batch), 128, 313), np.float32)
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        osscl.log_mel(batch, out=out, threads=threads)
        times.append(time.perf_counter() - start)
    return 1000.0 * statistics.median(times) / len(batch)


def main() -> None:
    """Measure int16 clips, as a folder run hands them over."""
    rng = np.random.default_rng(0)
    for isa in _native.instruction_sets():
        os.environ["OSSCL_ISA"] = isa
        for size in (1, 8, 32):
            batch = rng.integers(-3000, 3000, (size, 160_000), np.int16)
            for threads in (1, 2):
                print(f"{isa}, batch {size}, threads {threads}: {ms_per_clip(batch, threads):.3f} ms a clip")


if __name__ == "__main__":
    main()
