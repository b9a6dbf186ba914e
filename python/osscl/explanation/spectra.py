"""Spectra of envelopes: lines in them, and what these are multiples of."""

import numpy as np
import numpy.typing as npt

from osscl.explanation.scales import Pools

Floats = npt.NDArray[np.float64]

LINE_PROMINENCE = 25.0
"""What a line stands out by above the median around it; of noise, a peak reaches 5 to 15 times that."""

_PADDED = 2
"""Points of a spectrum for each that the envelope gives, at least: peaks are read between them."""
_SPECTRUM_OFFSET = 1e-6
_MAX_HARMONIC = 6
_HARMONIC_SHARE = 0.15
"""Power that a rate has, of that of its strongest multiple, where it is what they are multiples of."""
_WIDTH_HZ, _WIDTH = 0.25, 0.015
_AROUND_OCTAVES = 0.7


def fine_spectra(levels: Floats, frames_hz: float) -> tuple[Floats, Floats]:
    """Power spectra of whole envelopes.

    Parameters
    ----------
    levels : ndarray of float64, [m, T]
        Envelopes.
    frames_hz : float
        Their sample rate.

    Returns
    -------
    rates_hz : ndarray of float64, [F]
        From 0 to half the sample rate.
    power : ndarray of float64, [m, F]
        Square of the envelopes' unit.
    """
    n_times = levels.shape[1]
    centred = (levels - levels.mean(1, keepdims=True)) * np.hanning(n_times)
    n_points = power_of_two(_PADDED * n_times)
    power = np.abs(np.fft.rfft(centred, n_points, axis=1)) ** 2 / n_times
    return np.fft.rfftfreq(n_points, 1.0 / frames_hz), power


def pooled_spectra(levels: Floats, pools: Pools) -> Floats:
    """Spectra of envelopes as the features have them.

    Parameters
    ----------
    levels : ndarray of float64, [2 n, T]
        Envelopes in dB.
    pools : Pools
        How they are summed up.

    Returns
    -------
    ndarray of float64, [n, p]
        Mean power of half overlapping segments in each pool, dB; the mean of two neighbours.
    """
    segments = np.lib.stride_tricks.sliding_window_view(levels, pools.segment, 1)[:, :: pools.segment // 2]
    centred = (segments - segments.mean(-1, keepdims=True)) * np.hanning(pools.segment)
    power = (np.abs(np.fft.rfft(centred)) ** 2).mean(1) / pools.segment  # [2 n, bins]
    rates_hz = np.arange(power.shape[1]) * (pools.frames_hz / pools.segment)
    edges = np.searchsorted(rates_hz, pools.edges_hz)
    up_to = np.pad(np.cumsum(power, 1), ((0, 0), (1, 0)))  # power below each bin
    means = np.diff(up_to[:, edges], axis=1) / np.diff(edges)
    decibels = 10.0 * np.log10(means + _SPECTRUM_OFFSET)
    return np.asarray(0.5 * (decibels[::2] + decibels[1::2]))


def power_of_two(at_least: int) -> int:
    """The next one, which Fourier transforms are quick with."""
    return 1 << (at_least - 1).bit_length()


def power_at(rates_hz: Floats, power: Floats, rate_hz: float) -> Floats:
    """Power [..., F] around a rate, summed, [...]."""
    return np.asarray(power[..., _near(rates_hz, rate_hz)].sum(-1))


def fundamental(rates_hz: Floats, power: Floats) -> float:
    """What the strongest line of a spectrum [F] is a multiple of; itself, where that is none."""
    strongest = float(rates_hz[np.argmax(power)])
    peak = power_at(rates_hz, power, strongest)
    best = strongest
    for divisor in range(2, _MAX_HARMONIC + 1):
        if power_at(rates_hz, power, strongest / divisor) > _HARMONIC_SHARE * peak:
            best = strongest / divisor
    weights = np.where(_near(rates_hz, best), power, 0.0) ** 2
    return float(weights @ rates_hz / weights.sum())


def prominence(rates_hz: Floats, power: Floats, rate_hz: float) -> float:
    """How many times the median around it the spectrum [F] reaches at a rate."""
    near = _near(rates_hz, rate_hz)
    octaves = np.abs(np.log2(np.maximum(rates_hz, 1e-9) / rate_hz))
    around = power[(octaves < _AROUND_OCTAVES) & ~near]
    return float(power[near].max() / max(np.median(around), 1e-30)) if around.size else 0.0


def is_multiple(rate_hz: float, of_hz: float) -> bool:
    """Whether a rate is, but for 3 %, another one or a whole multiple of it."""
    times = round(rate_hz / of_hz)
    return times >= 1 and abs(rate_hz / of_hz / times - 1.0) <= 0.03


def _near(rates_hz: Floats, rate_hz: float) -> npt.NDArray[np.bool_]:
    return np.abs(rates_hz - rate_hz) <= max(_WIDTH_HZ, _WIDTH * rate_hz)
