"""Prints how far simple measures get on synthetic recordings: loudness, and the nearest mean spectrum.

usage: python benchmarks/synth_baselines.py TRAIN_FOLDER GATE_FOLDER

Both folders come from ``osscl synth``: TRAIN_FOLDER gives the clips under train, GATE_FOLDER those
under test. The area under the ROC curve (AUC) is taken for each machine ID; each kind of fault is set
against all normal clips of its ID. Loudness counts in whichever direction is better, for each ID
("either way") and for the mean over IDs ("level").
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

import osscl


def auc(normal: np.ndarray, anomalous: np.ndarray) -> float:
    """Share of pairs in which the anomalous clip scores higher, ties counted half."""
    normal = np.sort(normal)
    below = np.searchsorted(normal, anomalous, "left")
    not_above = np.searchsorted(normal, anomalous, "right")
    return float((below + not_above).mean() / (2.0 * len(normal)))


def features(folder: Path, split: str) -> list[dict[str, Any]]:
    """Level and mean log-mel of every clip of one split."""
    rows = [row for row in json.loads((folder / "synth.json").read_text())["clips"] if row["split"] == split]
    for row in rows:
        waveform = osscl.read_audio(folder / row["path"])
        row["level_db"] = 10.0 * np.log10(np.mean(waveform.astype(np.float64) ** 2))
        row["mean_log_mel"] = osscl.log_mel(waveform).mean(-1)
    return rows


def mean_of(values: Iterable[float]) -> float:
    """Mean, NaN of nothing."""
    values = list(values)
    return float(np.mean(values)) if values else float("nan")


def main() -> None:
    """Measure, and print one line for each ID and each fault."""
    train, gate = features(Path(sys.argv[1]), "train"), features(Path(sys.argv[2]), "test")
    known = defaultdict(list)
    for row in train:
        known[row["machine"]].append(row["mean_log_mel"])
    for row in gate:
        distances = np.linalg.norm(np.stack(known[row["machine"]]) - row["mean_log_mel"], axis=1)
        row["nearest"] = float(distances.min())

    by_fault: dict[str, list[tuple[float, float]]] = defaultdict(list)
    by_machine: dict[str, tuple[float, float]] = {}
    for machine in sorted({row["machine"] for row in gate}):
        of = [row for row in gate if row["machine"] == machine]
        normal = [row for row in of if row["label"] == "normal"]
        kinds = defaultdict(list)
        for row in of:
            if row["label"] == "anomaly":
                kinds["all"].append(row)
                kinds[row["fault"]].append(row)
                kinds[f"({row['severity']})"].append(row)
        for kind, rows in kinds.items():
            level, nearest = (
                auc(np.array([row[name] for row in normal]), np.array([row[name] for row in rows]))
                for name in ("level_db", "nearest")
            )
            if kind == "all":
                by_machine[machine] = level, nearest
            else:
                by_fault[kind].append((level, nearest))

    print(f"{'':20}{'level':>8}{'either way':>12}{'nearest':>9}")
    for machine, (level, nearest) in by_machine.items():
        print(f"{machine:20}{level:8.3f}{max(level, 1 - level):12.3f}{nearest:9.3f}")
    level = mean_of(level for level, _ in by_machine.values())
    either = mean_of(max(level, 1 - level) for level, _ in by_machine.values())
    print(f"{'mean over IDs':20}{max(level, 1 - level):8.3f}{either:12.3f}", end="")
    print(f"{mean_of(nearest for _, nearest in by_machine.values()):9.3f}")
    for kind, pairs in sorted(by_fault.items()):
        level = mean_of(level for level, _ in pairs)
        print(f"{kind:20}{level:8.3f}{max(level, 1 - level):12.3f}{mean_of(n for _, n in pairs):9.3f}")


if __name__ == "__main__":
    main()
