"""What becomes of a machine's decisions when it is moved: memories by domain, pooled, or of the source alone.

usage: python benchmarks/domain_shift.py SET [--target N ...] [--rate R]

SET is made by osscl synth --second-site. Of each machine the memories are fitted to all normal clips of the
source and to the first N of the target, with the background that ships. Compared are

known      each clip by the memory of its domain
unknown    the smaller score of both memories, as osscl decides where no name tells the domain
own p      the same, but decided by each memory's own score: both must reach their own threshold
scaled     the smaller of both scores, each in spreads of its memory's leave-one-out scores (median, MAD)
pooled     one memory of all clips
source     one memory of the clips of the source: nobody enrolled the machine again

AUC of a domain is of its normal clips against all anomalous ones, and pAUC of all clips, as DCASE has them
since 2022. Decisions are at the rate R, or at the smallest that the recordings can speak of.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from osscl.decisions import Memory, RobustScale, smallest_rate, threshold
from osscl.metrics import auc, pauc
from osscl.model_file.restored import restored_background
from osscl.model_file.shipped_background import shipped_background
from osscl.runs.featured import FeaturedClip, featured_clips
from osscl.runs.folder import find_recordings

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
METHODS = ("known", "unknown", "own p", "scaled", "pooled", "source")
DOMAINS = ("source", "target")
COLUMNS = (
    "AUC source",
    "AUC target",
    "worst AUC",
    "pAUC(0.1)",
    "false alarms source",
    "target",
    "stated source",
    "target",
    "found source",
    "target",
)


class Clips(NamedTuple):
    """Clips of a set: what synth.json says of each, and their features [N, 360]."""

    told: list[dict[str, Any]]
    features: Floats

    def where(self, **wanted: object) -> Bools:
        """Which clips have these values, [N]."""
        return np.array([all(clip[key] == value for key, value in wanted.items()) for clip in self.told])


class Found(NamedTuple):
    """Scores of test clips by a method, whether each is flagged, and at which rate those of each domain."""

    scores: Floats  # [N]
    is_flagged: Bools  # [N]
    rates: tuple[float, float]


def read_clips(folder: Path) -> Clips:
    """Read a set that osscl synth made."""
    told = {clip["path"]: clip for clip in json.loads((folder / "synth.json").read_text())["clips"]}
    found = [each for each in featured_clips(find_recordings([folder])) if isinstance(each, FeaturedClip)]
    names = [Path(each.path).relative_to(folder).as_posix() for each in found]
    return Clips(
        [told[name] for name in names], np.stack([each.features for each in found]).astype(np.float64)
    )


def found_by(method: str, normals: dict[str, Floats], clips: Floats, is_target: Bools, asked: float) -> Found:
    """Score and decide test clips of one machine."""
    prior = restored_background(shipped_background())
    if method in ("pooled", "source"):
        rows = normals["source"] if method == "source" else np.concatenate([*normals.values()])
        memory = Memory.fit(rows, None, prior)
        scores, rate = memory.score(clips).score, max(asked, smallest_rate(len(rows)))
        return Found(scores, scores >= _least(memory, rate), (rate, rate))
    memories = [Memory.fit(normals[domain], None, prior) for domain in DOMAINS]
    by_each = np.stack([memory.score(clips).score for memory in memories])  # [2, N]
    rates = [max(asked, smallest_rate(len(normals[domain]))) for domain in DOMAINS]
    if method == "known":
        own = is_target.astype(int)
        least = np.array([_least(*each) for each in zip(memories, rates, strict=True)])
        scores = by_each[own, np.arange(len(clips))]
        return Found(scores, scores >= least[own], (rates[0], rates[1]))
    rate = max(rates)
    smaller = by_each.min(axis=0)
    least = np.array([_least(memory, rate) for memory in memories])
    if method == "unknown":
        return Found(smaller, smaller >= least.max(), (rate, rate))
    is_flagged = (by_each >= least[:, np.newaxis]).all(axis=0)
    if method == "own p":
        return Found(smaller, is_flagged, (rate, rate))
    scales = [RobustScale.of(memory.leave_one_out) for memory in memories]
    scaled = np.stack([scale.z(scores) for scale, scores in zip(scales, by_each, strict=True)])
    return Found(scaled.min(axis=0), is_flagged, (rate, rate))


def _least(memory: Memory, rate: float) -> float:
    return threshold(memory.calibration_scores, rate, memory.calibration_recordings)


def figures(clips: Clips, n_target: int, method: str, asked: float) -> Iterator[list[float]]:
    """Figures of each machine by a method."""
    for machine in dict.fromkeys(clip["machine"] for clip in clips.told):
        normals = {
            domain: clips.features[clips.where(machine=machine, split="train", domain=domain)]
            for domain in DOMAINS
        }
        normals["target"] = normals["target"][:n_target]
        tested = clips.where(machine=machine, split="test")
        is_target, is_faulty = (clips.where(**{key: value})[tested] for key, value in _TOLD)
        found = found_by(method, normals, clips.features[tested], is_target, asked)
        of_domain = {"source": ~is_target, "target": is_target}
        aucs = [
            auc(is_faulty[part | is_faulty], found.scores[part | is_faulty]) for part in of_domain.values()
        ]
        false_alarms = [found.is_flagged[part & ~is_faulty].mean() for part in of_domain.values()]
        detected = [found.is_flagged[part & is_faulty].mean() for part in of_domain.values()]
        yield [*aucs, pauc(is_faulty, found.scores), *false_alarms, *found.rates, *detected]


_TOLD = (("domain", "target"), ("label", "anomaly"))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("--target", type=int, nargs="+", default=[10, 3])
    parser.add_argument("--rate", type=float, default=0.05)
    asked = parser.parse_args()
    clips = read_clips(asked.set)
    print("| target normals | method " + "".join(f"| {name} " for name in COLUMNS) + "|")
    print("|---" * (2 + len(COLUMNS)) + "|")
    for n_target in asked.target:
        for method in METHODS:
            rows = np.array([*figures(clips, n_target, method, asked.rate)])
            source, target, partial, *shares = rows.mean(axis=0)
            cells = [*(f"{value:.3f}" for value in (source, target, rows[:, :2].min(), partial))]
            cells += [f"{100 * share:.1f} %" for share in shares]
            print(f"| {n_target} | {method} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
