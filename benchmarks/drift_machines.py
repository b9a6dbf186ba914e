"""Drift on synthetic machines: normals of one operating state, then another state, or a fault.

    python benchmarks/drift_machines.py [--seed 20261126] [--ids 1 2]

A memory of 60 normals of a machine in its low state scores 150 further normals, and after them 40 clips of
its high state, or of a fault, each in the background noise of the hard set. The whole path of `osscl monitor`,
at a drift rate of 0.1 %.
"""

import argparse
from pathlib import Path

import numpy as np

from osscl import synth
from osscl.decisions import Background, Memory, MemoryScores
from osscl.features import BLOCKS, memory_features
from osscl.model_file.restored import restored_background
from osscl.model_file.shipped_background import shipped_background
from osscl.monitoring.bands import changed_bands
from osscl.monitoring.drifting import Evidence, evidence_of
from osscl.scoring.judge import NormalScores

N_NORMALS, N_STEADY, N_CHANGED = 60, 150, 40
LIMIT = 3.0


def features(
    machine: str, seed: int, mode: str, first: int, count: int, fault: synth.Fault | None = None
) -> np.ndarray:
    """Features of clips of a machine [count, 360]."""
    keys = [synth.ClipKey(machine, seed, index=first + i, mode=mode) for i in range(count)]  # type: ignore[arg-type]
    return np.stack([memory_features(synth.make_clip(key, fault)) for key in keys])


def main() -> None:
    """Print what becomes of each machine."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=20261126)
    parser.add_argument("--ids", type=int, nargs="+", default=[1])
    parser.add_argument("--keep", type=Path, help="folder that keeps features, for another run")
    given = parser.parse_args()
    background = restored_background(shipped_background())
    for machine in synth.machines_of_ids(given.ids):
        of_machine(machine.name, given.seed, background, given.keep)


def of_machine(name: str, seed: int, background: Background, keep: Path | None) -> None:
    parts = _kept(name, seed, keep)
    memory = Memory.fit(parts.pop("normals"), background=background)
    steady = memory.score(parts.pop("steady"))
    found = _evidence(memory, steady.score)
    print(
        f"{name}: {N_STEADY} further normals: evidence 10^{found.log10_martingale.max():.1f}, drift "
        f"{'yes' if found.alarmed_at is not None else 'no'}, every {found.spacing.distance}. clip; "
        f"median score {np.median(steady.score):.2f} (calibration {np.median(memory.calibration_scores):.2f})"
    )
    for what, rows in parts.items():
        changed = memory.score(rows)
        found = _evidence(memory, np.concatenate([steady.score, changed.score]))
        print(f"  {what}: {_told(found, changed, memory, rows)}", flush=True)


def _kept(name: str, seed: int, keep: Path | None) -> dict[str, np.ndarray]:
    """Features by what they are of, kept in a folder where one is named."""
    file = None if keep is None else keep / f"{name.replace('/', '_')}_{seed}.npz"
    if file is not None and file.exists():
        return dict(np.load(file))
    parts = {
        "normals": features(name, seed, "low", 0, N_NORMALS),
        "steady": features(name, seed, "low", N_NORMALS, N_STEADY),
        "high state": features(name, seed, "high", 0, N_CHANGED),
    }
    for kind in ("imbalance", "leak", "event"):
        fault = synth.fault(kind, "slight")
        parts[f"slight {kind}"] = features(name, seed, "low", 1000, N_CHANGED, fault)
    if file is not None:
        np.savez(file, **parts)
    return parts


def _evidence(memory: Memory, scores: np.ndarray) -> Evidence:
    normal = NormalScores(memory.calibration_scores, memory.calibration_recordings)
    return evidence_of(normal, scores, LIMIT, None)


def _told(found: Evidence, changed: MemoryScores, memory: Memory, rows: np.ndarray) -> str:
    if found.alarmed_at is None:
        return f"not found in {N_CHANGED} clips (evidence 10^{found.log10_martingale.max():.1f})"
    z = dict(zip(BLOCKS, (float(np.mean(each)) for each in changed[1:]), strict=True))
    bands = changed_bands(memory.features[:, BLOCKS["level"]], rows[:, BLOCKS["level"]].astype(float))
    return (
        f"found after {found.alarmed_at - N_STEADY + 1} clips, beginning told {found.began_at - N_STEADY:+d} clips off, "
        f"every {found.spacing.distance}. clip; z "
        + ", ".join(f"{name} {value:+.1f}" for name, value in z.items())
        + f"; {'; '.join(bands) or 'no band'}"
    )


if __name__ == "__main__":
    main()
