"""Prints how far every stage lies from its reference, on the 36 reference clips and test signals.

usage: python benchmarks/parity.py ../shared
"""

import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile
import torch
from scipy.stats import rankdata

import osscl
from osscl import _native
from osscl.export import export_onnx
from osscl.export.checkpoint import load_checkpoint
from osscl.machines.dcase import PUBLISHED_CLASSES
from osscl.scoring.rule import anomaly_score

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from published_step import NOISE, do_published_step
from reference_log_mel import reference_log_mel
from signals import signals

SHARED = Path(sys.argv[1])


def main() -> None:
    """Measure and print."""
    with np.load(SHARED / "reference" / "osscl_basic_outputs.npz") as stored:
        outputs = {name: stored[name] for name in stored.files}
    paths = [SHARED / "data" / "dcase2020" / str(path) for path in outputs["path"]]
    clips = np.stack([soundfile.read(path, dtype="int16")[0][:160_000] for path in paths])
    print_front_end(clips)
    print_network(clips, outputs)
    print_training_step()
    for front_end in ("native", "graph"):
        print_shipped_path(paths, outputs, front_end)


def print_front_end(clips: np.ndarray) -> None:
    """Log-mel of every instruction set against float64, and between instruction sets."""
    waveforms = [clip / np.float32(32768) for clip in clips] + list(signals().values())
    references = [reference_log_mel(waveform)[0] for waveform in waveforms]
    results = {}
    for isa in _native.instruction_sets():
        os.environ["OSSCL_ISA"] = isa
        results[isa] = [osscl.log_mel(waveform) for waveform in waveforms]
        print(f"log-mel {isa} against float64: {worst(results[isa], references)}")
    os.environ.pop("OSSCL_ISA")
    first, *others = results
    for isa in others:
        print(f"log-mel {isa} against {first}: {worst(results[isa], results[first])}")


def worst(got: list[np.ndarray], expected: list[np.ndarray]) -> str:
    """Largest error within 70 and 90 dB of each waveform's peak."""
    errors = {}
    for reach in (70.0, 90.0):
        pairs = zip(got, expected, strict=True)
        errors[reach] = max(np.abs(a - b)[b >= b.max() - reach].max() for a, b in pairs)
    return f"{errors[70.0]:.2e} dB within 70 dB, {errors[90.0]:.2e} dB within 90 dB of the peak"


def print_network(clips: np.ndarray, outputs: dict[str, np.ndarray]) -> None:
    """The PyTorch network against the published figures."""
    model = load_checkpoint(SHARED / "reference" / "osscl_basic.pth").model
    waveforms = torch.from_numpy(clips / np.float32(32768))
    with torch.inference_mode():
        for name in ("tgram", "tfgram"):
            for clip in (0, 17):
                expected = outputs[f"{name}_{clip}"]
                got = getattr(model.maps, name)(waveforms[clip : clip + 1])[0].numpy()
                error = np.abs(got - expected).max() / np.abs(expected).max()
                print(f"{name}, clip {clip}: relative error {error:.2e}")
        embedding, cosine = model(waveforms, torch.from_numpy(osscl.log_mel(clips)))
    score = anomaly_score(cosine.numpy(), outputs["label"], margin=0.4, scale=30.0)
    print_outputs("PyTorch", outputs, embedding.numpy(), cosine.numpy(), score)


def print_training_step() -> None:
    """One step of the published recipe against the published figures."""
    step = do_published_step(SHARED)
    for name, loss in (("loss_ce", step.losses.cross_entropy), ("loss_supcon", step.losses.contrastive)):
        print(f"training step, {name}: relative error {abs(loss.item() / step.expected[name] - 1):.1e}")
    gradients = step.expected["gradient_norm"]
    worst_gradient = max(
        abs(step.gradient_norm[name] - norm) / (5e-3 * norm + 1e-5)
        for name, norm in gradients.items()
        if name not in NOISE
    )
    print(f"training step, gradient norms: at most {worst_gradient:.1%} of the bound 5e-3 relative + 1e-5")
    errors = step.relative_state_errors()
    kinds = {name: "noise" if name in NOISE else name.rpartition(".")[2] for name in errors}
    for kind in ("weight", "running_mean", "running_var", "bias"):
        largest = max(error for name, error in errors.items() if kinds[name] == kind)
        print(f"training step, state after it, {kind}: largest relative error {largest:.1e}")
    median = np.median([errors[name] for name in gradients])
    print(f"training step, {len(gradients)} trained entries: median relative error {median:.1e}")


def print_shipped_path(paths: list[Path], outputs: dict[str, np.ndarray], front_end: str) -> None:
    """WAV -> C++ -> ONNX against the published figures."""
    machines = [PUBLISHED_CLASSES[label] for label in outputs["label"]]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        export_onnx(SHARED / "reference" / "osscl_basic.pth", path, front_end=front_end)
        with osscl.load(path) as detector:
            waveforms = np.stack([osscl.read_audio(path) for path in paths])
            got = detector._run(waveforms)
            score = detector.score(waveforms, machines).score
            print_outputs(f"shipped path, front end {front_end}", outputs, got.embedding, got.cosine, score)
        print_batches(path, paths, score)


def print_batches(model: Path, paths: list[Path], alone: np.ndarray) -> None:
    """Scores in batches of any size and order against single ones."""
    order = np.random.default_rng(0).permutation(len(paths))
    for batch_size in (1, 2, 8, 36):
        with osscl.load(model, batch_size=batch_size) as detector:
            records = detector.score_files([paths[i] for i in order])
            score = np.array([record.score for record in records])
        print(f"  batch {batch_size}, shuffled: score {np.abs(score - alone[order]).max():.2e}")


def print_outputs(
    what: str,
    outputs: dict[str, np.ndarray],
    embedding: np.ndarray,
    cosine: np.ndarray,
    score: np.ndarray,
) -> None:
    """Largest differences, and whether the ranks agree."""
    same = np.array_equal(rankdata(score), rankdata(outputs["score"]))
    print(
        f"{what}: embedding {np.abs(embedding - outputs['embedding']).max():.2e}, "
        f"cosine {np.abs(cosine - outputs['cosine']).max():.2e}, "
        f"score {np.abs(score - outputs['score']).max():.2e}, ranks {'identical' if same else 'DIFFER'}"
    )


if __name__ == "__main__":
    main()
