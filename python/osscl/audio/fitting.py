"""What makes a recording fit a model, and how clips are cut out of one that fits.

A recording must have the model's sample rate, one channel and at least the clip's length; what
does not fit is refused, unless the caller says how to make it fit. Nothing is guessed.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osscl.audio.decoder import Recording
from osscl.audio.samples import Samples, check_level
from osscl.audio.silence import silence_of
from osscl.config import FRONTEND, Channel, Padding, check_fit
from osscl.errors import AudioCorruptError, AudioUnfitError, ClipError
from osscl.support.failed_import import needing
from osscl.support.telemetry import import_quietly

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
        """Tell what is asked for.

        Returns
        -------
        dict
            By name; empty where recordings are taken as they are.
        """
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
    recording_s : float
        Seconds of the recording from the clip's beginning on: more than `duration_s` where it was cut.
    """

    samples: Samples
    sample_rate_hz: int
    duration_s: float
    silence: str | None
    recording_s: float

    @property
    def unheard_s(self) -> float:
        """Seconds of the recording that follow the clip; 0 where nothing does."""
        left_s = self.recording_s - self.duration_s
        return left_s if left_s > _ROUNDING_S else 0.0

    def is_padded(self, sample_rate_hz: int = FRONTEND.sample_rate_hz) -> bool:
        """Whether the recording was shorter and was filled up; `sample_rate_hz` is that of the samples."""
        return self.duration_s < len(self.samples) / sample_rate_hz - _ROUNDING_S

    def n_recorded(self, sample_rate_hz: int = FRONTEND.sample_rate_hz) -> int:
        """How many of the samples were recorded, at least one; what follows them fills them up."""
        n_samples = len(self.samples)
        if not self.is_padded(sample_rate_hz):
            return n_samples
        return max(1, min(n_samples, round(self.duration_s * sample_rate_hz)))


@dataclass(frozen=True, slots=True)
class Cutter:
    """Cuts clips out of one recording that fits, or can be made to.

    Attributes
    ----------
    rate_hz, to_hz : int
        Sample rate of the file, and of the clips.
    n_samples : int
        Samples of a clip.
    n_needed : int
        Frames of the file that a clip covers.
    n_read : int
        Frames to read for it: the resampler's filter reaches beyond its end.
    channel : int or "mean"
        What is taken of each frame.
    dtype : type
        What the samples are read as: int16 where they stay as they are, else float32.
    pad : {"repeat", "zero"} or None
        How what is left of the recording is filled up where that is less than a clip.
    """

    rate_hz: int
    to_hz: int
    n_samples: int
    n_needed: int
    n_read: int
    channel: Channel
    dtype: type[np.int16] | type[np.float32]
    pad: Padding | None

    @classmethod
    def of(cls, recording: Recording, fit: Fit, n_samples: int, sample_rate_hz: int) -> "Cutter":
        """Find out how a recording is cut into clips.

        Parameters
        ----------
        recording : Recording
            The recording.
        fit : Fit
            How it may be made to fit.
        n_samples, sample_rate_hz : int
            Length and sample rate of the clips.

        Returns
        -------
        Cutter
            What cuts it.

        Raises
        ------
        AudioUnfitError
            It does not fit, with all reasons.
        """
        rate_hz = recording.sample_rate_hz
        n_needed = -(-n_samples * rate_hz // sample_rate_hz)  # rounded up
        misfits = list(_misfits(recording, fit, n_needed, sample_rate_hz))
        if misfits:
            raise AudioUnfitError("; and ".join(misfits))
        is_resampled = rate_hz != sample_rate_hz
        channel = 0 if fit.channel is None or recording.n_channels == 1 else fit.channel
        stays_int16 = recording.is_pcm_16 and channel != "mean" and not is_resampled
        reach = round(_RESAMPLER_REACH_S * rate_hz) if is_resampled else 0
        dtype: type[np.int16] | type[np.float32] = np.int16 if stays_int16 else np.float32
        return cls(rate_hz, sample_rate_hz, n_samples, n_needed, n_needed + reach, channel, dtype, fit.pad)

    def clip(self, samples: NDArray[Any], n_left: int) -> Clip:
        """Make a clip of what was read for it.

        Parameters
        ----------
        samples : ndarray of int16 or float32, [at most n_read]
            One channel, from the clip's first frame on.
        n_left : int
            Frames of the recording from there on.

        Returns
        -------
        Clip
            The clip, converted and filled up where that is asked for.

        Raises
        ------
        AudioCorruptError
            Samples that are no sound at full scale ±1.
        AudioUnfitError
            Nothing is left of them at the other sample rate.
        """
        if self.dtype is np.float32:
            check_level(samples, AudioCorruptError)
        silence = silence_of(samples)  # of what was recorded: converting or filling it up would hide it
        if self.rate_hz != self.to_hz:
            samples = _resampled(samples, self.rate_hz, self.to_hz)
        left_s = n_left / self.rate_hz
        padded = cut_or_padded(samples, self.n_samples, self.pad)
        return Clip(padded, self.rate_hz, min(left_s, self.n_samples / self.to_hz), silence, left_s)


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
            f"it has {recording.n_channels} channels, expected 1; channel=N or channel='mean' "
            "(--channel N|mean) takes one, counted from 0, or mixes them"
        )
    elif isinstance(fit.channel, int) and fit.channel >= recording.n_channels:
        yield f"channel {fit.channel}, counted from 0, was asked for and it has {recording.n_channels}"
    if recording.n_frames < n_needed and fit.pad is None:
        yield (
            f"it lasts {recording.duration_s:.6g} s, expected at least "
            f"{n_needed / recording.sample_rate_hz:.6g} s; "
            "pad='repeat' or 'zero' (--pad repeat|zero) fills it up"
        )


def all_reasons(problem: ClipError, of_machine: str | None) -> str:
    """Say all that keeps a recording from being used, its machine included where it could be made to fit.

    Parameters
    ----------
    problem : ClipError
        What is wrong with the file or its sound.
    of_machine : str or None
        What is wrong with its machine; None where nothing is.

    Returns
    -------
    str
        Both in one sentence; of a file that no option mends, that alone.
    """
    return (
        f"{problem}; and {of_machine}"
        if of_machine and isinstance(problem, AudioUnfitError)
        else str(problem)
    )


def _resampled(samples: NDArray[Any], from_hz: int, to_hz: int) -> NDArray[Any]:
    resampled: NDArray[Any] = _load_soxr().resample(samples, from_hz, to_hz, quality=_RESAMPLER_QUALITY)
    if len(resampled) == 0:
        raise AudioUnfitError(f"it holds {len(samples)} samples at {from_hz} Hz: none is left at {to_hz} Hz")
    return resampled


def cut_or_padded(samples: NDArray[Any], n_samples: int, pad: Padding | None) -> NDArray[Any]:
    """The first `n_samples` samples, or all that there are, filled up."""
    if len(samples) >= n_samples:
        return samples[:n_samples]
    if pad == "repeat":
        return np.resize(samples, n_samples)
    return np.pad(samples, (0, n_samples - len(samples)))


def _load_soxr() -> Any:
    with needing("resampling", "resample"):
        return import_quietly("soxr")
