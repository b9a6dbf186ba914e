"""What gpu.py measures on one card, a function for each figure of its table."""

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

import osscl
from comparing.eager_gpu import EagerBatches, EagerOnGpu
from comparing.rounds import in_rounds
from osscl import frontend
from osscl.backends.gpu.card import Card
from osscl.bench.card_lines import BATCHES
from osscl.bench.card_stages import CardBatch, CardFrontEnd, CardNetwork
from osscl.bench.rounds import Work
from osscl.bench.stages import batches_of
from osscl.config import FRONTEND
from osscl.cuda.device import Device
from osscl.evaluation.accuracy import measure_accuracy
from osscl.evaluation.gate_limits import GateLimits
from osscl.machines.dcase import PUBLISHED_CLASSES
from osscl.model_file.bundle import read_bundle
from osscl.training.mixup import draw_mixing
from osscl.training.state import TrainingState
from osscl.training.step import Batch, training_step
from osscl.training.train_config import TrainConfig

FRONT_END_BATCH, MAX_FRONT_END_US = 256, 2.0
EAGER_BATCHES = (1, 8, 16, 32, 64, 128, 256)
MAX_SCORE_ERROR = 5e-4
N_STEPS, STEP_BATCH, _N_FIRST_STEPS = 200, 64, 5
SECONDS, ROUNDS = 0.5, 7
LIMITS = GateLimits()
_MAX_ERROR_DB = {70.0: 1e-3, 90.0: 1e-2}
_MIN_TO_EAGER = {"batch 1": 8.0, "its best batch": 2.0}


Way = tuple[str, str]
"""Device and backend."""


class Figure(NamedTuple):
    """A row of the table.

    Attributes
    ----------
    what, bound, measured : str
        As they stand in RESULTS.md.
    passed : bool or None
        None where there is no bound.
    """

    what: str
    bound: str
    measured: str
    passed: bool | None = None


def log_mel_errors(device: Device, clips: np.ndarray, name: str) -> Iterator[Figure]:
    """The card's log-mel of clips [N, 160000] beside the CPU's."""
    with device.active(), ExitStack() as opened:
        batch = CardBatch(clips, FRONTEND, opened)
        batch.transform()
        got = batch.fetch()
    expected = frontend.log_mel(clips)
    for reach, bound in _MAX_ERROR_DB.items():
        is_loud = expected >= expected.max(axis=(1, 2), keepdims=True) - reach
        error = float(np.abs(got - expected)[is_loud].max())
        what = f"CUDA log-mel against the CPU's, {len(clips)} {name}, within {reach:g} dB of the peak"
        yield Figure(what, f"{bound:g} dB", f"{error:.2e} dB", error <= bound)


def front_end_time(device: Device, clips: np.ndarray) -> Figure:
    """Microseconds a clip of the card's front end alone."""
    repetition = CardFrontEnd(device, list(clips), FRONTEND, FRONT_END_BATCH).run(2.0)
    us = 1e6 * repetition.elapsed_s / repetition.n_clips
    what = f"CUDA log-mel at batch {FRONT_END_BATCH}"
    return Figure(what, f"{MAX_FRONT_END_US:g} µs a clip", f"{us:.2f} µs a clip", us <= MAX_FRONT_END_US)


def score_errors(model: Path, way: Way, clips: np.ndarray, outputs: dict[str, np.ndarray]) -> Figure:
    """Scores of the GPU path beside the published figures; the model is made from the same weights."""
    machines = [PUBLISHED_CLASSES[label] for label in outputs["label"]]
    with osscl.load(model, *way) as detector:
        scores = detector.score(clips, machines).score
        by = f"{detector.facts['backend']} {detector.facts['backend_version']}"
    error = float(np.abs(scores - outputs["score"]).max())
    what = f"scores of {len(clips)} reference clips, {read_bundle(model).manifest.network.precision}, {by}"
    return Figure(what, f"{MAX_SCORE_ERROR:g}", f"{error:.2e}", error <= MAX_SCORE_ERROR)


