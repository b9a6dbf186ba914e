"""Why to doubt the recordings of a batch: measures and levels of its clips, by the machine of each."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from osscl.audio.doubts import Doubter
from osscl.audio.mel_bands import N_BANDS
from osscl.audio.quality import measured
from osscl.audio.samples import Samples
from osscl.config import FRONTEND
from osscl.features import BLOCKS
from osscl.frontend import log_mel

Float32 = npt.NDArray[np.float32]

_N_SLICES, _SLICE = 5, 4096
_WHOLE_FRAMES = slice(2, -2)  # of a slice: those that reach beyond no end of it


def doubts(
    samples: Samples,
    doubters: Sequence[Doubter],
    features: Mapping[int, Float32],
    n_recorded: Mapping[int, int],
    sample_rate_hz: int,
    *,
    threads: int,
) -> list[str | None]:
    """Tell why to doubt clips.

    Parameters
    ----------
    samples : ndarray of int16 or float32, [B, n_samples]
        The clips.
    doubters : sequence of Doubter, [B]
        Whoever knows the normal recordings of each clip's machine.
    features : mapping of int to ndarray of float32, [360]
        Features of clips, by their numbers, where they are made anyhow.
    n_recorded : mapping of int to int
        Samples of clips that are shorter, by their numbers; the rest was filled up.
    sample_rate_hz : int
        Of the samples.
    threads : int
        Threads at most, the calling one included.

    Returns
    -------
    list of str or None, [B]
        As `Doubter.of` says it.
    """
    found = measured(samples, sample_rate_hz, threads=threads)
    for place, n_samples in n_recorded.items():
        of_recorded = measured(samples[place : place + 1, :n_samples], sample_rate_hz)
        found.stored[place], found.n_hum[place] = of_recorded.stored[0], of_recorded.n_hum[0]
    levels = _levels(samples, features, threads) if sample_rate_hz == FRONTEND.sample_rate_hz else None
    said: list[str | None] = [None] * len(doubters)
    for doubter in dict.fromkeys(doubters):
        places = [place for place, each in enumerate(doubters) if each is doubter]
        of_machine = doubter.of(found.of(places), None if levels is None else levels[places])
        for place, clauses in zip(places, of_machine, strict=True):
            said[place] = clauses
    return said


def _levels(samples: Samples, features: Mapping[int, Float32], threads: int) -> Float32:
    """Levels of the bands of clips [B, 32]: those of their features, or else of a few slices of each."""
    levels = np.empty((len(samples), N_BANDS), np.float32)
    for place, row in features.items():
        levels[place] = row[BLOCKS["level"]]
    others = [place for place in range(len(samples)) if place not in features]
    if others:
        levels[others] = _levels_of_slices(samples[others], threads)
    return levels


def _levels_of_slices(samples: Samples, threads: int) -> Float32:
    starts = np.linspace(0, max(0, samples.shape[1] - _SLICE), _N_SLICES).astype(int)
    slices = np.stack(
        [samples[:, start : start + _SLICE] for start in starts], axis=1
    )  # [B, slices, samples]
    frames = log_mel(slices, threads=threads)[..., _WHOLE_FRAMES]  # [B, slices, 128, frames]
    of_bands = frames.reshape(len(samples), _N_SLICES, N_BANDS, -1, frames.shape[-1])
    levels: Float32 = of_bands.mean(axis=(1, 3, 4))
    return levels
