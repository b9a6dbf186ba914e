"""Why to doubt recordings: their measures beside fixed bounds, or beside those of normal recordings."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from osscl.audio.mel_bands import BAND_EDGES_HZ, N_BANDS
from osscl.audio.quality import MAINS_HZ, MEASURES, N_MEASURES, Measured
from osscl.audio.spectrum import ends_at_hz

FloatArray: TypeAlias = npt.NDArray[np.floating[Any]]

# Bounds that hold without normal recordings: only what no sound of a machine shows is said then.
_CLIPPED_SHARE = 1e-3
_OFFSET = 0.02
_HELD_S = 0.002
_QUIET_DB = -80.0
_HUM_DB = -6.0
_LEAST_ORDERS = 2

# Bounds beyond the median of normal recordings. Where these vary more: so many of their robust standard
# deviations, or half a bound beyond the farthest of them, whichever is nearer.
_DEVIATIONS = 6.0
_CLIPPED_BEYOND = 1e-3
_OFFSET_BEYOND = 0.005
_HELD_BEYOND_S = 0.002
_HUM_BEYOND_DB, _HUM_HEARD_DB = 10.0, -10.0
_LEVEL_BEYOND_DB = 16.0
_MUFFLED_BEYOND_DB = 10.0
_FLOOR_BEYOND_DB, _NOT_BY_GAIN_DB = 10.0, 3.0

_MAD_TO_DEVIATION = 1.4826
_CLIP_S = 10.0
_HIGH = BAND_EDGES_HZ[:-1] >= 4000.0  # [32]
_N_QUIETEST = 8


@dataclass(frozen=True, eq=False)
class _Usual:
    """Median of some numbers, and how far from it one may lie."""

    median: FloatArray
    reach: FloatArray

    @classmethod
    def of(cls, rows: FloatArray, least: float | FloatArray) -> "_Usual":
        """Of normal recordings [n, ...]; a few of them tell little of their spread."""
        median = np.median(rows, axis=0)
        deviation = _MAD_TO_DEVIATION * np.median(np.abs(rows - median), axis=0)
        few = 1.0 + 3.0 / len(rows)
        farthest = np.abs(rows - median).max(axis=0)
        varied = np.minimum(few * _DEVIATIONS * deviation, farthest + 0.5 * np.asarray(least))
        return cls(median, np.maximum(least, varied))


class Doubter:
    """Tells why to doubt recordings of one machine.

    Parameters
    ----------
    measures : ndarray of float, [n, 6], optional
        `osscl.audio.quality.MEASURES` of its normal recordings; without them, fixed bounds hold.
    levels : ndarray of float, [n, 32], optional
        Levels of their bands, dB; without them, nothing is said of levels but what fixed bounds tell.
    """

    def __init__(self, measures: FloatArray | None = None, levels: FloatArray | None = None) -> None:
        has_measures = measures is not None and len(measures) > 0
        self._measures = _Usual.of(measures, _LEAST_BEYOND) if has_measures else None  # type: ignore[arg-type]
        self._levels = None if levels is None or not len(levels) else _Levels(levels)

    def of(self, measured: Measured, levels: FloatArray | None = None) -> list[str | None]:
        """Tell why to doubt clips.

        Parameters
        ----------
        measured : Measured
            Measures of B clips.
        levels : ndarray of float, [B, 32], optional
            Levels of their bands, dB.

        Returns
        -------
        list of str or None, [B]
            Short clauses, joined by "; "; None where a recording is well.
        """
        clauses: list[list[str]] = [[] for _ in measured.stored]
        self._of_samples(measured, clauses)
        if levels is not None:
            if self._levels is None:
                _end_without_normals(levels, clauses)
            else:
                self._levels.judge(levels, clauses, says_level=self._measures is None)
        return ["; ".join(each) or None for each in clauses]

    def _of_samples(self, measured: Measured, clauses: list[list[str]]) -> None:
        stored = measured.stored.astype(np.float64)
        if self._measures is None:
            is_far = np.abs(stored) >= _FIXED
            is_far[:, _HUM] = (stored[:, _HUM] >= _HUM_DB) & (measured.n_hum >= _LEAST_ORDERS)
            beyond = np.full_like(stored, np.nan)
        else:
            beyond = stored - self._measures.median
            is_far = np.where(_BOTH_WAYS, np.abs(beyond), beyond) >= self._measures.reach
            is_far[:, _HUM] &= stored[:, _HUM] >= _HUM_HEARD_DB
        for place in np.flatnonzero(is_far.any(axis=1)):
            clauses[place] += _clauses_of(stored[place], beyond[place], is_far[place])
        for place in np.flatnonzero(measured.level_db < _QUIET_DB):
            clauses[place].append(f"hardly any sound, {measured.level_db[place]:.0f} dB of full scale")


_HUM, _LEVEL = slice(3, 3 + len(MAINS_HZ)), MEASURES.index("level_db")
_BOTH_WAYS = np.array([name in ("offset", "level_db") for name in MEASURES])
_FIXED = np.array([_CLIPPED_SHARE, _OFFSET, _HELD_S / _CLIP_S, np.inf, np.inf, np.inf])
_LEAST_BEYOND = np.array(
    [
        _CLIPPED_BEYOND,
        _OFFSET_BEYOND,
        _HELD_BEYOND_S / _CLIP_S,
        _HUM_BEYOND_DB,
        _HUM_BEYOND_DB,
        _LEVEL_BEYOND_DB,
    ]
)
assert len(_FIXED) == len(_LEAST_BEYOND) == N_MEASURES


def _clauses_of(stored: FloatArray, beyond: FloatArray, is_far: npt.NDArray[np.bool_]) -> list[str]:
    """Say what is wrong of one clip, from its measures [6]; `beyond` is NaN where there are no normals."""
    clipped, offset, held, *hum, _ = stored
    said = []
    if is_far[0]:
        said.append(f"clipped, {100 * clipped:.2g} % of the samples")
    if is_far[1]:
        said.append(f"offset of {100 * offset:.2g} % of full scale")
    if is_far[2]:
        said.append(f"dropouts, {held * _CLIP_S:.2g} s of samples that stand still")
    if is_far[_HUM].any():
        which = int(np.argmax(np.where(is_far[_HUM], hum, -np.inf)))
        than = beyond[_HUM][which]
        how = f"{100 * 10 ** (hum[which] / 10):.0f} % of its power" if np.isnan(than) else (
            f"{than:.0f} dB above its normals"
        )  # fmt: skip
        said.append(f"mains hum at {MAINS_HZ[which]} Hz, {how}")
    if is_far[_LEVEL]:
        said.append(_other_level(beyond[_LEVEL]))
    return said


def _other_level(db: float) -> str:
    return f"{abs(db):.0f} dB {'louder' if db > 0 else 'quieter'} than its normals"


def _end_without_normals(levels: FloatArray, clauses: list[list[str]]) -> None:
    ends = ends_at_hz(levels)
    for place in np.flatnonzero(np.isfinite(ends)):
        clauses[place].append(_end(ends[place]))


def _end(hz: float) -> str:
    return f"no sound above {hz / 1000:.1f} kHz"


class _Levels:
    """Levels of the bands of normal recordings [n, 32]."""

    def __init__(self, levels: FloatArray) -> None:
        assert levels.shape[1] == N_BANDS
        rows = levels.astype(np.float64)
        self._median = np.median(rows, axis=0)
        (self._ends_hz,) = ends_at_hz(self._median[np.newaxis])
        level, high, floor = self._numbers(rows)
        self._level = _Usual.of(level, _LEVEL_BEYOND_DB)
        self._high = _Usual.of(high, _MUFFLED_BEYOND_DB)
        self._floor = _Usual.of(floor, _FLOOR_BEYOND_DB)

    def _numbers(self, rows: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Level of all bands, of the high beside the low ones, of the quietest: [B], beyond the median."""
        beyond = rows - self._median
        level = np.median(beyond, axis=1)
        high = beyond[:, _HIGH].mean(axis=1) - np.median(beyond[:, ~_HIGH], axis=1)
        floor = (
            np.sort(rows, axis=1)[:, :_N_QUIETEST].mean(axis=1) - np.sort(self._median)[:_N_QUIETEST].mean()
        )
        return level, high, floor

    def judge(self, levels: FloatArray, clauses: list[list[str]], *, says_level: bool) -> None:
        """Say what is wrong of levels [B, 32]; of all bands together only where nothing better tells it."""
        rows = levels.astype(np.float64)
        level, high, floor = self._numbers(rows)
        level -= self._level.median
        high -= self._high.median
        floor -= self._floor.median
        ends = ends_at_hz(rows)
        is_ended = np.isfinite(ends) & ~(ends >= 0.9 * self._ends_hz)
        is_muffled = (high <= -self._high.reach) & ~is_ended
        # a gain moves all bands alike, noise those above all where there was least
        is_noise = (floor - level) * np.sign(floor) >= _NOT_BY_GAIN_DB
        is_floor = (np.abs(floor) >= self._floor.reach) & is_noise & ~is_ended & ~is_muffled
        is_other = (np.abs(level) >= self._level.reach) & ~is_floor & says_level
        for place in np.flatnonzero(is_ended | is_muffled | is_other | is_floor):
            said = clauses[place]
            if is_ended[place]:
                said.append(_end(ends[place]))
            if is_muffled[place]:
                said.append(f"muffled, {-high[place]:.0f} dB less above 4 kHz than its normals")
            if is_other[place]:
                said.append(_other_level(level[place]))
            if is_floor[place]:
                how = "above" if floor[place] > 0 else "below"
                said.append(f"noise floor {abs(floor[place]):.0f} dB {how} its normals")


BY_FIXED_BOUNDS = Doubter()
"""For recordings of machines without normal ones."""
