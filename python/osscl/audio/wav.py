"""Plain WAV files, read without a decoder: the only caller of the native reader.

It gives the samples that libsndfile would give, bit by bit, or nothing. Whatever is not a plain,
complete WAV file of the rate and channel asked for is left to `osscl.decoder`, which reads it or
says what is wrong.
"""

import os
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from osscl import _native
from osscl.audio.samples import LEVEL_LIMIT, Samples

Path: TypeAlias = str | os.PathLike[str]

_MAX_NATIVE = 2**31 - 1


class WavBeginning(NamedTuple):
    """What was read of a plain WAV file.

    Attributes
    ----------
    samples : ndarray of int16 or float32, [n_samples]
        int16 of 16-bit PCM, float32 at full scale ±1 (none beyond 8) of everything else.
    n_frames : int
        How many frames the file holds.
    """

    samples: Samples
    n_frames: int


class RowRead(NamedTuple):
    """What was read into a row.

    Attributes
    ----------
    is_silent : bool
        Whether it is that of a dead channel (see `osscl.audio.silence`).
    n_frames : int
        How many frames the file holds.
    """

    is_silent: bool
    n_frames: int


def read_wav(path: Path, n_samples: int, channel: int | None, sample_rate_hz: int) -> WavBeginning | None:
    """Read the first samples of one channel of a plain WAV file.

    Parameters
    ----------
    path : str or path
        The file.
    n_samples : int
        Samples to read.
    channel : int or None
        Channel, counted from 0; None takes the only one there is.
    sample_rate_hz : int
        Sample rate that the file must have.

    Returns
    -------
    WavBeginning or None
        None for a file that this reader leaves to the decoder.
    """
    name = _name(path)
    if name is None or max(n_samples, sample_rate_hz) > _MAX_NATIVE:
        return None
    found = _native.read_wav(
        path=name,
        n_samples=n_samples,
        channel=_native_channel(channel),
        sample_rate_hz=sample_rate_hz,
        level_limit=LEVEL_LIMIT,
    )
    return None if found is None else WavBeginning(*found)


def read_wavs(
    paths: Sequence[Path], rows: Samples, channel: int | None, sample_rate_hz: int, threads: int
) -> Sequence[RowRead | None]:
    """Read several plain WAV files at once, each into its row.

    Parameters
    ----------
    paths : sequence of str or path, [B]
        The files.
    rows : ndarray of int16 or float32, [B, n_samples]
        C-contiguous; receives the samples. int16 holds those of 16-bit PCM alone and leaves other
        files to the decoder; float32 holds all, at full scale ±1.
    channel, sample_rate_hz
        As for `read_wav`.
    threads : int
        Threads at most, the calling one included.

    Returns
    -------
    sequence of RowRead or None, [B]
        None for a row that was not read, whose content means nothing.
    """
    if rows.size == 0 or sample_rate_hz > _MAX_NATIVE:
        return [None] * len(paths)
    found = _native.read_wavs(
        paths=[_name(path) or b"" for path in paths],
        samples=rows,
        channel=_native_channel(channel),
        sample_rate_hz=sample_rate_hz,
        level_limit=LEVEL_LIMIT,
        n_threads=threads,
    )
    return [None if row is None else RowRead(*row) for row in found]


def _name(path: Path) -> bytes | None:
    """Name of the file for the operating system; None if it cannot be the name of any."""
    try:
        return os.fsencode(path)
    except UnicodeEncodeError:
        return None


def _native_channel(channel: int | None) -> int | None:
    # beyond the range there is no such channel in any file, which the clipped number says as well
    return None if channel is None else min(channel, _MAX_NATIVE)
