"""Golden clips: test sound made of integer arithmetic alone, the same in every language and on every machine.

Specification of ``osscl.golden/1``, for clip c = 0, 1, 2, ... and sample i = 0 ... 159999. In ``hash``,
and in sums and products with c or i, numbers are unsigned and taken modulo 2**32; every ``>> 16`` outside
``hash`` so gives 0 ... 65535. The rest is signed, its ``>>`` rounds down (an arithmetic shift), and
every sample fits an int16::

    hash(x):   x ^= x >> 16;  x *= 0x8411A90F;  x ^= x >> 16;  x *= 0x4D0A6767;  x ^= x >> 16
    noise    = (hash(i + hash(c + 1)) >> 16) - 32768
    saw      = ((i * (20000003 + 1234567 * c)) >> 16) - 32768
    t        = (i * (230000017 + 9876543 * c)) >> 16
    triangle = 2 * min(t, 65535 - t) - 32768
    c mod 4 = 0, loud:       sample = (noise + saw) >> 1
    c mod 4 = 1, quiet:      sample = noise >> 9
    c mod 4 = 2, tonal:      sample = (saw >> 2) + (triangle >> (1 + 4 * ((i >> 13) & 1))) + (noise >> 10)
    c mod 4 = 3, impulsive:  sample = noise >> ((i & 4095) >> 8)
"""

from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from osscl.config import CLIP

Generator: TypeAlias = Literal["osscl.golden/1"]
UInt32Array: TypeAlias = npt.NDArray[np.uint32]
Int32Array: TypeAlias = npt.NDArray[np.int32]


def golden_clips(count: int) -> npt.NDArray[np.int16]:
    """Make the first golden clips: loud, quiet, tonal, impulsive, and so on in turn.

    White noise under every clip puts power into all mel bands.

    Parameters
    ----------
    count : int
        Number of clips.

    Returns
    -------
    ndarray of int16, shape [count, 160000]
        Samples at 16 kHz, full scale 32768. The first clips are the same whatever the count.

    References
    ----------
    Section "Golden clips" of ``docs/format.md``.
    """
    clips = np.empty((count, CLIP.n_samples), dtype=np.int16)
    for number in range(count):
        clips[number] = _golden_clip(number)
    return clips


def _golden_clip(number: int) -> Int32Array:
    i = np.arange(CLIP.n_samples, dtype=np.uint32)
    clip_key = _hash(np.array([number + 1], dtype=np.uint32))
    noise = _centred(_upper_half(_hash(i + clip_key)))
    saw = _centred(_upper_half(i * _modulo(20_000_003 + 1_234_567 * number)))
    t = _upper_half(i * _modulo(230_000_017 + 9_876_543 * number))
    triangle = _centred(2 * np.minimum(t, 65_535 - t))
    position = i.astype(np.int32)
    match number % 4:
        case 0:
            clip = (noise + saw) >> 1
        case 1:
            clip = noise >> 9
        case 2:
            clip = (saw >> 2) + (triangle >> (1 + 4 * ((position >> 13) & 1))) + (noise >> 10)
        case _:
            clip = noise >> ((position & 4095) >> 8)
    return clip


def _hash(x: UInt32Array) -> UInt32Array:
    """Mix all bits of each number, so that counting gives white noise."""
    x = x ^ _upper_half(x)
    x = x * np.uint32(0x8411A90F)
    x = x ^ _upper_half(x)
    x = x * np.uint32(0x4D0A6767)
    return x ^ _upper_half(x)


def _upper_half(x: UInt32Array) -> UInt32Array:
    return x >> np.uint32(16)


def _modulo(x: int) -> np.uint32:
    return np.uint32(x % 2**32)


def _centred(x: UInt32Array) -> Int32Array:
    """Turn 0 ... 65535 into signed numbers around zero."""
    return x.astype(np.int32) - np.int32(32_768)
