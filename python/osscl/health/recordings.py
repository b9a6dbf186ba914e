"""One recording looked at before anything is made of it: what it is, if it can be taken, and its sound."""

import os
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from osscl.audio.bytestream import open_source
from osscl.audio.candidate import Candidate
from osscl.audio.decoder import open_recording
from osscl.audio.quality import Measured, of_recorded
from osscl.audio.reading import Clip, Fit, read_clip
from osscl.audio.recorded_at import AS_RECORDED
from osscl.audio.samples import clip_sha256
from osscl.config import CLIP, FRONTEND
from osscl.errors import AudioCorruptError, AudioError, AudioUnfitError, ClipError, MissingExtraError
from osscl.features import BLOCKS, memory_features


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of itself.

    Attributes
    ----------
    sample_rate_hz, n_channels : int
        As declared.
    duration_s : float
        Length of the whole recording.
    format : str
        Container and samples, such as "WAV PCM_16".
    """

    sample_rate_hz: int
    n_channels: int
    duration_s: float
    format: str

    def needs(self) -> list[str]:
        """Options without which it is refused."""
        rate_hz = FRONTEND.sample_rate_hz
        found = {
            "--resample": self.sample_rate_hz != rate_hz,
            "--channel N|mean": self.n_channels > 1,
            "--pad repeat|zero": self.duration_s < CLIP.n_samples / rate_hz,
        }
        return [option for option, is_needed in found.items() if is_needed]


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """What was heard of a recording.

    Attributes
    ----------
    sha256 : str
        Of its clip.
    measured : Measured
        Of the part that was recorded, B = 1.
    levels : ndarray of float32, [32]
        Of the bands, dB.
    """

    sha256: str
    measured: Measured
    levels: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class LookedAt:
    """One recording.

    Attributes
    ----------
    path : str
        The file.
    recorded_at : str or None
        When it began, where its name or its ``bext`` chunk tells.
    header : Header or None
        None where it could not be read.
    problem : ClipError or None
        Why it cannot be taken as it is; None where it can.
    sound : Sound or None
        What was heard once it was made to fit; None where it cannot be, or nothing is heard.
    """

    path: str
    recorded_at: str | None
    header: Header | None
    problem: ClipError | None
    sound: Sound | None


def look_at(candidate: Candidate) -> LookedAt:
    """Read one recording, made to fit where it does not: its quality can be told all the same.

    Parameters
    ----------
    candidate : Candidate
        The file.

    Returns
    -------
    LookedAt
        Whatever the file is.
    """
    path = os.fsdecode(candidate.path)
    recorded_at = AS_RECORDED.of(path, 0)
    if candidate.problem is not None:
        return LookedAt(path, recorded_at, None, candidate.problem, None)
    header: Header | None = None
    problem: ClipError | None = None
    sound: Sound | None = None
    try:
        header = _header(path)
        sound = _sound(read_clip(path))
    except AudioUnfitError as error:
        problem = error
        sound = None if header is None else _sound_made_to_fit(path, header)
    except AudioError as error:
        problem = error
    return LookedAt(path, recorded_at, header, problem, sound)


def _header(path: str) -> Header:
    with open_source(path) as stream, open_recording(stream) as recording:
        return Header(recording.sample_rate_hz, recording.n_channels, recording.duration_s, recording.format)


def _sound_made_to_fit(path: str, header: Header) -> Sound | None:
    try:
        needs_resampling = header.sample_rate_hz != FRONTEND.sample_rate_hz
        fit = Fit(needs_resampling, None if header.n_channels == 1 else "mean", "repeat")
        return _sound(read_clip(path, fit))
    except (AudioError, MissingExtraError):  # the first refusal is what is to be said of it
        return None


def _sound(clip: Clip) -> Sound:
    if clip.silence is not None:
        raise AudioCorruptError(f"{clip.silence}: a dead microphone or channel?")
    (features,) = memory_features(np.ascontiguousarray(clip.samples[np.newaxis]), threads=1)
    return Sound(clip_sha256(clip.samples), of_recorded(clip), features[BLOCKS["level"]])
