"""False alarms of thresholds on scores of a real printer: set on all normal sessions but one, tried on that.

usage: python benchmarks/printer_scores.py ../shared [--rate R]

The thresholds are those of `osscl.decisions.threshold` over clips; a gamma distribution fitted by its moments
to the same normal scores stands beside them. Sessions count as recordings only from 1 / rate - 1 of them on:
by sessions nothing can be decided at 5 % here, and the smallest rate that can be is printed.
"""

import argparse
import csv
import math
from collections import defaultdict
from pathlib import Path

import numpy as np

from osscl.decisions import smallest_rate, threshold

Sessions = dict[str, np.ndarray]


def autoencoder(path: Path) -> dict[str, Sessions]:
    """Normal scores by session, of one file of an autoencoder's."""
    sessions: dict[str, list[float]] = defaultdict(list)
    for row in csv.DictReader(path.open()):
        if row["label"] == "0":
            sessions[row["basename"].split("_asd3dp_")[1].split("_clip")[0]].append(float(row["score"]))
    return {path.name.removesuffix("_file_scores.csv"): {name: np.array(s) for name, s in sessions.items()}}


def neighbours(path: Path) -> dict[str, Sessions]:
    """Normal scores by system and session, of one file of nearest neighbours."""
    systems: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in csv.DictReader(path.open()):
        if row["benchmark_label"] == "normal":
            systems[row["system"]][row["release_session_id"].removeprefix("asd3dp_")].append(
                float(row["score"])
            )
    return {
        f"{path.name.removeprefix('sslam_knn_').removesuffix('_scores.csv')}/{system}": {
            name: np.array(scores) for name, scores in sessions.items()
        }
        for system, sessions in systems.items()
    }


def gamma_threshold(scores: np.ndarray, rate: float) -> float:
    """Score that a gamma distribution of the same mean and variance exceeds with probability `rate`."""
    shape = scores.mean() ** 2 / scores.var()
    scale = scores.var() / scores.mean()
    low, high = 0.0, scores.mean() * 100
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if _upper_gamma(shape, middle / scale) > rate else (low, middle)
    return high


def _upper_gamma(a: float, x: float) -> float:
    """Regularised upper incomplete gamma function Q(a, x) (DLMF 8.9.2, 8.7.1)."""
    if x <= 0:
        return 1.0
    front = math.exp(-x + a * math.log(x) - math.lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        n = a
        while abs(term) > abs(total) * 1e-14:
            n += 1
            term *= x / n
            total += term
        return 1 - total * front
    tiny = 1e-300
    b = x + 1 - a
    c, d = 1 / tiny, 1 / b
    fraction = d
    for i in range(1, 10000):
        an = -i * (i - a)
        b += 2
        d = 1 / (an * d + b or tiny)
        c = b + an / c or tiny
        fraction *= d * c
        if abs(d * c - 1) < 1e-14:
            break
    return front * fraction


def main() -> None:
    """Print a line a system, with its sessions."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("shared", type=Path)
    parser.add_argument("--rate", type=float, default=0.05)
    asked = parser.parse_args()
    folder = asked.shared / "data" / "asd3dp"
    systems: dict[str, Sessions] = {}
    for path in sorted(folder.glob("ae_*_file_scores.csv")):
        systems |= autoencoder(path)
    for path in sorted(folder.glob("sslam_knn_*_scores.csv")):
        systems |= neighbours(path)
    for system, sessions in systems.items():
        alarms: dict[str, tuple[float, float]] = {}
        for name, scores in sessions.items():
            others = np.concatenate([each for other, each in sessions.items() if other != name])
            by_rank = (scores >= threshold(others, asked.rate)).mean()
            by_gamma = (scores >= gamma_threshold(others, asked.rate)).mean()
            alarms[name] = by_rank, by_gamma
        sizes = np.array([len(scores) for scores in sessions.values()])
        total = np.average(list(alarms.values()), axis=0, weights=sizes)
        print(
            f"{system}: {sizes.sum()} clips of {len(sessions)} sessions: {total[0]:.1%} at a stated "
            f"{asked.rate:.0%}, gamma fit {total[1]:.1%}; by sessions from "
            f"{smallest_rate(len(sessions)):.1%} on"
        )
        print("  " + ", ".join(f"{name} {a:.0%} ({g:.0%})" for name, (a, g) in sorted(alarms.items())))


if __name__ == "__main__":
    main()
