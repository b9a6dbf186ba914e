"""A training that never was, with a folder and a description as a real one has them."""

import math
from collections.abc import Sequence
from pathlib import Path

import msgspec

from osscl.config import CLIP, FRONTEND
from osscl.training.checkpoint import CheckpointInfo
from osscl.training.judging import judge
from osscl.training.progress import Best, Progress
from osscl.training.reports import METRICS_FILE, EpochReport, Report, StepReport
from osscl.training.separation import Confusion
from osscl.training.train_config import TrainConfig


def made_up_reports(epochs: int, steps: int) -> list[Report]:
    """Reports of a training whose loss falls from 10 and whose accuracy rises to 0.8."""
    reports: list[Report] = []
    for epoch in range(epochs):
        rate = 1e-3 * (0.55 + 0.45 * math.cos(math.pi * epoch / epochs))
        for step in range(steps):
            n_steps = epoch * steps + step + 1
            done = n_steps / (epochs * steps)
            reports.append(
                StepReport(
                    epoch=epoch + 1,
                    step=step + 1,
                    n_steps=n_steps,
                    learning_rate=rate,
                    loss=10 * (1 - done),
                    cross_entropy=9 * (1 - done),
                    contrastive=1 - done,
                    accuracy=0.8 * done,
                    clips_per_s=3.0,
                )
            )
        reports.append(
            EpochReport(
                epoch=epoch + 1,
                n_steps=n_steps,
                learning_rate=rate,
                loss=1.0,
                cross_entropy=1.0,
                contrastive=1.0,
                accuracy=0.5,
                clips_per_s=3.0,
                hold_out_loss=8 * (1 - done),
                hold_out_accuracy=done,
                hold_out_margin=0.1,
                initialisation_left=0.1,
                is_best=True,
            )
        )
    return reports


def made_up_training(
    folder: Path, classes: Sequence[str], confusion: Confusion, *, epochs: int = 3, steps: int = 4
) -> CheckpointInfo:
    """Write the metrics of such a training; gives what its last checkpoint says."""
    folder.mkdir(exist_ok=True)
    lines = [msgspec.json.encode(report) + b"\n" for report in made_up_reports(epochs, steps)]
    (folder / METRICS_FILE).write_bytes(b"".join(lines))
    n_clips = sum(map(sum, confusion))
    n_right = sum(row[own] for own, row in enumerate(confusion))
    n_steps = epochs * steps
    best = Best(
        epoch=epochs - 1,
        n_steps=n_steps,
        hold_out_loss=0.7,
        hold_out_accuracy=n_right / n_clips,
        hold_out_margin=0.1,
        confusion=confusion,
    )
    return CheckpointInfo(
        content="training_state",
        config=TrainConfig(epochs=epochs, ema_warmup=True),
        classes=tuple(classes),
        front_end=FRONTEND,
        clip=CLIP,
        front_end_sha256=FRONTEND.sha256,
        data_fingerprint="0" * 64,
        training_clips=("1" * 64,) * 20,
        hold_out_clips=("2" * 64,) * n_clips,
        progress=Progress(epoch=epochs, n_steps=n_steps, best=best),
        device="cpu (2 threads)",
        versions={},
        git_revision=None,
        verdict=judge(n_right, n_clips, [10] * len(classes), 0.1),
    )
