"""Reading of recordings: the rules by which a file becomes the clip that a model scores.

A recording must have the model's sample rate, one channel and at least the clip's length; what
does not fit is refused, unless the caller says how to make it fit. Nothing is guessed.
"""

import os

import numpy as np
from numpy.typing import NDArray

from osscl.audio.bytestream import AudioSource, open_source
from osscl.audio.decoder import Recording, open_recording
from osscl.audio.fitting import AS_THEY_ARE, Clip, Cutter, Fit
from osscl.audio.samples import to_waveform
from osscl.audio.silence import silence_of
from osscl.audio.wav import read_wav
from osscl.config import CLIP, FRONTEND, Channel, ClipConfig, Padding
from osscl.errors import AudioCorruptError, AudioError, AudioUnfitError
from osscl.support.log import quiet_logger
from osscl.support.paths import printable

_log = quiet_logger(__name__)
__all__ = ["AS_THEY_ARE", "AUDIO_SUFFIXES", "Clip", "Fit", "name_file", "read_audio", "read_clip"]

AUDIO_SUFFIXES = (".wav", ".flac", ".w64", ".rf64")
"""Endings, in lower case, of the files that a folder run takes for recordings."""


def read_audio(
    source: AudioSource,
    resample: bool = False,
    channel: Channel | None = None,
    pad: Padding | None = None,
) -> NDArray[np.float32]:
    """Read the first ten seconds of a recording as the model takes them.

    Of a longer one the logger ``osscl`` says what was left out; `osscl.read_windows` reads all of it.

    Parameters
    ----------
    source : str, path, bytes, binary file object or upload
        A file in any format that libsndfile decodes, as a path, as its content, or opened;
        a file object must be able to seek and is read from its start.
    resample : bool
        Convert another sample rate to 16 kHz instead of refusing it (needs ``osscl[resample]``).
    channel : int, "mean" or None
        Channel to take from a recording of several, counted from 0, or their mean;
        None refuses it.
    pad : {"repeat", "zero"} or None
        Fill a recording shorter than ten seconds by repeating it or with zeros; None refuses it.

    Returns
    -------
    ndarray of float32, shape (160000,)
        Waveform at 16 kHz, full scale ±1.

    Raises
    ------
    AudioReadError
        If the source cannot be opened or read.
    AudioCorruptError
        If it holds no recording, or a damaged one: shorter than its header declares (WAV and
        FLAC), or with samples that are not finite or beyond 8 in magnitude.
    AudioUnfitError
        If sample rate, channel count or length differ and no argument says how to make them fit.
    ConfigError
        If an argument is none of the values above.
    InputError
        If `source` is neither path, bytes, binary file object nor upload.
    MissingExtraError
        If `resample` is asked for and soxr is not installed.

    References
    ----------
    Decoding: libsndfile. Resampling: the SoX Resampler library, quality VHQ, linear phase.
    """
    fit = Fit(resample=resample, channel=channel, pad=pad)
    try:
        clip = read_clip(source, fit)
    except AudioError as error:
        if isinstance(source, str | os.PathLike):
            name_file(error, source)
        raise
    if clip.unheard_s:
        named = f"{printable(source)}: " if isinstance(source, str | os.PathLike) else ""
        _log.warning(
            "%sthe first %g s of %.6g s are read; osscl.read_windows reads them all",
            named, clip.duration_s, clip.recording_s,
        )  # fmt: skip
    return to_waveform(clip.samples)


def name_file(error: AudioError, path: str | os.PathLike[str]) -> None:
    """Put the name of the file before the message of an error that `read_clip` raised."""
    error.args = (f"{printable(path)}: {error}",)


def read_clip(
    source: AudioSource,
    fit: Fit = AS_THEY_ARE,
    clip: ClipConfig = CLIP,
    sample_rate_hz: int = FRONTEND.sample_rate_hz,
    start_s: float | None = None,
) -> Clip:
    """Read the part of a recording that a model scores, by the rules of the folder run.

    Messages of the errors do not name the source. Errors raised once the header is read carry
    its sample rate and the recording's duration.

    Parameters
    ----------
    source : str, path, bytes or binary file object
        As for `read_audio`.
    fit : Fit
        How a recording that does not fit may be made to fit.
    clip : ClipConfig
        Length of the clip.
    sample_rate_hz : int
        Sample rate that the model takes.
    start_s : float, optional
        Where the clip begins; then it is that very window of `osscl.audio.windows`, which recordings have
        that are damaged behind it, too. By default it is the beginning of a recording that is whole.

    Returns
    -------
    Clip
        The samples and what is known of the recording.

    Raises
    ------
    AudioReadError, AudioCorruptError, AudioUnfitError, InputError
        As for `read_audio`.
    """
    if start_s is None and isinstance(source, str | os.PathLike):
        found = read_wav(source, clip.n_samples, fit.one_channel, sample_rate_hz)
        if found is not None:
            clip_s, recording_s = clip.n_samples / sample_rate_hz, found.n_frames / sample_rate_hz
            return Clip(found.samples, sample_rate_hz, clip_s, silence_of(found.samples), recording_s)
    with open_source(source) as stream:
        if stream.seek(0, os.SEEK_END) == 0:
            raise AudioCorruptError("the file is empty")
        with open_recording(stream, up_to_its_flaw=start_s is not None) as recording:
            if start_s is None:
                return _read_fitting(recording, fit, clip.n_samples, sample_rate_hz)
            return _read_from(start_s, recording, fit, clip.n_samples, sample_rate_hz)


def _read_fitting(recording: Recording, fit: Fit, n_samples: int, sample_rate_hz: int) -> Clip:
    """Read the first `n_samples` samples at `sample_rate_hz`, or say why they cannot be had."""
    cutter = Cutter.of(recording, fit, n_samples, sample_rate_hz)
    n_read = min(cutter.n_read, recording.n_frames)
    return cutter.clip(recording.read(n_read, cutter.channel, cutter.dtype), recording.n_frames)


def _read_from(start_s: float, recording: Recording, fit: Fit, n_samples: int, sample_rate_hz: int) -> Clip:
    """Read the window that begins there."""
    cutter = Cutter.of(recording, fit, n_samples, sample_rate_hz)
    start = round(start_s * recording.sample_rate_hz)
    n_left = recording.n_frames - start
    if not 0 <= start < recording.n_frames or (n_left < cutter.n_needed and fit.pad is None):
        raise AudioUnfitError(
            f"it lasts {recording.duration_s:.6g} s: no window of {n_samples / sample_rate_hz:g} s begins at "
            f"{start_s:g} s; pad='repeat' or 'zero' (--pad repeat|zero) fills up the last one"
        )
    recording.go_to(start)
    return cutter.clip(recording.read_on(min(cutter.n_read, n_left), cutter.channel, cutter.dtype), n_left)
