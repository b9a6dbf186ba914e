"""Recordings of machines that are cheap to make: noise whose spectrum is the machine's, and differs a little."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

RATE_HZ = 16_000
N_SAMPLES = 160_000


def clip(
    seed: int, *, machine: int = 0, pitch: float = 1.0, n_samples: int = N_SAMPLES
) -> npt.NDArray[np.int16]:
    """Noise and a hum of a machine; another pitch is a fault."""
    rng = np.random.default_rng([machine, seed])
    time_s = np.arange(n_samples) / RATE_HZ
    noise = rng.standard_normal(n_samples) * 10 ** rng.normal(-1.6, 0.03)
    hum = 0.1 * np.sin(2 * np.pi * (200 + 40 * machine) * pitch * time_s + rng.uniform(0, 6))
    swell = 1 + 0.3 * np.sin(2 * np.pi * (2 + machine % 5) * time_s)
    return np.asarray((noise * swell + hum) * 32767, np.int16)


def write_normals(
    folder: Path,
    n: int,
    *,
    machine: int = 0,
    first: int = 0,
    name: str = "normal_id_00",
    rate_hz: int = RATE_HZ,
) -> list[Path]:
    """Write n clips of a machine into a folder, which is made; their numbers begin with `first`."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}_{number:08d}.wav" for number in range(first, first + n)]
    for number, path in enumerate(paths, first):
        soundfile.write(path, clip(number, machine=machine), rate_hz)
    return paths
