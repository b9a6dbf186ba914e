"""Prints the speed of training: batches read and transformed, steps, and the front end's share of a step.

usage: python benchmarks/training_speed.py DATA [--device cuda]

DATA has <type>/train. Steps are those of the published recipe at batches of 16 and 64, without hold-out.
"""

import argparse
import statistics
import time

import numpy as np
import torch

from osscl.frontend import log_mel
from osscl.training import Execution, read_training_data
from osscl.training.clip_reader import ClipReader
from osscl.training.loader import Loader
from osscl.training.memory import keep_freed_memory
from osscl.training.mixup import draw_mixing
from osscl.training.order import Planned, TrainingOrder
from osscl.training.state import TrainingState
from osscl.training.step import Batch, training_step
from osscl.training.train_config import TrainConfig

NAMES = ("waveform", "log_mel")


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


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--steps", type=int, default=5)
    arguments = parser.parse_args()
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
            there = Batch(tuple(x.to(device) for x in batch.inputs), batch.labels.to(device))
            ms = step_ms(state, there, config, arguments.steps)
            print(
                f"{device} {precision}, batch {size}: {ms:.2f} ms a clip, {1000 / ms:.1f} clips/s; "
                f"front end {share:.3f} ms, {share / ms:.2%} of a step"
            )


if __name__ == "__main__":
    main()
