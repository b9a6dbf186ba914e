"""How well memories find faults, beside the network.

AUC, pAUC, detection and false alarms over synthetic machines.

usage: python benchmarks/memory_accuracy.py TRAIN TEST [--normals N ...] [--model MODEL] [--rate R]
                                            [--background FOLDER]

TRAIN holds normal clips and TEST clips of both labels of the same machines, both made by osscl synth (TRAIN
and TEST may be one folder). Each machine's memory is fitted to its first N normals, with the background that
ships. With --model the network's score and `both` stand beside it, calibrated on the same normals, which the
network must not have been trained on; and the rule embedding, with the model's background of embeddings, or
one of the training clips of FOLDER (by default TRAIN), and without any. "mix-up" is the AUC of other
machines' normal clips, passed off as the machine's own. Faults, severities and modes that synth.json tells
get a line each.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

import osscl
from osscl.backends import Outputs
from osscl.decisions import (
    Background,
    EmbeddingBackground,
    EmbeddingMemory,
    Memory,
    RobustScale,
    both,
    left_out_z,
    log_score,
    pooled_embedding_background,
    threshold,
)
from osscl.metrics import auc, pauc
from osscl.model_file.restored import restored_background, restored_embedding_background
from osscl.model_file.shipped_background import shipped_background
from osscl.runs.featured import FeaturedClip, featured_clips
from osscl.runs.folder import find_recordings
from osscl.scoring.rule import anomaly_score

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
BATCH = 64


class Clips(NamedTuple):
    """Clips of a folder.

    What synth.json says of each, their features, and embeddings and cosines where there is a network.
    """

    told: list[dict[str, Any]]
    features: Floats  # [N, 360]
    embedding: Floats | None  # [N, 128]
    cosine: Floats | None  # [N, K]

    def where(self, **wanted: object) -> Bools:
        """Which clips have these values, [N]."""
        return np.array([all(clip[key] == value for key, value in wanted.items()) for clip in self.told])


class Rule(NamedTuple):
    """Scores of all clips by a rule that takes them for one machine's, and its normal scores."""

    scores: Floats  # [N]
    normal: Floats  # [n]


def read_clips(folder: Path, detector: osscl.Detector | None) -> Clips:
    """Read a set that osscl synth made."""
    told = {clip["path"]: clip for clip in json.loads((folder / "synth.json").read_text())["clips"]}
    found = [each for each in featured_clips(find_recordings([folder])) if isinstance(each, FeaturedClip)]
    paths = [each.path for each in found]
    embedding = cosine = None
    if detector is not None:
        parts = [*outputs(paths, detector)]
        embedding, cosine = (
            np.concatenate([getattr(part, name) for part in parts]).astype(np.float64)
            for name in ("embedding", "cosine")
        )
    names = [Path(path).relative_to(folder).as_posix() for path in paths]
    features = np.stack([each.features for each in found]).astype(np.float64)
    return Clips([told[name] for name in names], features, embedding, cosine)


def outputs(paths: Sequence[str], detector: osscl.Detector) -> Any:
    """Embeddings [B, 128] and cosines [B, K] of recordings, batch by batch."""
    for start in range(0, len(paths), BATCH):
        waveforms = osscl.read_audio_batch(paths[start : start + BATCH])
        backend = detector.backend
        found = backend.collect(backend.submit(waveforms))
        yield Outputs(found.embedding.copy(), found.cosine.copy())


def embedding_background(normals: Clips, detector: osscl.Detector) -> EmbeddingBackground:
    """The model's own, or one of all training clips of a set."""
    held = detector.manifest.decisions
    if held is not None and held.embedding_background is not None:
        return restored_embedding_background(held.embedding_background)
    assert normals.embedding is not None
    is_train = normals.where(split="train")
    machines = dict.fromkeys(clip["machine"] for clip in normals.told)
    of_machines = {name: normals.embedding[is_train & normals.where(machine=name)] for name in machines}
    return pooled_embedding_background(of_machines, "made here")


