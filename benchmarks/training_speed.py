"""Prints the speed of training: batches read and transformed, steps, and the front end's share of a step.

usage: python benchmarks/training_speed.py DATA [--device cuda] [--beside-pytorch] [--steps N] [--workers N]

DATA has <type>/train. Steps are those of the published recipe at batches of 16 and 64, without hold-out.

--beside-pytorch prints instead, on a CPU, steps from files to averaged weights: ours beside those of plain
PyTorch (DataLoader, log-mel in torch, PyTorch's own pooling), each in a process of its own, in turn.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from comparing.published_training import seconds_of_steps as published_seconds

from osscl.frontend import log_mel
from osscl.training import Execution, read_training_data, train
from osscl.training.clip_reader import ClipReader
from osscl.training.hold_out import split_hold_out
from osscl.training.loader import Loader
from osscl.training.memory import keep_freed_memory
from osscl.training.mixup import draw_mixing
from osscl.training.order import Planned, TrainingOrder, n_batches
from osscl.training.state import TrainingState
from osscl.training.step import Batch, training_step
from osscl.training.train_config import TrainConfig

NAMES = ("waveform", "log_mel")
WAYS = ("pytorch", "ours")


def reading_rate(data, workers: int) -> float:
    """Clips per second that workers read and transform, after the first four batches."""
    reader = ClipReader(data.clips, [data.label(clip) for clip in data.clips], len(data.classes), NAMES)
    n_epochs = -(-1000 // len(data.clips)) + 1
    order = TrainingOrder(len(data.clips), 16, seed=0, epochs=n_epochs)
    with Loader(reader, order, workers=workers) as batches:
        for _ in range(4):
            next(batches)
        start, n_clips = time.perf_counter(), 0
        for batch in batches:
            n_clips += len(batch.labels)
            if n_clips >= 900:
                break
        return n_clips / (time.perf_counter() - start)


def front_end_ms(batch: Batch) -> float:
    """Milliseconds a clip of the log-mel on one thread, median of 15."""
    samples = batch.inputs[0].numpy()
    times = []
    for _ in range(15):
        start = time.perf_counter()
        log_mel(samples, threads=1)
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times) / len(samples)


def step_ms(state: TrainingState, batch: Batch, config: TrainConfig, n_steps: int) -> float:
    """Milliseconds a clip of one step, averaging included, median."""
    device = batch.labels.device
    times = []
    for step in range(n_steps + 2):
        start = time.perf_counter()
        mixing = draw_mixing(0, 0, step, len(batch.labels), device)
        training_step(state.model, state.optimizer, batch, mixing, config)
        state.average.update(step, warmup=False)
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times[2:]) / len(batch.labels)


def times_of_way(arguments: argparse.Namespace) -> list[float]:
    """Seconds of steps from files to averaged weights, the first two left out: those of one way."""
    data = read_training_data([arguments.data])
    config = TrainConfig(
        precision=arguments.precision, learning_rate=1e-5, batch_size=arguments.batch_size, epochs=10**6
    )
    n_steps = arguments.steps + 2
    n_training = len(split_hold_out(data, config.hold_out, config.seed).training)
    if n_batches(n_training, config.batch_size) <= n_steps:
        raise SystemExit(f"{n_training} clips to train on; an epoch must have more than {n_steps} steps")
    if arguments.way == "pytorch":
        return published_seconds(data, config, n_steps, arguments.workers)[2:]
    times: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        train(
            data,
            Path(folder) / "run",
            config,
            Execution(device="cpu", workers=arguments.workers),
            listener=lambda _: times.append(time.perf_counter()),
            should_stop=lambda: len(times) > n_steps,
        )
    return np.diff(times[2:]).tolist()


def compare_ways(arguments: argparse.Namespace) -> None:
    """Print the speed of both ways, measured in turn."""
    for precision in ("fp32", "bf16"):
        times: dict[str, list[float]] = {way: [] for way in WAYS}
        for _ in range(arguments.rounds):
            for way in WAYS:
                options = ("--way", way, "--precision", precision, "--steps", str(arguments.steps))
                more = ("--workers", str(arguments.workers), "--batch-size", str(arguments.batch_size))
                command = [sys.executable, __file__, arguments.data, *options, *more]
                times[way] += json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        rates = {way: arguments.batch_size / statistics.median(each) for way, each in times.items()}
        print(
            f"cpu {precision}, batch {arguments.batch_size}, from files: PyTorch's way "
            f"{rates['pytorch']:.2f} clips/s, ours {rates['ours']:.2f} clips/s, "
            f"{rates['ours'] / rates['pytorch']:.2f} times as fast (median of {len(times['ours'])} steps)"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--beside-pytorch", action="store_true")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way is not None:
        print(json.dumps(times_of_way(arguments)))
        return
    if arguments.beside_pytorch:
        compare_ways(arguments)
        return
    device = Execution(device=arguments.device).torch_device()
    data = read_training_data([arguments.data])
    for workers in (1, 2):
        print(f"read and transformed with {workers} workers: {reading_rate(data, workers):.0f} clips/s")
    if device.type == "cpu":
        keep_freed_memory()
    labels = [data.label(clip) for clip in data.clips]
    reader = ClipReader(data.clips, labels, len(data.classes), NAMES)
    for precision in ("fp32", "bf16"):
        config = TrainConfig(precision=precision, learning_rate=1e-5)
        for size in (16, 64):
            state = TrainingState(config, data.classes, device)
            numbers = np.resize(np.arange(len(data.clips)), size).tolist()
            batch = next(Loader(reader, [list(map(Planned, numbers))], workers=0))
            share = front_end_ms(batch)
            there = batch.to(device)
            ms = step_ms(state, there, config, arguments.steps)
            print(
                f"{device} {precision}, batch {size}: {ms:.2f} ms a clip, {1000 / ms:.1f} clips/s; "
                f"front end {share:.3f} ms, {share / ms:.2%} of a step"
            )


if __name__ == "__main__":
    main()
