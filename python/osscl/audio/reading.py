"""Reading of recordings: the rules by which a file becomes the clip that a model scores.

A recording must have the model's sample rate, one channel and at least the clip's length; what
does not fit is refused, unless the caller says how to make it fit. Nothing is guessed.
"""

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osscl.audio.bytestream import AudioSource, open_source
from osscl.audio.decoder import Recording, open_recording
from osscl.audio.samples import Samples, check_level, to_waveform
from osscl.audio.silence import silence_of
from osscl.audio.wav import read_wav
from osscl.config import CLIP, FRONTEND, Channel, ClipConfig, Padding, check_fit
from osscl.errors import AudioCorruptError, AudioError, AudioUnfitError
from osscl.support.failed_import import needing
from osscl.support.paths import printable
from osscl.support.telemetry import import_quietly

AUDIO_SUFFIXES = (".wav", ".flac")
"""Endings, in lower case, of the files that a folder run takes for recordings."""

_RESAMPLER_QUALITY = "VHQ"
# A header that declares rates outside is damaged, or would cost gigabytes to convert.
_RESAMPLED_HZ = range(1_000, 768_001)
# From this far behind the cut the resampler's filter reaches no sample before it, at any of these rates.
_RESAMPLER_REACH_S = 0.25
_ROUNDING_S = 1e-6


@dataclass(frozen=True, slots=True)
class Fit:
    """How a recording that does not fit the model may be made to fit.

    Attributes
    ----------
    resample : bool
        Convert another sample rate to the model's (needs ``osscl[resample]``).
    channel : int, "mean" or None
        Which channel of several to take, counted from 0, or their mean;
        None refuses recordings of more than one channel.
    pad : {"repeat", "zero"} or None
        Fill a short recording by repeating it or with zeros; None refuses it.

    Raises
    ------
    ConfigError
        If a value is none of these.
    MissingExtraError
        If `resample` is asked for and soxr is not installed.
    """

    resample: bool = False
    channel: Channel | None = None
    pad: Padding | None = None

    def __post_init__(self) -> None:
        check_fit(self.resample, self.channel, self.pad)
        if self.resample:
            _load_soxr()

    def __str__(self) -> str:
        ways = (
            "resampled" if self.resample else None,
            None if self.channel is None else f"channel {self.channel}",
            None if self.pad is None else f"filled up ({self.pad})",
        )
        return ", ".join(way for way in ways if way) or "as they are"

    def stated(self) -> dict[str, bool | int | str]:
        """What is asked for, by name; empty where recordings are taken as they are."""
        return {
            name: value for name, value in asdict(self).items() if value is not None and value is not False
        }

    @property
    def one_channel(self) -> int | None:
        """The channel to take; None where a recording of one channel alone needs no mixing."""
        return None if self.channel == "mean" else self.channel


AS_THEY_ARE = Fit()
"""Recordings as they are: what does not fit is refused."""


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """The part of one recording that a model scores.

    Attributes
    ----------
    samples : ndarray of int16 or float32, shape (n_samples,)
        int16 where 16-bit samples were taken as they are, else float32 at full scale ±1.
    sample_rate_hz : int
        Sample rate of the file, before any conversion.
    duration_s : float
        Seconds of the recording that the samples cover: the clip's length for a recording that
        was cut, the recording's own for one that was padded.
    silence : str or None
        What the samples of a dead channel are, as a clause; None where there is sound.
    """

    samples: Samples
    sample_rate_hz: int
    duration_s: float
    silence: str | None

    def is_padded(self, sample_rate_hz: int = FRONTEND.sample_rate_hz) -> bool:
        """Whether the recording was shorter and was filled up; `sample_rate_hz` is that of the samples."""
        return self.duration_s < len(self.samples) / sample_rate_hz - _ROUNDING_S

    def n_recorded(self, sample_rate_hz: int = FRONTEND.sample_rate_hz) -> int:
        """How many of the samples were recorded, at least one; what follows them fills them up."""
        n_samples = len(self.samples)
        if not self.is_padded(sample_rate_hz):
            return n_samples
        return max(1, min(n_samples, round(self.duration_s * sample_rate_hz)))


def read_audio(
    source: AudioSource,
    resample: bool = False,
    channel: Channel | None = None,
    pad: Padding | None = None,
) -> NDArray[np.float32]:
    """Read the first ten seconds of a recording as the model takes them.

    Parameters
    ----------
    source : str, path, bytes or binary file object
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
        If `source` is neither path, bytes nor binary file object.
    MissingExtraError
        If `resample` is asked for and soxr is not installed.

    References
    ----------
    Decoding: libsndfile. Resampling: the SoX Resampler library, quality VHQ, linear phase.
    """
    fit = Fit(resample=resample, channel=channel, pad=pad)
    try:
        return to_waveform(read_clip(source, fit).samples)
    except AudioError as error:
        if isinstance(source, str | os.PathLike):
            name_file(error, source)
        raise


