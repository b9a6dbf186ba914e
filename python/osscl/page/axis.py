"""Axes of the charts: which values stand where, and which of them are written down."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

_FAR = 12.0  # with scores this many times beyond the middle half, a linear axis shows nothing of the middle
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_TIME_STEPS_S = (
    1, 5, 15, 60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86_400, 2 * 86_400, 7 * 86_400,
    14 * 86_400, 30 * 86_400, 91 * 86_400, 365 * 86_400,
)  # fmt: skip


class Tick(NamedTuple):
    """A value that is written at an axis: where, from 0 to 1, and how."""

    at: float
    text: str


@dataclass(frozen=True)
class Axis:
    """An axis from `low` to `high`.

    Attributes
    ----------
    low, high : float
        Values at its ends.
    middle, unit : float
        About `middle` it is linear within a `unit`, and logarithmic beyond it in both directions (asinh);
        with an infinite unit it is linear throughout.
    """

    low: float
    high: float
    middle: float = 0.0
    unit: float = math.inf

    @property
    def is_linear(self) -> bool:
        """Whether equal steps stand equally far apart everywhere."""
        return math.isinf(self.unit)

    def at(self, values: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Where values stand, from 0 at `low` to 1 at `high`.

        Parameters
        ----------
        values : array_like of float
            Any shape.

        Returns
        -------
        ndarray of float64
            The same shape.
        """
        low, high = self._stretched(np.array([self.low, self.high]))
        at: npt.NDArray[np.float64] = (self._stretched(np.asarray(values, np.float64)) - low) / (high - low)
        return at

    def edges(self, n: int) -> npt.NDArray[np.float64]:
        """Values at the edges of n equally wide parts, [n + 1]."""
        low, high = self._stretched(np.array([self.low, self.high]))
        edges = np.linspace(low, high, n + 1)
        return edges if self.is_linear else self.middle + self.unit * np.sinh(edges)

    def ticks(self, n: int = 5) -> list[Tick]:
        """About n round values."""
        values = _round_values(self.low, self.high, n) if self.is_linear else self._decades()
        digits = _digits(values)
        return [Tick(float(self.at(value)), f"{value:,.{digits}f}".replace("-", "−")) for value in values]

    def _stretched(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return values if self.is_linear else np.arcsinh((values - self.middle) / self.unit)

    def _decades(self) -> list[float]:
        reach = max(abs(self.low), abs(self.high))
        sizes = [m * 10.0**e for e in range(math.floor(math.log10(self.unit)), 40) for m in (1, 3)]
        around = [sign * size for size in sizes if size <= reach for sign in (-1, 1)]
        kept: list[float] = []
        for value in sorted([0.0, *around], key=abs, reverse=True):
            is_inside = self.low <= value <= self.high
            if is_inside and all(abs(float(self.at(value) - self.at(other))) > 0.12 for other in kept):
                kept.append(value)
        return sorted(kept)


def score_axis(scores: npt.NDArray[np.float64], threshold: float | None) -> Axis:
    """Choose an axis on which scores and their threshold can be told apart.

    Parameters
    ----------
    scores : ndarray of float64, [n]
        At least one, finite.
    threshold : float or None
        Where clips are flagged.

    Returns
    -------
    Axis
        Linear, unless a few scores lie far beyond all others.
    """
    shown = scores if threshold is None else np.append(scores, threshold)
    low, high = float(shown.min()), float(shown.max())
    low_usual, middle, high_usual = np.quantile(scores, (0.25, 0.5, 0.75))
    usual = float(high_usual - low_usual)
    if threshold is not None:
        usual = max(usual, threshold - float(middle))
    margin = 0.04 * (high - low) or max(abs(high), 1.0) * 0.1
    if usual > 0 and high - low > _FAR * usual:
        return Axis(low - 0.1 * usual, high + margin, float(middle), usual)
    return Axis(low - margin, high + margin)


@dataclass(frozen=True)
class TimeAxis:
    """An axis of times; one that lasts no time has all of them in its middle.

    Attributes
    ----------
    first, last : datetime
        Its ends.
    """

    first: datetime
    last: datetime

    def at(self, times: Sequence[datetime]) -> npt.NDArray[np.float64]:
        """Where times stand, from 0 to 1, [n]."""
        lasts = (self.last - self.first).total_seconds()
        if lasts == 0:
            return np.full(len(times), 0.5)
        return np.array([(time - self.first).total_seconds() / lasts for time in times])

    def ticks(self, n: int = 5) -> list[Tick]:
        """About n round times."""
        lasts = (self.last - self.first).total_seconds()
        step = next((step for step in _TIME_STEPS_S if lasts / step <= n), max(1, int(lasts / n)))
        midnight = self.first.replace(hour=0, minute=0, second=0, microsecond=0)
        skipped = math.ceil((self.first - midnight).total_seconds() / step)
        form = "%Y-%m-%d" if step >= 86_400 else ("%m-%d %H:%M" if lasts > 86_400 else "%H:%M")
        form = "%H:%M:%S" if step < 60 else form
        ticks, time = [], midnight + timedelta(seconds=skipped * step)
        while time <= self.last and len(ticks) <= 2 * n:
            ticks.append(Tick(float(self.at([time])[0]), time.strftime(form)))
            time += timedelta(seconds=step)
        return ticks or [Tick(0.5, self.first.strftime("%Y-%m-%d %H:%M"))]


def common_times(times: Sequence[str | None]) -> list[datetime] | None:
    """Read times of ISO 8601 where one axis holds them all.

    Parameters
    ----------
    times : sequence of (str or None)
        As tables spell them.

    Returns
    -------
    list of datetime or None
        None where one is missing or cannot be read, or where some say their zone and others do not.
    """
    read = []
    for time in times:
        try:
            read.append(datetime.fromisoformat(time or ""))
        except ValueError:
            return None
    has_zone = {time.tzinfo is not None for time in read}
    return read if len(has_zone) == 1 else None


def _round_values(low: float, high: float, n: int) -> list[float]:
    wanted = (high - low) / n
    power = 10.0 ** math.floor(math.log10(wanted))
    step = next(step * power for step in _STEPS if step * power >= wanted * (1 - 1e-9))
    return [step * k for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _digits(values: Sequence[float]) -> int:
    """Digits behind the point that tell values apart."""
    for digits in range(7):
        if len({round(value, digits) for value in values}) == len(values) and all(
            math.isclose(value, round(value, digits), rel_tol=1e-6, abs_tol=1e-12) for value in values
        ):
            return digits
    return 7
