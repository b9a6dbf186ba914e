"""Float64 features of a machine's memory, written to be obviously right: what the native ones are held to."""

import itertools

import numpy as np
import numpy.typing as npt

from support.reference_log_mel import SAMPLE_RATE_HZ, reference_log_mel

Float64 = npt.NDArray[np.float64]

SHORT_FRAME = 256
SHORT_HOP = 64
BAND_STARTS = (1, 4, 8, 13, 19, 27, 37, 50, 67, 91)  # bins of 62.5 Hz; the last band ends with the spectrum
SLOW_HZ = (0.4, 0.8, 1.2, 1.7, 2.3, 3.0, 4.0, 5.2, 6.5, 8.0, 10.0, 12.5, 15.7)
FAST_HZ = (*range(2, 40, 2), *range(40, 125, 4))

DB_BOUNDS = {"level": 1e-3, "modulation": 5e-3, "flutter": 5e-3, "event": 1e-3}
"""How far a feature may lie from these, in decibels."""


def mean_of_neighbours(values: Float64, count: int) -> Float64:
    """[n, ...] -> [n // count, ...]"""
    mean: Float64 = values.reshape(-1, count, *values.shape[1:]).mean(axis=1)
    return mean


def spectrum_of_envelope(envelope: Float64, rate_hz: float, length: int, edges_hz: npt.ArrayLike) -> Float64:
    """One envelope [n_times] in decibels -> its mean power spectrum between the edges, in decibels."""
    spectra = []
    for start in range(0, len(envelope) - length + 1, length // 2):
        segment = envelope[start : start + length]
        spectra.append(np.abs(np.fft.rfft((segment - segment.mean()) * np.hanning(length))) ** 2)
    power = np.mean(spectra, axis=0) / length
    bin_hz = np.arange(len(power)) * rate_hz / length
    edges = np.asarray(edges_hz, dtype=np.float64)
    pools = [power[(bin_hz >= a) & (bin_hz < b)].mean() for a, b in itertools.pairwise(edges)]
    return 10.0 * np.log10(np.array(pools) + 1e-6)


def short_frame_envelopes(waveform: Float64) -> Float64:
    """[n_samples] -> power of short frames in ten bands [10, n_frames], in decibels, -70 at least."""
    frames = np.lib.stride_tricks.sliding_window_view(waveform, SHORT_FRAME)[::SHORT_HOP]
    hann = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(SHORT_FRAME) / SHORT_FRAME)
    power = np.abs(np.fft.rfft(frames * hann, axis=1)) ** 2  # [n_frames, 129]
    bands = np.add.reduceat(power, BAND_STARTS, axis=1).T
    return 10.0 * np.log10(np.maximum(bands, 1e-7))


def reference_features(waveform: npt.ArrayLike, log_mel: npt.ArrayLike | None = None) -> dict[str, Float64]:
    """Features of one clip [n_samples] at full scale ±1, in float64 throughout; by the name of the block.

    `log_mel` [128, n_frames]: another one than that of float64 arithmetic.
    """
    x = np.asarray(waveform, dtype=np.float64)
    log_mel = reference_log_mel(x)[0] if log_mel is None else np.asarray(log_mel, dtype=np.float64)
    bands = mean_of_neighbours(log_mel, 4)  # [32, n_frames]
    level = bands.mean(axis=1)
    three = np.lib.stride_tricks.sliding_window_view(bands, 3, axis=1).mean(axis=2)
    groups = mean_of_neighbours(log_mel, 8)  # [16, n_frames]
    slow = [spectrum_of_envelope(e, SAMPLE_RATE_HZ / 512, 128, SLOW_HZ) for e in groups]
    fast = [
        spectrum_of_envelope(e, SAMPLE_RATE_HZ / SHORT_HOP, 250, FAST_HZ) for e in short_frame_envelopes(x)
    ]
    return {
        "level": level,
        "modulation": mean_of_neighbours(np.array(slow), 2).ravel(),
        "flutter": mean_of_neighbours(np.array(fast), 2).ravel(),
        "event": three.max(axis=1) - level,
    }
