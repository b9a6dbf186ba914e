"""Several recordings at once, as one batch: plain WAV files straight into their rows, the others decoded."""

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from osscl.audio.reading import Clip, Fit, name_file, read_clip
from osscl.audio.samples import Samples, output_array, to_waveform
from osscl.audio.silence import silence_of
from osscl.audio.wav import Path, read_wavs
from osscl.config import CLIP, FRONTEND, Channel, ClipConfig, Padding
from osscl.errors import AudioError, InputError
from osscl.support.log import quiet_logger
from osscl.support.threads import checked_threads, usable_cpus

_log = quiet_logger(__name__)
Read = TypeVar("Read")


def read_audio_batch(
    paths: Iterable[Path],
    resample: bool = False,
    channel: Channel | None = None,
    pad: Padding | None = None,
    out: npt.NDArray[np.float32] | None = None,
    threads: int | None = None,
) -> npt.NDArray[np.float32]:
    """Read the first ten seconds of several recordings as the model takes them.

    Row by row what `read_audio` gives. Plain WAV files of the model's rate (PCM of 16, 24 or 32
    bits, float) are read straight into the batch, before all others are decoded.

    Parameters
    ----------
    paths : iterable of str or path, [B]
        Files in any format that libsndfile decodes.
    resample : bool
        Convert another sample rate to 16 kHz instead of refusing it (needs ``osscl[resample]``).
    channel : int, "mean" or None
        Channel to take from recordings of several, counted from 0, or their mean; None refuses them.
    pad : {"repeat", "zero"} or None
        Fill recordings shorter than ten seconds by repeating them or with zeros; None refuses them.
    out : ndarray of float32, [B, 160000], optional
        C-contiguous array that receives the result; reading into the same one again is faster.
    threads : int, optional
        Threads at most, the calling one included; by default one for each usable processor.

    Returns
    -------
    ndarray of float32, [B, 160000]
        Waveforms at 16 kHz, full scale ±1, in the order of `paths`. `out` itself where it was given.

    Raises
    ------
    AudioReadError, AudioCorruptError, AudioUnfitError
        For the first file, in order, that cannot be read as it is; see `read_audio`.
    ConfigError
        If an argument is none of the values above.
    InputError
        If `paths` is a single path or holds something else than paths, or `out` does not fit.
    MissingExtraError
        If `resample` is asked for and soxr is not installed.
    """
    fit = Fit(resample=resample, channel=channel, pad=pad)
    files = _checked_paths(paths)
    n_threads = usable_cpus() if threads is None else checked_threads(threads)
    batch = output_array(out, (len(files), CLIP.n_samples))
    clips = read_clips(files, batch, fit, CLIP, FRONTEND.sample_rate_hz, n_threads)
    for path, clip in zip(files, clips, strict=True):
        if isinstance(clip, AudioError):
            name_file(clip, path)
            raise clip
    n_longer = sum(isinstance(clip, Clip) and clip.unheard_s > 0 for clip in clips)
    if n_longer:
        _log.warning(
            "%d of %d recordings are longer than %g s, of which their first are read; osscl.read_windows reads "
            "them all",
            n_longer, len(files), CLIP.n_samples / FRONTEND.sample_rate_hz,
        )  # fmt: skip
    return batch


def read_clips(
    paths: Sequence[Path], rows: Samples, fit: Fit, clip: ClipConfig, sample_rate_hz: int, threads: int
) -> list[Clip | AudioError]:
    """Read recordings into the rows of one array: what `read_clip` gives for each of them.

    Parameters
    ----------
    paths : sequence of str or path, [B]
        The files.
    rows : ndarray of int16 or float32, [B, n_samples]
        C-contiguous; receives the samples, float32 at full scale ±1.
    fit, clip, sample_rate_hz
        As for `read_clip`.
    threads : int
        Files read side by side, at most; 1 reads them in the calling thread.

    Returns
    -------
    list of Clip or AudioError, [B]
        The samples of a clip are its row; or an array of their own, where they are float32 and the
        rows int16. The rows of such clips and of errors mean nothing.
    """
    read_natively = read_wavs(paths, rows, fit.one_channel, sample_rate_hz, threads)
    left = [place for place, found in enumerate(read_natively) if found is None]

    def read(place: int) -> Clip | AudioError:
        return _decoded(paths[place], rows[place], fit, clip, sample_rate_hz)

    decoded = iter(side_by_side(read, left, threads))
    duration_s = clip.n_samples / sample_rate_hz
    return [
        next(decoded)
        if found is None
        else Clip(
            row,
            sample_rate_hz,
            duration_s,
            silence_of(row) if found.is_silent else None,
            found.n_frames / sample_rate_hz,
        )
        for row, found in zip(rows, read_natively, strict=True)
    ]


def side_by_side(read: Callable[[int], Read], places: Sequence[int], threads: int) -> list[Read]:
    """Read what lies at some places, by so many threads at most.

    Parameters
    ----------
    read : callable
        Reads one; raises nothing.
    places : sequence of int
        What it is called with.
    threads : int
        Threads; with 1 it is called in the calling thread.

    Returns
    -------
    list
        What it gave, in order.
    """
    n_threads = min(threads, len(places))
    if n_threads <= 1:
        return list(map(read, places))
    with ThreadPoolExecutor(n_threads, "osscl-reader") as pool:
        return list(pool.map(read, places))


def _decoded(path: Path, row: Samples, fit: Fit, clip: ClipConfig, sample_rate_hz: int) -> Clip | AudioError:
    """Read one recording, into its row [n_samples] where that can hold it."""
    try:
        read = read_clip(path, fit, clip, sample_rate_hz)
    except AudioError as error:
        # the frames behind it hold the rows, which shall be free for others as soon as they are let go
        error.__cause__ = error.__context__ = None
        return error.with_traceback(None)
    return into_row(read, row)


def into_row(clip: Clip, row: Samples) -> Clip:
    """Put the samples of a clip into a row [n_samples], unless they are float32 and the row is int16."""
    if row.dtype == np.float32:
        row[:] = to_waveform(clip.samples)
    elif clip.samples.dtype == np.int16:
        row[:] = clip.samples
    else:
        return clip
    return replace(clip, samples=row)


def _checked_paths(paths: Iterable[Path]) -> list[Path]:
    if isinstance(paths, str | bytes | os.PathLike):
        raise InputError(f"paths is the single path {paths!r}; expected several: pass a list of paths")
    files = list(paths)
    for file in files:
        if not isinstance(file, str | os.PathLike):
            raise InputError(f"paths holds an object of type {type(file).__name__}; expected str or path")
    return files
