"""Which modulation of a clip is stronger than in normal ones: its rate, and where it is heard."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from osscl.explanation.scales import Pools
from osscl.explanation.spectra import LINE_PROMINENCE, fine_spectra, fundamental, power_at, prominence

Floats = npt.NDArray[np.float64]

_MIN_Z = 1.0
_QUARTER = 0.25
_LEAST_DB = 2.0
"""Less than that nobody hears, however steady the normal clips are."""


@dataclass(frozen=True, slots=True)
class Modulation:
    """A modulation that is stronger than in normal clips.

    Attributes
    ----------
    rate_hz : float or None
        Its rate; of several that are multiples of one, that one. None where it is irregular.
    change_db : float
        How far it lies above normal; below zero where the clip is steadier than normal ones.
    first, end : int
        The bands `first` to `end` - 1, where it is heard.
    """

    rate_hz: float | None
    change_db: float
    first: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class Envelopes:
    """Envelopes of one clip, and what a memory says of their spectra.

    Attributes
    ----------
    levels : ndarray of float64, [2 n, T]
        Envelopes in dB; two neighbours make a band.
    pools : Pools
        How their spectra are summed up.
    spectra : ndarray of float64, [n, p]
        The clip's features, dB.
    change : ndarray of float64, [n, p]
        How far they lie from normal ones, dB.
    spread : ndarray of float64, [n, p]
        How far those of normal clips spread, dB.
    """

    levels: Floats
    pools: Pools
    spectra: Floats
    change: Floats
    spread: Floats

    @property
    def raised(self) -> float:
        """Squared distance from normal clips by what is raised alone."""
        return float((np.maximum(self.change / self.spread, 0.0) ** 2).sum())

    @property
    def lowered(self) -> float:
        """The same by what is lowered."""
        return float((np.minimum(self.change / self.spread, 0.0) ** 2).sum())

    def excess(self) -> tuple[Floats, Floats]:
        """Rates [F], and how much of the spectra is more than normal, in multiples of that, [n, F]."""
        rates_hz, power = fine_spectra(self.levels, self.pools.frames_hz)  # [F], [2 n, F]
        power = 0.5 * (power[::2] + power[1::2])
        is_raised = self.change > _MIN_Z * self.spread
        share = np.where(is_raised, 1.0 - 10.0 ** (-np.maximum(self.change, 0.0) / 10.0), 0.0)
        weights = share / 10.0 ** ((self.spectra - self.change) / 10.0)  # [n, p]
        pool = self.pool_of(rates_hz)
        inside = (pool >= 0) & (pool < weights.shape[1])
        excess = np.zeros_like(power)
        excess[:, inside] = power[:, inside] * weights[:, pool[inside]]
        return rates_hz, excess

    def pool_of(self, rates_hz: Floats) -> npt.NDArray[np.intp]:
        """Number of the pool of each rate; one outside is -1 or p."""
        return np.searchsorted(self.pools.edges_hz, rates_hz, "right") - 1


def changed_modulations(heard: Envelopes) -> Iterator[Modulation]:
    """Find what is modulated more than in normal clips, and what less.

    Parameters
    ----------
    heard : Envelopes
        Of one clip.

    Yields
    ------
    Modulation
        The one that is raised most, and the one that is lowered most, as far as there are some.
    """
    raised = _raised(heard)
    is_steadier = heard.lowered > heard.raised
    if (
        raised is not None
        and raised.change_db >= _LEAST_DB
        and (raised.rate_hz is not None or not is_steadier)
    ):
        yield raised
    if is_steadier:
        yield _steadier(heard)


def _raised(heard: Envelopes) -> Modulation | None:
    rates_hz, excess = heard.excess()  # [F], [n, F]
    total = excess.sum(0)
    if not total.any():
        return None
    rate_hz = fundamental(rates_hz, total)
    by_band = power_at(rates_hz, excess, rate_hz)  # [n]
    loudest = int(np.argmax(by_band))
    first, end = around(by_band > _QUARTER * by_band[loudest], loudest)
    pool = int(np.clip(heard.pool_of(np.array([rate_hz]))[0], 0, heard.change.shape[1] - 1))
    change_db = float(heard.change[first:end, pool].max())
    _, power = fine_spectra(heard.levels[2 * loudest : 2 * loudest + 2], heard.pools.frames_hz)
    is_line = prominence(rates_hz, power.sum(0), rate_hz) >= LINE_PROMINENCE
    return Modulation(rate_hz if is_line else None, change_db, first, end)


def _steadier(heard: Envelopes) -> Modulation:
    """Where modulations are weaker than normal: something steady covers them."""
    z = np.minimum(heard.change / heard.spread, 0.0)
    by_band = (z**2).sum(1)
    quietest = int(np.argmax(by_band))
    first, end = around(by_band > _QUARTER * by_band[quietest], quietest)
    part = slice(first, end)
    change_db = float((z[part] ** 2 * heard.change[part]).sum() / (z[part] ** 2).sum())
    return Modulation(None, change_db, first, end)


def heard_at(levels: Floats, frames_hz: float, rate_hz: float) -> tuple[int, int]:
    """Where a modulation is heard, by how deep it is in each of some bands.

    Parameters
    ----------
    levels : ndarray of float64, [m, T]
        Envelopes of the bands, dB.
    frames_hz : float
        Their sample rate.
    rate_hz : float
        Its rate.

    Returns
    -------
    first, end : int
        The bands `first` to `end` - 1.
    """
    power = power_at(*fine_spectra(levels, frames_hz), rate_hz)  # [m]
    # single lines of a machine may cover one band of many
    smooth = np.convolve(np.pad(power, 1, "edge"), (0.25, 0.5, 0.25), "valid")
    deepest = int(np.argmax(smooth))
    return around(smooth > _QUARTER * smooth[deepest], deepest)


def around(chosen: npt.NDArray[np.bool_], at: int) -> tuple[int, int]:
    """First and end of the neighbours of `at` that are chosen."""
    first, end = at, at + 1
    while first > 0 and chosen[first - 1]:
        first -= 1
    while end < len(chosen) and chosen[end]:
        end += 1
    return first, end
