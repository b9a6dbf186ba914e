"""Prints how well trained checkpoints tell anomalies, by the score and by nearest neighbours.

usage: python benchmarks/trained.py TRAIN TEST CHECKPOINT [CHECKPOINT ...]

TRAIN has <type>/train, TEST has <type>/test; one folder may be both. Each checkpoint is exported; the
exported model's scores are compared with PyTorch's on the same clips. Figures are AUC for each machine ID:

score       anomaly score of the exported model
neighbour   1 - largest cosine between the clip's embedding and those of its ID's training clips
log-mel     Euclidean distance of the clip's mean log-mel to the nearest of its ID's training clips
RMS         level alone, in the better direction of the two
"""

import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch

import osscl
from osscl.evaluation.labelled import label_in_name
from osscl.evaluation.testset import find_test_recordings, is_for_training
from osscl.export import export_onnx
from osscl.export.checkpoint import load_checkpoint
from osscl.machines.dcase import MachineFromPath
from osscl.metrics import auc
from osscl.runs.folder import find_recordings
from osscl.scoring.rule import anomaly_score


def read(paths: list[str]) -> np.ndarray:
    """Waveforms [B, 160000]."""
    return np.stack([osscl.read_audio(path) for path in paths])


def in_batches(function, *arrays: np.ndarray) -> list[np.ndarray]:
    """Apply a function to 16 clips at a time, and join what it gives."""
    parts = [function(*(a[i : i + 16] for a in arrays)) for i in range(0, len(arrays[0]), 16)]
    return [np.concatenate(part) for part in zip(*parts, strict=True)]


def distance_to_nearest(test: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Euclidean distance of each row to the nearest row of another array."""
    return np.sqrt(np.square(test[:, None] - train[None]).sum(axis=2)).min(axis=1)


def pytorch_outputs(checkpoint: Path, waveforms: np.ndarray, log_mels: np.ndarray) -> list[np.ndarray]:
    """Embedding and cosine of the checkpoint itself."""
    model = load_checkpoint(checkpoint).model
    inputs = {"waveform": waveforms, "log_mel": log_mels}

    def run(*arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        with torch.inference_mode():
            return tuple(output.numpy() for output in model(*map(torch.from_numpy, arrays)))

    return in_batches(run, *(inputs[name] for name in model.input_names))


def main(train_data: str, test_data: str, checkpoints: list[str]) -> None:
    """Measure and print."""
    train_paths = [c.path for c in find_recordings([train_data]) if is_for_training(c.path)]
    test_paths = [c.path for c in find_test_recordings(test_data)]
    is_anomaly = np.array([bool(label_in_name(path)) for path in test_paths])
    train, test = read(train_paths), read(test_paths)
    log_mels = osscl.log_mel(test)
    baselines = {
        "log-mel": (osscl.log_mel(train).mean(axis=2), log_mels.mean(axis=2)),
        "RMS": 20 * np.log10(np.sqrt(np.square(test).mean(axis=1)) + 1e-12),
    }
    table: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for checkpoint in map(Path, checkpoints):
        with tempfile.TemporaryDirectory() as folder:
            model = Path(folder) / "model.onnx"
            manifest = export_onnx(checkpoint, model)
            machine_of = MachineFromPath(manifest.network.model.classes)
            machines = np.array([machine_of(path) for path in test_paths])
            train_machines = np.array([machine_of(path) for path in train_paths])
            with osscl.load(model) as detector:
                score = detector.score(test, list(machines)).score
                test_embedding, train_embedding = detector.embed(test), detector.embed(train)
        labels = np.array([manifest.network.model.classes.index(name) for name in machines])
        _, cosine = pytorch_outputs(checkpoint, test, log_mels)
        expected = anomaly_score(
            cosine, labels, margin=manifest.network.model.margin, scale=manifest.network.model.scale
        )
        error = np.abs(score - expected).max()
        print(f"{checkpoint}: exported against PyTorch, largest score error {error:.2e}")
        for name in manifest.network.model.classes:
            of_test, of_train = machines == name, train_machines == name
            truth = is_anomaly[of_test]
            if truth.all() or not truth.any():
                continue
            near = 1 - (test_embedding[of_test] @ train_embedding[of_train].T).max(axis=1)
            means = distance_to_nearest(baselines["log-mel"][1][of_test], baselines["log-mel"][0][of_train])
            level = auc(truth, baselines["RMS"][of_test])
            row = table[name]
            row["score"].append(auc(truth, score[of_test]))
            row["neighbour"].append(auc(truth, near))
            row["log-mel"].append(auc(truth, means))
            row["RMS"].append(max(level, 1 - level))
    print_table(table)


def print_table(table: dict[str, dict[str, list[float]]]) -> None:
    """One line an ID, each checkpoint's figure in turn; then the mean over IDs and the worst ID."""
    columns = ("score", "neighbour", "log-mel", "RMS")
    print("machine," + ",".join(columns))
    for name, row in table.items():
        print(name + "," + ",".join(" ".join(f"{value:.3f}" for value in row[column]) for column in columns))
    for what, reduce in (("mean over IDs", np.mean), ("worst ID", np.min)):
        figures = [reduce([row[column] for row in table.values()], axis=0) for column in columns]
        print(what + "," + ",".join(" ".join(f"{value:.3f}" for value in column) for column in figures))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
