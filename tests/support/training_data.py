"""Small folders of recordings to train on, and the smallest recipe."""

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from osscl.training.train_config import TrainConfig

MACHINES = ("fan/id_00", "fan/id_02", "pump/id_00")


def write_recordings(root: Path, n_of_machine: int = 4, machines: tuple[str, ...] = MACHINES) -> Path:
    """DCASE folder of tones in noise, each machine with its own pitch."""
    for number, machine in enumerate(machines):
        machine_type, machine_id = machine.split("/")
        folder = root / machine_type / "train"
        folder.mkdir(parents=True, exist_ok=True)
        for i in range(n_of_machine):
            path = folder / f"normal_{machine_id}_{i:08d}.wav"
            write_tone(path, 300.0 * (number + 1), seed=zlib.crc32(machine.encode()) + i)
    return root


def write_tone(path: Path, hz: float, *, seed: int, rate_hz: int = 16_000) -> None:
    """Ten seconds of a tone in noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(10 * rate_hz) / rate_hz
    sound = 0.2 * np.sin(2 * np.pi * hz * t + rng.uniform(0, 6)) + 0.05 * rng.standard_normal(len(t))
    soundfile.write(path, sound, rate_hz, subtype="PCM_16")


def write_array_recordings(root: Path, n_of_machine: int = 3, machines: tuple[str, ...] = MACHINES) -> Path:
    """The same layout from an array of microphones: eight channels of their own, 48 kHz, six seconds."""
    for number, machine in enumerate(machines):
        machine_type, machine_id = machine.split("/")
        folder = root / machine_type / "train"
        folder.mkdir(parents=True, exist_ok=True)
        for i in range(n_of_machine):
            rng = np.random.default_rng([number, i])
            t = np.arange(6 * 48_000)[:, np.newaxis] / 48_000
            hz = 300.0 * (number + 1) + 10.0 * np.arange(8)
            sound = 0.2 * np.sin(2 * np.pi * hz * t) + 0.05 * rng.standard_normal((len(t), 8))
            soundfile.write(folder / f"normal_{machine_id}_{i:08d}.wav", sound, 48_000, subtype="PCM_16")
    return root


def small_recipe(**changes: Any) -> TrainConfig:
    """Two short epochs of the cheapest network."""
    settings: dict[str, Any] = {
        "seed": 5,
        "epochs": 2,
        "batch_size": 3,
        "learning_rate": 1e-3,
        "inputs": "log_mel",
        "ema_warmup": True,
        "hold_out": 0.2,
    }
    return TrainConfig(**settings | changes)
