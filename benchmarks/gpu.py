"""Measures every figure that osscl owes on a GPU, and prints them as a table for RESULTS.md and as JSON.

usage: python benchmarks/gpu.py MODEL REFERENCE_FOLDER [--device cuda:N] [--gate CLIPS] [--json OUT]

MODEL is an fp32 model file of osscl-export, or demo; it is also exported in fp16. REFERENCE_FOLDER has
reference/osscl_basic.pth and, for the figures on the 36 published clips, reference/osscl_basic_outputs.npz
and data/dcase2020. CLIPS is the folder of recordings for the accuracy gate, by default the gate set of osscl
synth. Needs the extras train, export and tensorrt or cuda, and PyTorch for CUDA.

Exit code 1 if there is no GPU, or if a figure misses its bound or cannot be measured, for any other reason
than that TensorRT or ONNX Runtime for GPUs is not installed.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import closing
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
import soundfile
import torch
from comparing import card
from comparing.card import Figure

from osscl.backends import ComputeOptions
from osscl.bench import Benchmark, BenchmarkPlan, run_benchmark
from osscl.bench.machine import machine_facts
from osscl.config import CLIP
from osscl.cuda.devices import named_devices, open_device
from osscl.cuda.front_end import front_end_code, reason_without
from osscl.errors import DeviceError, MissingExtraError, OssclError
from osscl.evaluation.accuracy import gate_clips
from osscl.export import export_onnx
from osscl.model_file.bundle import read_bundle
from osscl.model_file.golden import golden_clips

N_GOLDEN = 9
BACKENDS = ("onnxruntime", "tensorrt")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("reference_folder", type=Path)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--gate", type=Path)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if not checkpoint_of(arguments.reference_folder).is_file():
        parser.error(f"there is no {checkpoint_of(arguments.reference_folder)}")
    if arguments.gate is not None and not arguments.gate.is_dir():
        parser.error(f"there is no folder {arguments.gate}")
    try:
        device = open_device(named_devices(arguments.device)[0])
        with closing(device):
            document = measure(arguments, device)
    except OssclError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if arguments.json:
        arguments.json.write_bytes(document)
    figures = msgspec.json.decode(document)["figures"]
    return int(any(figure["passed"] is False for figure in figures))


def measure(arguments: argparse.Namespace, device: card.Device) -> bytes:
    """All figures of one card, as JSON; printed as they come."""
    name = f"cuda:{device.index}"
    folder, checkpoint = arguments.reference_folder, checkpoint_of(arguments.reference_folder)
    figures: list[Figure] = []
    benchmarks: list[Benchmark] = []
    machine = machine_facts(device)
    print(f"{device.name}, {machine.cpu}; PyTorch {torch.__version__}; {machine.versions}\n")
    print("| what | bound | measured |\n|---|---|---|")
    golden = golden_clips(N_GOLDEN)
    outputs, clips = published_clips(folder)
    add = partial(add_figures, figures)
    for precision in ("fp32", "bf16"):
        add("training", lambda precision=precision: [card.training_rate(name, golden, precision)])
    with tempfile.TemporaryDirectory() as made, gate_clips(arguments.gate, lambda: None) as (gate, gate_name):
        published, fp16 = Path(made) / "published.onnx", Path(made) / "fp16.onnx"
        add("fp32 model of the reference", lambda: export(checkpoint, published))
        fp32 = read_bundle(arguments.model).path
        add("fp16 model", lambda: export(fp32, fp16, precision="fp16", gate=gate))
        models = [path for path in (fp32, fp16) if path.is_file()]
        if front_end_code() is None:
            add("CUDA log-mel", no_front_end)
        else:
            add("CUDA log-mel", lambda: card.log_mel_errors(device, golden, "golden clips"))
            if clips is not None:
                add("CUDA log-mel", lambda: card.log_mel_errors(device, clips, "reference clips"))
            add("CUDA log-mel's time", lambda: [card.front_end_time(device, golden)])
        for backend in BACKENDS:
            way = name, backend
            if clips is not None:
                add(f"scores, {backend}", lambda way=way: [card.score_errors(published, way, clips, outputs)])
            add(f"fp16, {backend}", lambda way=way: card.reduced_precision(fp32, fp16, way, gate, gate_name))
        add("throughput", lambda: card.throughput(models, name, checkpoint, golden, show_progress))
        for model in models:
            add("osscl bench", lambda model=model: bench(model, name, benchmarks))
    found = {
        "machine": machine,
        "torch": str(torch.__version__),
        "figures": [each._asdict() for each in figures],
    }
    document = msgspec.json.format(msgspec.json.encode(found | {"benchmarks": benchmarks})) + b"\n"
    print(f"\n{document.decode()}", end="")
    return document


def add_figures(figures: list[Figure], what: str, measured: Callable[[], Iterable[Figure]]) -> None:
    """Print what is measured; what cannot be is said."""
    start = len(figures)
    try:
        figures.extend(measured())
    except MissingExtraError as error:
        figures.append(Figure(what, "", f"not measured: {error}"))
    except Exception as error:  # noqa: BLE001 - whatever it is, the rest goes on: cards are scarce
        figures.append(Figure(what, "", f"not measured: {error}", passed=False))
    for figure in figures[start:]:
        missed = " (missed)" if figure.passed is False and figure.bound else ""
        print(f"| {figure.what} | {figure.bound} | {figure.measured}{missed} |", flush=True)


def export(source: Path, path: Path, **options: object) -> Iterable[Figure]:
    """Export a model; no figure comes of it."""
    export_onnx(source, path, **options)
    return ()


def no_front_end() -> Iterable[Figure]:
    """Say why nothing is measured of it."""
    raise DeviceError(f"the front end for CUDA cannot be used: {reason_without()}")


def bench(model: Path, device: str, benchmarks: list[Benchmark]) -> Iterable[Figure]:
    """Engine alone and end to end, with their shares of the ceilings."""
    found = run_benchmark(model, BenchmarkPlan(compute=ComputeOptions(device)), lambda *_: None)
    benchmarks.append(found)
    for line in found.measurements:
        if line.stage in ("engine", "end_to_end"):
            shares = {"of the matrix-product peak": line.peak_share, "of the copies": line.copy_share}
            told = [f"{share:.1%} {of}" for of, share in shares.items() if share is not None]
            what = f"{line.stage.replace('_', ' ')}, {found.computed_by['backend']} {found.model.precision}"
            rate = f"{line.clips_per_s:.0f} clips/s"
            yield Figure(f"{what}, batch {line.batch_size}", "", ", ".join([rate, *told]))


def checkpoint_of(folder: Path) -> Path:
    """The published weights."""
    return folder / "reference" / "osscl_basic.pth"


def published_clips(folder: Path) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
    """Published outputs and the clips [36, 160000] that they are of, where the folder has both."""
    path, data = folder / "reference" / "osscl_basic_outputs.npz", folder / "data" / "dcase2020"
    if not (path.is_file() and data.is_dir()):
        return {}, None
    with np.load(path) as stored:
        outputs = {name: stored[name] for name in stored.files}
    paths = [data / str(each) for each in outputs["path"]]
    return outputs, np.stack([soundfile.read(each, dtype="int16")[0][: CLIP.n_samples] for each in paths])


def show_progress(number: int) -> None:
    """One more round is done."""
    if sys.stderr.isatty():
        print(f"\rround {number + 1} ", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
