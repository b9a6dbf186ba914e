"""At which rate a clip is modulated more than normal ones."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_PADDED = 4
"""Points of the spectrum for each that the envelope gives: peaks are read between them."""
_MIN_Z = 1.0
_MAX_HARMONIC = 6
_HARMONIC_WIDTH_HZ = 0.25
_HARMONIC_WIDTH = 0.015
_HARMONIC_SHARE = 0.15
_SPECTRUM_OFFSET = 1e-6


class Rate(NamedTuple):
    """A modulation that is stronger than in normal clips.

    Attributes
    ----------
    rate_hz : float
        Its rate; of several that are multiples of one, that one.
    change_db : float
        How far it lies above normal, in the bands where it is heard.
    first, end : int
        The bands `first` to `end` - 1.
    """

    rate_hz: float
    change_db: float
    first: int
    end: int


class Envelopes(NamedTuple):
    """Envelopes of one clip, and what a memory says of their spectra.

    Attributes
    ----------
    levels : ndarray of float64, [2 n, T]
        Envelopes in dB; two neighbours make a band.
    frames_hz : float
        Their sample rate.
    pool_edges_hz : ndarray of float64, [p + 1]
        Edges of the pools of their spectra.
    spectra : ndarray of float64, [n, p]
        The clip's features, dB.
    change : ndarray of float64, [n, p]
        How far they lie from normal ones, dB.
    z : ndarray of float64, [n, p]
        The same in spreads.
    """

    levels: Floats
    frames_hz: float
    pool_edges_hz: Floats
    spectra: Floats
    change: Floats
    z: Floats


def raised_rate(heard: Envelopes) -> Rate | None:
    """Find the modulation that is raised most.

    Parameters
    ----------
    heard : Envelopes
        Of one clip.

    Returns
    -------
    Rate or None
        None where no rate is raised.
    """
    rates_hz, excess = _excess(heard)  # [F], [n, F]
    total = excess.sum(0)
    if not total.any():
        return None
    rate_hz = _fundamental(rates_hz, total)
    bands = _power_near(rates_hz, excess, rate_hz)  # [n]
    loudest = int(np.argmax(bands))
    first, end = _around(bands > 0.25 * bands[loudest], loudest)
    pool = int(np.searchsorted(heard.pool_edges_hz, rate_hz, "right")) - 1
    pool = min(max(pool, 0), heard.z.shape[1] - 1)
    return Rate(rate_hz, float(heard.change[first:end, pool].max()), first, end)


def _excess(heard: Envelopes) -> tuple[Floats, Floats]:
    """How much of each band's spectrum is more than normal, as a multiple of the normal one."""
    rates_hz, power = fine_spectra(heard.levels, heard.frames_hz)  # [F], [2 n, F]
    power = 0.5 * (power[::2] + power[1::2])
    share = np.where(heard.z > _MIN_Z, np.maximum(0.0, 1.0 - 10.0 ** (-heard.change / 10.0)), 0.0)
    normal = 10.0 ** ((heard.spectra - heard.change) / 10.0)
    pool = np.searchsorted(heard.pool_edges_hz, rates_hz, "right") - 1
    inside = (pool >= 0) & (pool < share.shape[1])
    excess = np.zeros_like(power)
    excess[:, inside] = power[:, inside] * (share / normal)[:, pool[inside]]
    return rates_hz, excess


def fine_spectra(levels: Floats, frames_hz: float) -> tuple[Floats, Floats]:
    """Power spectra of whole envelopes: [m, T] -> rates [F], power [m, F]."""
    n_times = levels.shape[1]
    centred = (levels - levels.mean(1, keepdims=True)) * np.hanning(n_times)
    power = np.abs(np.fft.rfft(centred, _PADDED * n_times, axis=1)) ** 2 / n_times
    return np.fft.rfftfreq(_PADDED * n_times, 1.0 / frames_hz), power


def _fundamental(rates_hz: Floats, excess: Floats) -> float:
    """The rate whose multiples are raised most; the highest that explains them nearly as well."""
    strongest = float(rates_hz[np.argmax(excess)])
    peak = _power_near(rates_hz, excess, strongest)
    best = strongest
    for divisor in range(2, _MAX_HARMONIC + 1):
        candidate = strongest / divisor
        if _power_near(rates_hz, excess, candidate) > _HARMONIC_SHARE * peak:
            best = candidate
    return _refined(rates_hz, excess, best)


def _power_near(rates_hz: Floats, excess: Floats, rate_hz: float) -> Floats:
    width = max(_HARMONIC_WIDTH_HZ, _HARMONIC_WIDTH * rate_hz)
    near = np.abs(rates_hz - rate_hz) <= width
    return np.asarray(excess[..., near].sum(-1))


def _refined(rates_hz: Floats, excess: Floats, rate_hz: float) -> float:
    """Middle of what is raised around a rate."""
    width = max(_HARMONIC_WIDTH_HZ, _HARMONIC_WIDTH * rate_hz)
    near = np.abs(rates_hz - rate_hz) <= width
    weights = excess[near] ** 2
    return float(weights @ rates_hz[near] / weights.sum()) if weights.any() else rate_hz


def _around(chosen: npt.NDArray[np.bool_], at: int) -> tuple[int, int]:
    """First and end of the neighbours of `at` that are chosen."""
    first, end = at, at + 1
    while first > 0 and chosen[first - 1]:
        first -= 1
    while end < len(chosen) and chosen[end]:
        end += 1
    return first, end
