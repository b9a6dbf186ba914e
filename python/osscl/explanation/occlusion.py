"""What a network's score rests on: how much of it goes when a part of the clip is taken away."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from osscl.audio.mel_bands import BAND_EDGES_HZ
from osscl.audio.samples import Samples, to_waveform
from osscl.config import FRONTEND
from osscl.explanation.explained import Occlusion

Floats = npt.NDArray[np.float64]
Waveforms = npt.NDArray[np.float32]
Score: TypeAlias = Callable[[Samples], npt.NDArray[np.float64]]
"""Waveforms [B, n_samples] -> scores [B]."""

RATE_HZ = FRONTEND.sample_rate_hz
BANDS_TOGETHER = 2
"""Bands of an explanation that are taken away at once."""
PARTS = 10
_LEFT = 0.1
"""Amplitude that is left of a band: 20 dB less."""
_EDGE = 0.1
"""Width of a band's edges, in octaves."""
_FADE_S = 0.02


def occlude(waveform: Samples, score: Score) -> Occlusion:
    """Take bands and times out of a clip, one at a time, and see what its score loses.

    Parameters
    ----------
    waveform : ndarray of int16 or float32, [n_samples]
        One clip.
    score : callable
        Scores clips.

    Returns
    -------
    Occlusion
        Shares of the bands, and of the times. All are zero where nothing that is taken away lowers the score.
    """
    clip = to_waveform(waveform)
    edges_hz = BAND_EDGES_HZ[::BANDS_TOGETHER]
    bands = list(zip(edges_hz[:-1].tolist(), edges_hz[1:].tolist(), strict=True))
    bounds = np.linspace(0, len(clip), PARTS + 1).astype(int)
    parts = list(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True))
    changed = [*_without_bands(clip, bands), *(_without_time(clip, *part) for part in parts)]
    scores = score(np.stack([clip, *changed]))
    lost = np.maximum(scores[0] - scores[1:], 0.0)
    return Occlusion(
        bands_hz=tuple(bands),
        band_shares=_shares(lost[: len(bands)]),
        times_s=tuple((begin / RATE_HZ, end / RATE_HZ) for begin, end in parts),
        time_shares=_shares(lost[len(bands) :]),
    )


def _without_bands(clip: Waveforms, bands: list[tuple[float, float]]) -> list[Waveforms]:
    """Copies of a clip [n_samples], in each of which one band is 20 dB quieter."""
    spectrum = np.fft.rfft(clip.astype(np.float64))
    octaves = np.log2(np.maximum(np.fft.rfftfreq(len(clip), 1.0 / RATE_HZ), 1.0))
    copies = []
    for low_hz, high_hz in bands:
        inside = np.minimum(octaves - np.log2(max(low_hz, 1.0)), np.log2(high_hz) - octaves)
        within = np.clip(0.5 + inside / _EDGE, 0.0, 1.0)
        copy = np.fft.irfft(spectrum * (1.0 - (1.0 - _LEFT) * within), len(clip))
        copies.append(copy.astype(np.float32))
    return copies


def _without_time(clip: Waveforms, begin: int, end: int) -> Waveforms:
    """A clip in which the sound before, or behind, stands in the place of a part of it."""
    length = end - begin
    stands_in = begin - length if begin >= length else end
    fade = int(_FADE_S * RATE_HZ)
    from_edge = np.minimum(np.arange(length) + 1, np.arange(length, 0, -1))
    mixed = np.clip(from_edge / fade, 0.0, 1.0).astype(np.float32)
    copy = clip.copy()
    copy[begin:end] = (1.0 - mixed) * clip[begin:end] + mixed * clip[stands_in : stands_in + length]
    return copy


def _shares(lost: Floats) -> tuple[float, ...]:
    total = lost.sum()
    return tuple((lost / total if total > 0.0 else lost).tolist())
