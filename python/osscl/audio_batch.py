"""Several recordings at once, as one batch of waveforms."""

import os
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from osscl.audio import Fit, Padding, read_audio
from osscl.config import CLIP, FRONTEND
from osscl.decoder import Channel
from osscl.errors import InputError
from osscl.frontend import checked_threads, usable_cpus
from osscl.samples import output_array
from osscl.wav import Path, read_wavs


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
    bits, float) are read several at once and straight into the batch; other files follow one by one.

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
    is_read = read_wavs(files, batch, fit.one_channel, FRONTEND.sample_rate_hz, n_threads)
    for row, path, is_done in zip(batch, files, is_read, strict=True):
        if not is_done:
            row[:] = read_audio(path, resample=resample, channel=channel, pad=pad)
    return batch


def _checked_paths(paths: Iterable[Path]) -> list[Path]:
    if isinstance(paths, str | bytes | os.PathLike):
        raise InputError(f"paths is the single path {paths!r}; expected several: pass a list of paths")
    files = list(paths)
    for file in files:
        if not isinstance(file, str | os.PathLike):
            raise InputError(f"paths holds an object of type {type(file).__name__}; expected str or path")
    return files
