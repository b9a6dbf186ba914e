"""Which of many normal clips are fitted, and which calibrate."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

MAX_FITTED_WHOLE = 512
"""Up to so many clips all are fitted, and calibrated by leaving each out."""
MAX_FITTED = 256
"""Of more clips, so many are fitted."""
MIN_CALIBRATING = 3

Indices = npt.NDArray[np.intp]


class Selection(NamedTuple):
    """Numbers of clips, rising.

    Attributes
    ----------
    fitted : ndarray of int
        Clips that the memory is fitted to, and keeps.
    held_out : ndarray of int
        Clips of other recordings, which calibrate.
    set_aside : ndarray of int
        Clips that do neither: others of their recording are fitted.
    """

    fitted: Indices
    held_out: Indices
    set_aside: Indices


def select(recordings: Indices, seed: int) -> Selection:
    """Choose clips by whole recordings.

    Where recordings are too long for that, half of them are fitted, by clips drawn evenly from each. Where
    that would leave fewer than 3 to calibrate, clips of all recordings are fitted, and each recording is
    left out in turn.

    Parameters
    ----------
    recordings : ndarray of int, [N]
        Recording of each clip, counted from 0.
    seed : int
        Of the draw.

    Returns
    -------
    Selection
        Every clip in one of its parts.
    """
    everything = np.arange(len(recordings))
    nothing = everything[:0]
    if len(recordings) <= MAX_FITTED_WHOLE:
        return Selection(everything, nothing, nothing)
    rng = np.random.default_rng(seed)
    recordings = np.unique(recordings, return_inverse=True)[1]  # without gaps, which equal clips may leave
    sizes = np.bincount(recordings)
    order = rng.permutation(len(sizes))
    chosen = _whole(order, sizes)
    if sizes[chosen].sum() < MAX_FITTED // 2 or len(sizes) - len(chosen) < MIN_CALIBRATING:
        half = len(sizes) // 2
        chosen = order[:half] if len(sizes) - half >= MIN_CALIBRATING and half >= MIN_CALIBRATING else order
    of_chosen = np.isin(recordings, chosen)
    fitted = _evenly(recordings, chosen, rng)
    return Selection(fitted, everything[~of_chosen], np.setdiff1d(everything[of_chosen], fitted))


def _whole(order: Indices, sizes: Indices) -> Indices:
    """Recordings, in their drawn order, that fit into the memory whole."""
    chosen, room = [], MAX_FITTED
    for recording in order:
        if sizes[recording] <= room:
            chosen.append(recording)
            room -= sizes[recording]
    return np.array(chosen, np.intp)


def _evenly(recordings: Indices, chosen: Indices, rng: np.random.Generator) -> Indices:
    """At most 256 clips of the chosen recordings: one of each in turn, at random within a recording."""
    clips = np.flatnonzero(np.isin(recordings, chosen))
    clips = rng.permutation(clips)
    by_recording = np.argsort(recordings[clips], kind="stable")
    starts = np.searchsorted(recordings[clips][by_recording], recordings[clips][by_recording])
    turn = np.empty(len(clips), np.intp)
    turn[by_recording] = np.arange(len(clips)) - starts
    return np.sort(clips[np.argsort(turn, kind="stable")[:MAX_FITTED]])
