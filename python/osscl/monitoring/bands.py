"""Where in frequency clips have changed, from their recordings."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from osscl.audio.candidate import Candidate
from osscl.audio.mel_bands import BAND_EDGES_HZ
from osscl.audio.reading import Fit
from osscl.config import FRONTEND
from osscl.features import BLOCKS, N_FEATURES
from osscl.runs.featured import FeaturedClip, featured_clips

MAX_CLIPS = 32
"""Clips that are read to tell the bands."""
_FEWEST = 3
_LEAST_DB, _LEAST_Z = 1.0, 4.0
_MAX_NAMED = 3
# the outermost bands are named as what they stand for: from the lowest and to the highest frequency
EDGES_HZ = np.array([FRONTEND.f_min_hz, *BAND_EDGES_HZ[1:-1], FRONTEND.f_max_hz])

Array = npt.NDArray[np.float64]


def level_db(files: Sequence[tuple[Path, float | None]], fit: Fit) -> Array:
    """Level of some recordings in each band.

    Parameters
    ----------
    files : sequence of (Path, float or None)
        Recordings of one machine, and where in each the window begins; at most 32 are read, evenly taken.
    fit : Fit
        How they are made to fit.

    Returns
    -------
    ndarray of float64, [n, 32]
        Of those that can be read.
    """
    some = np.unique(np.linspace(0, len(files) - 1, min(len(files), MAX_CLIPS)).astype(int))
    chosen = [files[clip] for clip in some]
    candidates = [Candidate(str(path), None, start_s) for path, start_s in chosen if path.is_file()]
    rows = [clip.features for clip in featured_clips(candidates, fit) if isinstance(clip, FeaturedClip)]
    levels = np.array(rows, np.float64).reshape(-1, N_FEATURES)
    return levels[:, BLOCKS["level"]]


def changed_bands(before: Array, after: Array) -> tuple[str, ...]:
    """Say in which bands the level has changed.

    Parameters
    ----------
    before : ndarray of float64, [n, 32]
        Levels of normal clips, dB.
    after : ndarray of float64, [m, 32]
        Levels of clips since the change, dB.

    Returns
    -------
    tuple of str
        Such as "+4 dB at 1.0 to 2.0 kHz", what changed most first, three at most; empty where fewer than 3
        clips are there to compare, or no band changed by 1 dB and four spreads of a mean.
    """
    if min(len(before), len(after)) < _FEWEST:
        return ()
    change = np.median(after, axis=0) - np.median(before, axis=0)  # [32]
    spread = np.hypot(*(rows.std(axis=0, ddof=1) / np.sqrt(len(rows)) for rows in (before, after)))
    counts = (np.abs(change) >= _LEAST_DB) & (np.abs(change) >= _LEAST_Z * spread)
    counts &= np.abs(change) >= np.abs(change).max() / 2
    side = np.where(counts, np.sign(change), 0)
    found: list[tuple[float, str]] = []
    edges = EDGES_HZ
    starts = np.flatnonzero(np.diff(side, prepend=0) != 0)
    for start in starts[side[starts] != 0]:
        same = side[start:] == side[start]
        end = start + (len(same) if same.all() else int(np.argmin(same)))
        mean = float(change[start:end].mean())
        found.append((abs(mean), f"{mean:+.0f} dB at {_range(edges[start], edges[end])}"))
    return tuple(text for _, text in sorted(found, reverse=True)[:_MAX_NAMED])


def _range(low_hz: float, high_hz: float) -> str:
    if high_hz < 1000:
        return f"{low_hz:.0f} to {high_hz:.0f} Hz"
    return f"{low_hz / 1000:.1f} to {high_hz / 1000:.1f} kHz"
