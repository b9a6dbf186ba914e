"""Ten-second test signals, float32 at full scale ±1."""

import numpy as np
import numpy.typing as npt

N_SAMPLES = 160_000
SAMPLE_RATE_HZ = 16_000


def signals() -> dict[str, npt.NDArray[np.float32]]:
    """Name -> waveform [160000]: the signals on which a front end is easily wrong."""
    rng = np.random.default_rng(20)
    t = np.arange(N_SAMPLES) / SAMPLE_RATE_HZ
    impulse = np.zeros(N_SAMPLES)
    impulse[80_001] = 1.0
    waveforms = {
        "white noise": 0.1 * rng.standard_normal(N_SAMPLES),
        "silence": np.zeros(N_SAMPLES),
        "full-scale square": np.where(np.sin(2 * np.pi * 100.3 * t) >= 0.0, 1.0, -1.0),
        "DC": np.ones(N_SAMPLES),
        "DC with faint noise": 0.9 + 1e-4 * rng.standard_normal(N_SAMPLES),
        "impulse": impulse,
        "sine": np.sin(2 * np.pi * 1000.0 * t),
        "low sine": np.sin(2 * np.pi * 37.7 * t),
        "chirp": np.sin(2 * np.pi * (20.0 * t + 0.5 * (7900.0 - 20.0) / 10.0 * t**2)),
    }
    return {name: waveform.astype(np.float32) for name, waveform in waveforms.items()}