def rules_of(
    machine: str,
    normals: Clips,
    chosen: npt.NDArray[np.intp],
    test: Clips,
    background: Background,
    of_embeddings: EmbeddingBackground | None,
    detector: osscl.Detector | None,
) -> dict[str, Rule]:
    """Scores of the test clips by every rule."""
    memory = Memory.fit(normals.features[chosen], None, background)
    remembered = Rule(memory.score(test.features).score, memory.calibration_scores)
    if detector is None or normals.cosine is None or test.cosine is None:
        return {"memory": remembered}
    assert normals.embedding is not None
    assert test.embedding is not None
    by_embedding = {}
    for name, prior in (("embedding", of_embeddings), ("(without)", None)):
        embedded = EmbeddingMemory.fit(normals.embedding[chosen], None, prior)
        by_embedding[name] = Rule(embedded.scores_of(test.embedding), embedded.calibration_scores)
    if machine not in detector.manifest.network.model.classes:
        return {"memory": remembered} | by_embedding
    model = detector.manifest.network.model
    label = model.classes.index(machine)

    def network_scores(cosine: Floats) -> Floats:
        labels = np.full(len(cosine), label)
        return anomaly_score(cosine, labels, margin=model.margin, scale=model.scale)

    network = Rule(network_scores(test.cosine), network_scores(normals.cosine[chosen]))
    logs = Rule(log_score(network.scores), log_score(network.normal))
    larger = both(
        RobustScale.of(remembered.normal).z(remembered.scores), RobustScale.of(logs.normal).z(logs.scores)
    )
    normal = both(left_out_z(remembered.normal), left_out_z(logs.normal))
    return {"network": network, "memory": remembered, "both": Rule(larger, normal)} | by_embedding


def study(
    normals: Clips,
    test: Clips,
    n_normals: int,
    rate: float,
    detector: osscl.Detector | None,
    of_embeddings: EmbeddingBackground | None,
) -> None:
    """Print a line a rule, and lines by fault, severity and mode."""
    background = restored_background(shipped_background())
    is_normal = test.where(label="normal")
    machines = list(dict.fromkeys(clip["machine"] for clip in normals.told))
    figures: dict[str, list[list[float]]] = {}
    parts: dict[tuple[str, str, str], list[float]] = {}
    for machine in machines:
        chosen = np.flatnonzero(normals.where(machine=machine, split="train"))[:n_normals]
        own = test.where(machine=machine)
        if test is normals:
            own &= test.where(split="test")
        by_rule = rules_of(machine, normals, chosen, test, background, of_embeddings, detector)
        for rule, (scores, normal) in by_rule.items():
            least = threshold(normal, rate)
            flagged = scores >= least
            figures.setdefault(rule, []).append(
                [
                    auc(~is_normal[own], scores[own]),
                    pauc(~is_normal[own], scores[own]),
                    flagged[own & ~is_normal].mean() if np.isfinite(least) else np.nan,
                    flagged[own & is_normal].mean() if np.isfinite(least) else np.nan,
                    auc(~own[is_normal], scores[is_normal]),
                ]
            )
            for key in ("fault", "severity", "mode"):
                for value in dict.fromkeys(clip[key] for clip in test.told if clip[key] is not None):
                    anomalous = own & ~is_normal & test.where(**{key: value})
                    beside = test.where(mode=value) if key == "mode" else np.full(len(own), True)
                    among = (own & is_normal & beside) | anomalous
                    if anomalous.any():
                        area = auc(~is_normal[among], scores[among])
                        parts.setdefault((rule, key, str(value)), []).append(area)
    print(f"{len(machines)} machines, {n_normals} normals each, {own.sum()} test clips of the last")
    for rule, rows in figures.items():
        area, partial, detected, alarms, mixed = np.transpose(rows)
        print(
            f"{rule:10}AUC {area.mean():.4f}, lowest {area.min():.4f} ({machines[int(area.argmin())]}), pAUC "
            f"{partial.mean():.4f}; at {rate:g}: detection {detected.mean():.4f}, false alarms "
            f"{alarms.mean():.4f}; mix-up {mixed.mean():.4f}"
        )
        for key in ("fault", "severity", "mode"):
            of_key = {name[2]: areas for name, areas in parts.items() if name[:2] == (rule, key)}
            told = [f"{value} {np.mean(areas):.3f}" for value, areas in of_key.items()]
            if told:
                print(f"          {', '.join(told)}")


def main() -> None:
    """Read both sets once, and study each number of normals."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("train", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("--normals", type=int, nargs="+", default=[80])
    parser.add_argument("--model")
    parser.add_argument("--background", type=Path)
    parser.add_argument("--rate", type=float, default=0.05)
    asked = parser.parse_args()
    detector = None if asked.model is None else osscl.load(asked.model, device="cpu", rule="network")
    normals = read_clips(asked.train, detector)
    test = normals if asked.test == asked.train else read_clips(asked.test, detector)
    of_embeddings = None
    if detector is not None:
        pooled = normals if asked.background is None else read_clips(asked.background, detector)
        of_embeddings = embedding_background(pooled, detector)
    for n_normals in asked.normals:
        study(normals, test, n_normals, asked.rate, detector, of_embeddings)


if __name__ == "__main__":
    main()