def name_file(error: AudioError, path: str | os.PathLike[str]) -> None:
    """Put the name of the file before the message of an error that `read_clip` raised."""
    error.args = (f"{printable(path)}: {error}",)


def read_clip(
    source: AudioSource,
    fit: Fit = Fit(),
    clip: ClipConfig = CLIP,
    sample_rate_hz: int = FRONTEND.sample_rate_hz,
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

    Returns
    -------
    Clip
        The samples and what is known of the recording.

    Raises
    ------
    AudioReadError, AudioCorruptError, AudioUnfitError, InputError
        As for `read_audio`.
    """
    if isinstance(source, str | os.PathLike):
        samples = read_wav(source, clip.n_samples, fit.one_channel, sample_rate_hz)
        if samples is not None:
            return Clip(samples, sample_rate_hz, clip.n_samples / sample_rate_hz, silence_of(samples))
    with open_source(source) as stream:
        if stream.seek(0, os.SEEK_END) == 0:
            raise AudioCorruptError("the file is empty")
        with open_recording(stream) as recording:
            return _read_fitting(recording, fit, clip.n_samples, sample_rate_hz)


def _read_fitting(recording: Recording, fit: Fit, n_samples: int, sample_rate_hz: int) -> Clip:
    """Read the first `n_samples` samples at `sample_rate_hz`, or say why they cannot be had."""
    n_needed = -(-n_samples * recording.sample_rate_hz // sample_rate_hz)  # rounded up
    misfits = list(_misfits(recording, fit, n_needed, sample_rate_hz))
    if misfits:
        raise AudioUnfitError("; and ".join(misfits))
    is_resampled = recording.sample_rate_hz != sample_rate_hz
    channel = 0 if fit.channel is None or recording.n_channels == 1 else fit.channel
    stays_int16 = recording.is_pcm_16 and channel != "mean" and not is_resampled
    n_read = n_needed + (round(_RESAMPLER_REACH_S * recording.sample_rate_hz) if is_resampled else 0)
    samples = recording.read(
        min(n_read, recording.n_frames), channel, np.int16 if stays_int16 else np.float32
    )
    if not stays_int16:
        check_level(samples, AudioCorruptError)
    silence = silence_of(samples)  # of what was recorded: converting or filling it up would hide it
    if is_resampled:
        samples = _resampled(samples, recording.sample_rate_hz, sample_rate_hz)
    duration_s = min(recording.duration_s, n_samples / sample_rate_hz)
    padded = _cut_or_padded(samples, n_samples, fit.pad)
    return Clip(padded, recording.sample_rate_hz, duration_s, silence)


def _misfits(recording: Recording, fit: Fit, n_needed: int, sample_rate_hz: int) -> Iterator[str]:
    """Say all that keeps a recording from being scored, so that one run tells every option it needs."""
    if recording.sample_rate_hz != sample_rate_hz:
        found = f"sample rate is {recording.sample_rate_hz} Hz, expected {sample_rate_hz} Hz"
        if not fit.resample:
            yield f"{found}; resample=True (--resample) converts it"
        elif recording.sample_rate_hz not in _RESAMPLED_HZ:
            yield f"{found}; only rates from {_RESAMPLED_HZ[0]} to {_RESAMPLED_HZ[-1]} Hz can be converted"
    if fit.channel is None and recording.n_channels > 1:
        yield (
            f"it has {recording.n_channels} channels, expected 1; channel=N, counted from 0, "
            "or channel='mean' (--channel N|mean) takes one or mixes them"
        )
    elif isinstance(fit.channel, int) and fit.channel >= recording.n_channels:
        yield f"channel {fit.channel}, counted from 0, was asked for and it has {recording.n_channels}"
    if recording.n_frames < n_needed and fit.pad is None:
        yield (
            f"it lasts {recording.duration_s:.6g} s, expected at least "
            f"{n_needed / recording.sample_rate_hz:.6g} s; "
            "pad='repeat' or 'zero' (--pad repeat|zero) fills it up"
        )


def _resampled(samples: NDArray[Any], from_hz: int, to_hz: int) -> NDArray[Any]:
    resampled: NDArray[Any] = _load_soxr().resample(samples, from_hz, to_hz, quality=_RESAMPLER_QUALITY)
    if len(resampled) == 0:
        raise AudioUnfitError(f"it holds {len(samples)} samples at {from_hz} Hz: none is left at {to_hz} Hz")
    return resampled


def _cut_or_padded(samples: NDArray[Any], n_samples: int, pad: Padding | None) -> NDArray[Any]:
    if len(samples) >= n_samples:
        return samples[:n_samples]
    if pad == "repeat":
        return np.resize(samples, n_samples)
    return np.pad(samples, (0, n_samples - len(samples)))


def _load_soxr() -> Any:
    with needing("resampling", "resample"):
        return import_quietly("soxr")
