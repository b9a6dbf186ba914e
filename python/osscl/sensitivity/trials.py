"""Changes laid into one recording: from which size on each is found."""

import zlib
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from osscl.audio.samples import Samples
from osscl.sensitivity.changes import Change, Laid
from osscl.sensitivity.sound import Sound

IsFound: TypeAlias = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.bool_]]
"""Whether each of some waveforms [B, 160000] is called anomalous, [B]."""

N_SIZES = 31
"""Sizes of a change that are tried in a recording: halving needs 5 trials, not 31."""
N_TRIALS = 5
N_OFFSETS = 4
"""Recordings share their sizes with each fourth one: those of all together lie four times as close."""
PLACES = np.arange(N_SIZES * N_OFFSETS) / (N_SIZES * N_OFFSETS - 1)
"""Place of each size that is tried in any recording, between the smallest (0) and the largest (1)."""

_AT_ONCE = 16
_FULL_SCALE = 1.0


def first_found(
    samples: Samples, changes: Sequence[Change], is_found: IsFound, offset: int, seed: int
) -> npt.NDArray[np.intp]:
    """Lay changes into a recording at graded sizes.

    Parameters
    ----------
    samples : ndarray of int16 or float32, [160000]
        A clip of the recording.
    changes : sequence of Change, [C]
        What is laid in.
    is_found : callable
        Decides of waveforms, without the recording.
    offset : int
        Which of the sizes are tried: the numbers `offset`, `offset` + 4, ... of `PLACES`.
    seed : int
        Draws phases and times, the same whatever is tried beside.

    Returns
    -------
    ndarray of int, [C]
        Number in `PLACES` of the smallest size that is found; ``len(PLACES)`` where none is. Found by halving:
        a larger size is taken to be found where a smaller one is.
    """
    sound = Sound(samples)
    found: list[int] = []
    remaining = iter(changes)
    while some := list(islice(remaining, _AT_ONCE)):
        found += _halved(some, sound, is_found, offset, seed)
    return np.array(found, np.intp)


def tried(offset: int) -> npt.NDArray[np.bool_]:
    """Say which of `PLACES` are tried in a recording of an offset, [124]."""
    return np.arange(len(PLACES)) % N_OFFSETS == offset


def laid_into(sound: Sound, change: Change, seed: int) -> Laid:
    """Make ready to lay a change into a recording; its phase and time depend on nothing else.

    Parameters
    ----------
    sound : Sound
        The recording.
    change : Change
        The change.
    seed : int
        Another one for each recording.

    Returns
    -------
    callable
        Takes a size, gives the waveform.
    """
    return change.laid_into(sound, np.random.default_rng([seed, zlib.crc32(repr(change).encode())]))


def as_recorded(waveform: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Give a waveform the range that a recorder has."""
    return np.clip(waveform, -_FULL_SCALE, _FULL_SCALE).astype(np.float32)


def _halved(
    changes: Sequence[Change], sound: Sound, is_found: IsFound, offset: int, seed: int
) -> Iterator[int]:
    """Numbers in `PLACES`, as `first_found` gives them, for changes that are tried together."""
    laid = [laid_into(sound, change, seed) for change in changes]
    missed = np.full(len(changes), -1)
    least = np.full(len(changes), N_SIZES)
    while (least - missed > 1).any():  # all at the same time: the number of sizes is a power of 2, less 1
        middle = (missed + least) // 2
        places = PLACES[N_OFFSETS * middle + offset]
        waveforms = np.stack(
            [
                as_recorded(lay(change.sizes.at(place)))
                for change, lay, place in zip(changes, laid, places, strict=True)
            ]
        )
        found = is_found(waveforms)
        least = np.where(found, middle, least)
        missed = np.where(found, missed, middle)
    return (int(N_OFFSETS * number + offset) if number < N_SIZES else len(PLACES) for number in least)