def reduced_precision(fp32: Path, reduced: Path, way: Way, clips: Path, name: str) -> Iterator[Figure]:
    """The accuracy gate of a reduced precision."""
    device, backend = way
    found = measure_accuracy(
        read_bundle(fp32),
        read_bundle(reduced),
        clips,
        name,
        device=device,
        backend=backend,
        on_record=lambda _: None,
    )
    what = (
        f"{read_bundle(reduced).manifest.network.precision}, {found.backend}, {found.n_clips} clips ({name})"
    )
    rank = found.rank_correlation
    least = LIMITS.min_rank_correlation
    yield Figure(f"{what}: rank correlation", f"{least}", f"{rank:.6f}", rank >= least)
    if found.auc is not None and found.auc_fp32 is not None:
        change = found.auc - found.auc_fp32
        passed = abs(change) <= LIMITS.max_auc_change
        yield Figure(f"{what}: AUC change", f"{LIMITS.max_auc_change}", f"{change:+.5f}", passed)


def throughput(
    models: Sequence[Path], device: str, checkpoint: Path, clips: np.ndarray, on_round: Callable[[int], None]
) -> Iterator[Figure]:
    """Samples in the host's memory to scores, beside eager PyTorch on the same card in the same rounds."""
    eager = EagerOnGpu(checkpoint, device)
    with ExitStack() as opened:
        ours = {}
        for model in models:
            detector = opened.enter_context(osscl.load(model, device))
            ours |= _ways_of(detector, list(clips))
        theirs = _eager_ways(eager, list(clips))
        in_rounds([*ours.values(), *theirs.values()], ROUNDS, on_round)
    for name, work in ours.items():
        rate, idle = work.clips_per_s, work.idle_share or 0.0
        yield Figure(f"samples in memory to outputs, {name}", "", f"{rate:.0f} clips/s, {idle:.1%} idle")
    for size, work in theirs.items():
        yield Figure(f"PyTorch eager fp32, batch {size}", "", f"{work.clips_per_s:.0f} clips/s")
    best = max(work.clips_per_s for work in ours.values())
    rates = theirs[1].clips_per_s, max(work.clips_per_s for work in theirs.values())
    for (name, bound), rate in zip(_MIN_TO_EAGER.items(), rates, strict=True):
        what = f"best of these to PyTorch eager at {name}"
        yield Figure(what, f"{bound:g}", f"{best / rate:.1f}", best / rate >= bound)


def _ways_of(detector: osscl.Detector, clips: list[np.ndarray]) -> dict[str, Work]:
    card = detector.backend
    assert isinstance(card, Card)
    facts = card.facts
    is_pinned = facts["front_end"] == "cuda"  # else the host makes inputs of its own
    sizes = dict.fromkeys([*(size for size in BATCHES if size < card.max_batch), card.max_batch])
    return {
        f"{facts['backend']} {facts['precision']}, batch {size}": Work(
            CardNetwork(card, clips, size, is_pinned).run, SECONDS
        )
        for size in sizes
    }


def _eager_ways(eager: EagerOnGpu, clips: list[np.ndarray]) -> dict[int, Work]:
    """Batch sizes that the card's memory holds."""
    ways = {}
    for size in EAGER_BATCHES:
        batches = EagerBatches(eager, batches_of(clips, size)[:2])
        try:
            batches.run(0.0)
        except torch.cuda.OutOfMemoryError:
            break
        ways[size] = Work(batches.run, SECONDS)
    return ways


def training_rate(device: str, clips: np.ndarray, precision: str) -> Figure:
    """Clips a second of the published recipe's steps, all of them timed together."""
    where = torch.device(device)
    config = TrainConfig(precision=precision, learning_rate=1e-5)
    state = TrainingState(config, PUBLISHED_CLASSES, where)
    samples = np.stack(list(itertools.islice(itertools.cycle(clips), STEP_BATCH)))  # [B, 160000]
    inputs = {"waveform": samples, "log_mel": frontend.log_mel(samples)}
    batch = Batch(
        tuple(torch.from_numpy(inputs[name]).to(where) for name in state.model.input_names),
        torch.arange(STEP_BATCH, device=where) % len(PUBLISHED_CLASSES),
    )
    start = 0.0
    for step in range(_N_FIRST_STEPS + N_STEPS):
        if step == _N_FIRST_STEPS:
            _wait_for(where)
            start = time.perf_counter()
        mixing = draw_mixing(0, 0, step, STEP_BATCH, where)
        training_step(state.model, state.optimizer, batch, mixing, config)
        state.average.update(step, warmup=False)
    _wait_for(where)
    rate = N_STEPS * STEP_BATCH / (time.perf_counter() - start)
    return Figure(f"training, {precision}, {N_STEPS} steps of {STEP_BATCH} clips", "", f"{rate:.0f} clips/s")


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
