"""Times the features of a machine's memory beside the log-mel and beside NumPy: one clip, one thread.

usage: python benchmarks/features.py [--rounds 100]

Contenders take turns in a shuffled order; the table holds medians. The NumPy reference computes the short
frames in float32, as its users would; it is given the log-mel, whose time is not counted. It is first shown
to give the same numbers.
"""

import os

# before any import that reads them: the peers' own threads would otherwise take every processor
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import argparse
import itertools
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from osscl import _native, frontend
from osscl.features import log_mel_and_features, memory_features

SLOW_HZ = np.array([0.4, 0.8, 1.2, 1.7, 2.3, 3.0, 4.0, 5.2, 6.5, 8.0, 10.0, 12.5, 15.7])
FAST_HZ = np.concatenate([np.arange(2.0, 40.0, 2.0), np.arange(40.0, 125.0, 4.0)])
BAND_STARTS = (1, 4, 8, 13, 19, 27, 37, 50, 67, 91)
HANN = (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(256) / 256)).astype(np.float32)
AT_MOST_LOG_MELS = 2.5
AT_LEAST_TIMES_FASTER = 4.0

Contender = Callable[[npt.NDArray[np.int16]], Any]


def envelope_spectra(envelopes: npt.NDArray[Any], rate_hz: float, length: int, edges_hz: Any) -> Any:
    """Mean power spectra of half overlapping segments between the edges, in decibels; mean over pairs."""
    segments = np.lib.stride_tricks.sliding_window_view(envelopes, length, axis=1)[:, :: length // 2]
    segments = (segments - segments.mean(axis=-1, keepdims=True)) * np.hanning(length)
    power = (np.abs(np.fft.rfft(segments, axis=-1)) ** 2).mean(axis=1) / length  # [n_envelopes, n_bins]
    first = np.searchsorted(np.fft.rfftfreq(length, 1.0 / rate_hz), edges_hz)
    pooled = np.stack([power[:, a:b].mean(axis=1) for a, b in itertools.pairwise(first)], axis=1)
    return (10.0 * np.log10(pooled + 1e-6)).reshape(-1, 2, len(edges_hz) - 1).mean(axis=1).ravel()


def numpy_features(waveform: npt.NDArray[np.float32], log_mel: npt.NDArray[np.float32]) -> Any:
    """All 360 features of one clip [160000] with its log-mel [128, 313]."""
    bands = log_mel.reshape(32, 4, -1).mean(axis=1)
    level = bands.mean(axis=1)
    slow = envelope_spectra(log_mel.reshape(16, 8, -1).mean(axis=1), 31.25, 128, SLOW_HZ)
    frames = np.lib.stride_tricks.sliding_window_view(waveform, 256)[::64] * HANN
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    short = 10.0 * np.log10(np.maximum(np.add.reduceat(power, BAND_STARTS, axis=1).T, 1e-7))
    fast = envelope_spectra(short, 250.0, 250, FAST_HZ)
    event = ((bands[:, :-2] + bands[:, 1:-1] + bands[:, 2:]) / 3.0).max(axis=1) - level
    return np.concatenate([level, slow, fast, event])


def contenders(clip: npt.NDArray[np.int16]) -> dict[str, Contender]:
    """What is timed, by name."""
    waveform, log_mel = (clip / 32768.0).astype(np.float32), frontend.log_mel(clip)
    return {
        "log-mel": lambda clip: frontend.log_mel(clip, threads=1),
        "log-mel and features": lambda clip: log_mel_and_features(clip, threads=1),
        "features alone": lambda clip: memory_features(clip, threads=1),
        "features by NumPy, log-mel given": lambda _: numpy_features(waveform, log_mel),
    }


def measure(isa: str, clip: npt.NDArray[np.int16], rounds: int) -> dict[str, float]:
    """Median milliseconds of each contender on one instruction set."""
    os.environ[frontend.ISA_VARIABLE] = isa
    named = contenders(clip)
    error = np.abs(memory_features(clip) - named["features by NumPy, log-mel given"](clip)).max()
    assert error <= 1e-3, f"NumPy's features differ by {error:.2g} dB"
    ms: dict[str, list[float]] = {name: [] for name in named}
    order = list(named.items())
    for _ in range(rounds):
        random.shuffle(order)
        for name, contender in order:
            contender(clip)  # not counted
            start = time.perf_counter()
            contender(clip)
            ms[name].append(1000.0 * (time.perf_counter() - start))
    return {name: statistics.median(values) for name, values in ms.items()}


def main() -> None:
    """Measure each instruction set and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=100)
    arguments = parser.parse_args()
    clip = np.random.default_rng(0).integers(-3000, 3000, 160_000, np.int16)
    for isa in reversed(_native.instruction_sets()):
        medians = measure(isa, clip, arguments.rounds)
        both, by_numpy = medians["log-mel and features"], medians["features by NumPy, log-mel given"]
        print(f"{isa}, ms a clip, 1 thread")
        for name, ms in medians.items():
            print(f"  {name:34} {ms:8.3f}")
        ratio, faster = both / medians["log-mel"], by_numpy / both
        share = by_numpy / (both - medians["log-mel"])
        print(f"  both, in times of the log-mel      {ratio:8.2f}  (at most {AT_MOST_LOG_MELS})")
        print(f"  both, times faster than NumPy      {faster:8.2f}  (at least {AT_LEAST_TIMES_FASTER})")
        print(f"  the features' share, likewise      {share:8.2f}")


if __name__ == "__main__":
    main()
