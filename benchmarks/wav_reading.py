"""Prints the time of reading 16-bit WAV files into one float32 batch, ours beside other readers.

usage: python benchmarks/wav_reading.py [FOLDER] [--files N] [--rounds N] [--json FILE]

Reads FOLDER's WAV files (16 kHz, one channel, ten seconds at least), or ones made for the purpose. The
files are in the page cache, the batch is made once, and the readers take turns in an order shuffled anew
each round. All batches must be equal, bit by bit.
"""

import argparse
import json
import os
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy
import soundfile
from scipy.io import wavfile

import osscl

N_SAMPLES = 160_000
Batch = np.ndarray
Reader = Callable[[list[str], Batch], None]


def ours(threads: int) -> Reader:
    """`read_audio_batch` with some threads."""

    def read(paths: list[str], batch: Batch) -> None:
        osscl.read_audio_batch(paths, out=batch, threads=threads)

    return read


def ours_into_new_arrays(paths: list[str], batch: Batch) -> None:
    """`read_audio_batch` without `out`: the system hands out its memory page by page."""
    batch[0] = osscl.read_audio_batch(paths, threads=1)[0]


def ours_one_by_one(paths: list[str], batch: Batch) -> None:
    """`read_audio` of each path."""
    for row, path in zip(batch, paths, strict=True):
        row[:] = osscl.read_audio(path)


def ours_by_libsndfile(paths: list[str], batch: Batch) -> None:
    """`read_audio` of each open file, which the native reader never sees."""
    for row, path in zip(batch, paths, strict=True):
        with Path(path).open("rb", buffering=0) as file:
            row[:] = osscl.read_audio(file)


def by_soundfile(paths: list[str], batch: Batch) -> None:
    """soundfile, new arrays."""
    for row, path in zip(batch, paths, strict=True):
        row[:] = soundfile.read(path, frames=N_SAMPLES, dtype="float32")[0]


def by_soundfile_in_place(paths: list[str], batch: Batch) -> None:
    """soundfile at its fastest: straight into the rows."""
    for row, path in zip(batch, paths, strict=True):
        soundfile.read(path, frames=N_SAMPLES, dtype="float32", out=row)


def by_scipy(paths: list[str], batch: Batch) -> None:
    """scipy.io.wavfile, and a division by 32768."""
    for row, path in zip(batch, paths, strict=True):
        np.multiply(wavfile.read(path)[1][:N_SAMPLES], np.float32(1 / 32768), out=row)


BASELINE = "soundfile.read(out=row)"
READERS: dict[str, Reader] = {
    "read_audio_batch(out), 1 thread": ours(1),
    "read_audio_batch(out), 2 threads": ours(2),
    "read_audio_batch, 1 thread, new batch": ours_into_new_arrays,
    "read_audio, path": ours_one_by_one,
    "read_audio, open file (libsndfile)": ours_by_libsndfile,
    "soundfile.read": by_soundfile,
    BASELINE: by_soundfile_in_place,
    "scipy.io.wavfile.read": by_scipy,
}


def write_files(folder: Path, n_files: int) -> list[str]:
    """Noise as 16-bit WAV files."""
    rng = np.random.default_rng(0)
    paths = [str(folder / f"{i:04}.wav") for i in range(n_files)]
    for path in paths:
        soundfile.write(path, rng.normal(0, 3000, N_SAMPLES).astype(np.int16), 16_000)
    return paths


def measure(paths: list[str], n_rounds: int) -> dict[str, float]:
    """Median microseconds a file of each reader, after one round that is not counted."""
    batch = np.zeros((len(paths), N_SAMPLES), np.float32)
    expected = np.stack([soundfile.read(path, frames=N_SAMPLES, dtype="float32")[0] for path in paths])
    times: dict[str, list[float]] = {name: [] for name in READERS}
    for i in range(1 + n_rounds):
        for name in random.sample(list(READERS), len(READERS)):
            start = time.perf_counter()
            READERS[name](paths, batch)
            elapsed_us = 1e6 * (time.perf_counter() - start) / len(paths)
            if i > 0:
                times[name].append(elapsed_us)
            elif READERS[name] is ours_into_new_arrays:
                assert osscl.read_audio_batch(paths, threads=1).tobytes() == expected.tobytes(), name
            else:
                assert batch.tobytes() == expected.tobytes(), name
                batch[:] = 0
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--files", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        if arguments.folder is None:
            paths = write_files(Path(scratch), arguments.files)
        else:
            paths = [str(path) for path in sorted(arguments.folder.rglob("*.wav"))[: arguments.files]]
        if not paths:
            parser.error(f"{arguments.folder} holds no WAV files")
        us_per_file = measure(paths, arguments.rounds)
    print(f"{len(paths)} files of 10 s, 16 bits, 16 kHz; median of {arguments.rounds} rounds")
    print(f"{'':40}{'µs a file':>10}{'speed-up':>10}")
    for name, us in us_per_file.items():
        print(f"{name:40}{us:10.1f}{us_per_file[BASELINE] / us:9.1f}x")
    if arguments.json:
        facts = {
            "n_files": len(paths),
            "rounds": arguments.rounds,
            "processors": os.cpu_count(),
            "machine": platform.machine(),
            "soundfile": soundfile.__version__,
            "libsndfile": soundfile.__libsndfile_version__,
            "scipy": scipy.__version__,
            "numpy": np.__version__,
        }
        arguments.json.write_text(json.dumps({**facts, "us_per_file": us_per_file}, indent=2) + "\n")


if __name__ == "__main__":
    main()
