"""What the samples of a recording say of the recording itself, whatever machine it is of."""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from osscl import _native
from osscl.audio.reading import Clip

Float32: TypeAlias = npt.NDArray[np.float32]

MEASURES = ("clipped_share", "offset", "held_share", "hum_50_db", "hum_60_db", "level_db")
"""Columns of what a memory keeps of its clips, float32 [n, 6]."""
N_MEASURES = len(MEASURES)
MAINS_HZ = (50, 60)

_LAST_BIT = 1.0 / 32768.0
_N_NUMBERS, _N_LINES, _LINE_HZ = 70, 64, 10
_SAMPLE_RATE_HZ = 16_000  # of clips whose lines mean what they are called
# A sound this quiet has runs of equal samples by itself.
_TELLING_STEP = 2.0 * _LAST_BIT
_LEAST_DB = -60.0
_ORDERS = (1, 3, 5, 7)  # even multiples of the mains are the hum of motors and transformers themselves
_BESIDE = (-3, -2, 2, 3)  # lines, around each multiple
_STANDS_OUT = 10.0  # times the power of the lines beside it


class Measured(NamedTuple):
    """Measures of B clips.

    Attributes
    ----------
    stored : ndarray of float32, [B, 6]
        `MEASURES`. Share of the samples that pile up at an end of their range or lie beyond full scale; mean,
        full scale 1; share of the samples in runs of equal ones of 2 ms or more (0 for sound of less than two
        steps of 16 bits from sample to sample); the odd multiples of 50 and of 60 Hz, as a part of the power,
        dB, at least -60; and the root mean square without the mean, dB of full scale.
    n_hum : ndarray of int, [B, 2]
        How many odd multiples of 50 and of 60 Hz stand out.
    """

    stored: Float32
    n_hum: npt.NDArray[np.intp]

    def of(self, places: Sequence[int]) -> "Measured":
        """Measures of some of the clips."""
        return Measured(self.stored[list(places)], self.n_hum[list(places)])

    @property
    def level_db(self) -> Float32:
        """Root mean square without the mean, dB of full scale, [B]."""
        return self.stored[:, MEASURES.index("level_db")]


def measured(
    samples: npt.NDArray[Any], sample_rate_hz: int = _SAMPLE_RATE_HZ, *, threads: int = 1
) -> Measured:
    """Measure clips.

    Parameters
    ----------
    samples : ndarray of int16 or float32, [B, n_samples]
        At full scale.
    sample_rate_hz : int
        Of the samples; hum is looked for at 16 kHz alone.
    threads : int
        Threads at most, the calling one included.

    Returns
    -------
    Measured
        Those of each clip depend on no other.
    """
    numbers = np.zeros((len(samples), _N_NUMBERS), np.float32)
    if samples.size:
        _native.measure_quality(
            samples=np.ascontiguousarray(samples), numbers=numbers, instruction_set="", n_threads=threads
        )
    clipped, offset, power, step, held, _ = numbers[:, : _N_NUMBERS - _N_LINES].T  # [B] each
    lines = numbers[:, _N_NUMBERS - _N_LINES :]  # [B, 64]
    if sample_rate_hz != _SAMPLE_RATE_HZ:
        lines = np.zeros_like(lines)
    hum = [_hum(lines, mains) for mains in MAINS_HZ]
    shares = [np.divide(each, power, out=np.zeros_like(power), where=power > 0) for each, _ in hum]
    held = np.where(step < _TELLING_STEP, 0.0, held)
    level_db = 10.0 * np.log10(np.maximum(power, np.float32(1e-30)))
    columns = [clipped, offset, held, *(_decibel(each) for each in shares), level_db]
    return Measured(
        np.stack(columns, axis=1, dtype=np.float32), np.stack([count for _, count in hum], axis=1)
    )


def of_recorded(clip: Clip, sample_rate_hz: int = _SAMPLE_RATE_HZ) -> Measured:
    """Measure the part of a clip that was recorded: what fills it up says nothing of the recording.

    Parameters
    ----------
    clip : Clip
        A recording as it was read.
    sample_rate_hz : int
        Of its samples.

    Returns
    -------
    Measured
        Of this clip alone, B = 1.
    """
    return measured(clip.samples[np.newaxis, : clip.n_recorded(sample_rate_hz)], sample_rate_hz)


def _decibel(share: Float32) -> Float32:
    found = 10.0 * np.log10(np.clip(share, 10.0 ** (_LEAST_DB / 10.0), 1.0))
    return found.astype(np.float32)


def _hum(lines: Float32, mains_hz: int) -> tuple[Float32, npt.NDArray[np.intp]]:
    """Power of the odd multiples of mains that stand out of `lines` [B, 64], and how many do: [B] each."""
    at = [order * mains_hz // _LINE_HZ for order in _ORDERS]
    power = lines[:, at]  # [B, orders]
    beside = np.median([lines[:, [each + by for each in at]] for by in _BESIDE], axis=0)
    is_out = power > _STANDS_OUT * beside
    return np.where(is_out, power - beside, 0.0).sum(axis=1, dtype=np.float32), is_out.sum(axis=1)
