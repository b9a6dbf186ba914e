"""Settings of the front end, the clip and the model: each constant of what is exported, defined once."""

import hashlib
import math
import re
from collections import Counter
from typing import Any, Literal, TypeAlias, get_args

import msgspec

from osscl.errors import ConfigError

ModelInputs: TypeAlias = Literal["three_maps", "log_mel"]
HeadKind: TypeAlias = Literal["basic", "leaky_relu", "none"]
Channel: TypeAlias = int | Literal["mean"]
"""Which channel of several is taken, counted from 0, or their mean."""
Padding: TypeAlias = Literal["repeat", "zero"]
"""What a short recording is filled with: itself, or zeros."""

MAX_SIZE = 2**31 - 1
"""Largest sample rate, and samples of a clip: what other languages hold in an int."""
MAX_SCALE = 1e30
"""Largest scale of the logits: every score is a finite float32."""
_LARGEST_FLOAT32 = 3.4028234663852886e38


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all settings: immutable, compared by value, written as JSON."""


class FrontendConfig(Settings, frozen=True, kw_only=True):
    """Settings of the log-mel front end.

    Attributes
    ----------
    algorithm : str
        Names the exact computation; a change of its arithmetic gets a new name, so that
        a model trained with one is never fed by another.
    sample_rate_hz : int
        Sample rate of the waveform.
    n_fft : int
        Points of the Fourier transform and of the periodic Hann window.
    hop_length : int
        Samples between the centres of two frames.
    n_mels : int
        Number of triangular filters, Slaney scale and area norm.
    f_min_hz, f_max_hz : float
        Lower edge of the first and upper edge of the last filter.
    power_floor : float
        Mel power below which the decibel value stays constant.

    References
    ----------
    Section "Log-mel" of ``docs/format.md``.
    """

    algorithm: Literal["osscl.log_mel/1"] = "osscl.log_mel/1"
    sample_rate_hz: int = 16_000
    n_fft: int = 2048
    hop_length: int = 512
    n_mels: int = 128
    f_min_hz: float = 0.0
    f_max_hz: float = 8000.0
    power_floor: float = 1e-10

    def __post_init__(self) -> None:
        take_types(self)
        if self.n_fft != 2048:
            raise ConfigError(f"n_fft is {self.n_fft}; the native transform is made for 2048 points")
        if self.hop_length < 4 or self.hop_length % 4 or self.n_fft % self.hop_length:
            raise ConfigError(
                f"hop_length is {self.hop_length}; expected a multiple of 4 that divides n_fft = {self.n_fft}"
            )
        _check_size("sample_rate_hz", self.sample_rate_hz)
        if not 1 <= self.n_mels <= self.n_fft // 2:
            raise ConfigError(f"n_mels is {self.n_mels}; it must lie between 1 and {self.n_fft // 2}")
        if not 0.0 <= self.f_min_hz < self.f_max_hz <= self.sample_rate_hz / 2:
            raise ConfigError(
                f"f_min_hz, f_max_hz are {self.f_min_hz}, {self.f_max_hz}; "
                f"expected 0 <= f_min_hz < f_max_hz <= {self.sample_rate_hz / 2}"
            )
        if not 1e-37 <= self.power_floor <= _LARGEST_FLOAT32:
            raise ConfigError(
                f"power_floor is {self.power_floor}; it must be a normal float32 above zero, "
                f"from 1e-37 to {_LARGEST_FLOAT32}"
            )

    def n_frames(self, n_samples: int) -> int:
        """Number of frames of a centred transform.

        Parameters
        ----------
        n_samples : int
            Length of the waveform.

        Returns
        -------
        int
            1 + n_samples // hop_length.
        """
        return 1 + n_samples // self.hop_length

    @property
    def sha256(self) -> str:
        """SHA-256 over these settings, as lower-case hexadecimal digits."""
        return _sha256(self)


class FeatureConfig(Settings, frozen=True, kw_only=True):
    """What the features of a machine's memory are made from; features of other settings are not compared.

    Attributes
    ----------
    algorithm : str
        Names the exact computation; a change of its arithmetic gets a new name.
    log_mel_sha256 : str
        Hash of the settings of the log-mel, `FrontendConfig.sha256`.
    n_samples : int
        Samples of one clip.
    """

    algorithm: Literal["osscl.memory/1"] = "osscl.memory/1"
    log_mel_sha256: str
    n_samples: int

    def __post_init__(self) -> None:
        take_types(self)
        if not re.fullmatch(r"[0-9a-f]{64}", self.log_mel_sha256):
            raise ConfigError(
                f"log_mel_sha256 is {self.log_mel_sha256!r}; expected 64 lower-case hexadecimal digits"
            )
        _check_size("n_samples", self.n_samples)

    @property
    def sha256(self) -> str:
        """SHA-256 over these settings, as lower-case hexadecimal digits."""
        return _sha256(self)


class ClipConfig(Settings, frozen=True, kw_only=True):
    """What one clip is: its length, and where it is cut from a longer recording.

    Attributes
    ----------
    n_samples : int
        Samples of one clip.
    position : str
        Part of a longer recording that is scored: always its start.
    """

    n_samples: int = 160_000
    position: Literal["start"] = "start"

    def __post_init__(self) -> None:
        take_types(self)
        _check_size("n_samples", self.n_samples)


class ModelConfig(Settings, frozen=True, kw_only=True):
    """Shape of the network and of its margin.

    Attributes
    ----------
    classes : tuple of str
        Names of the machine IDs, in the order of the rows of the class weight.
    inputs : {"three_maps", "log_mel"}
        Maps the encoder sees: log-mel, Tgram and TFgram, or the log-mel alone.
    head : {"basic", "leaky_relu", "none"}
        Feature-perturbation head between encoder and embedding.
    margin : float
        Angular margin m of ArcFace, radians.
    scale : float
        Scale s of the logits.
    sub_centres : int
        Weight vectors of each class; the cosine is that to the nearest.
    """

    classes: tuple[str, ...]
    inputs: ModelInputs = "three_maps"
    head: HeadKind = "basic"
    margin: float = 0.4
    scale: float = 30.0
    sub_centres: int = 1

    def __post_init__(self) -> None:
        take_types(self)
        _check_size("sub_centres", self.sub_centres)
        if not self.classes or any(not name for name in self.classes):
            raise ConfigError("classes must name at least one machine ID, none of them empty")
        doubles = sorted(name for name, count in Counter(self.classes).items() if count > 1)
        if doubles:
            raise ConfigError(f"classes must differ from each other; named twice: {', '.join(doubles)}")
        if not 0.0 <= self.margin < math.pi / 2:
            raise ConfigError(f"margin is {self.margin}; it must lie in [0, pi/2) radians")
        if not 0.0 < self.scale <= MAX_SCALE:
            raise ConfigError(f"scale is {self.scale}; it must be positive, and {MAX_SCALE:g} at most")


def _sha256(settings: Settings) -> str:
    return hashlib.sha256(msgspec.json.encode(settings, order="sorted")).hexdigest()


def _check_size(name: str, value: int) -> None:
    if not 1 <= value <= MAX_SIZE:
        raise ConfigError(f"{name} is {value}; it must lie between 1 and {MAX_SIZE}")


_WORDS: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    bool | None: "True or False",
    str: "text",
    tuple[str, ...]: "a tuple of names",
}


def take_types(settings: Settings) -> None:
    """Refuse fields of another type than stated, and give equal settings one form.

    They are hashed as they are written: a whole number in place of a float becomes one, -0.0 becomes 0.0.

    Parameters
    ----------
    settings : Settings
        Settings that were just made; changed in place.

    Raises
    ------
    ConfigError
        A field is of another type.
    """
    for field in msgspec.structs.fields(settings):
        given = getattr(settings, field.name)
        try:
            value = msgspec.convert(given, field.type)
        except msgspec.ValidationError:
            expected = _WORDS.get(field.type) or f"one of: {', '.join(map(str, get_args(field.type)))}"
            raise ConfigError(f"{field.name} is {given!r}; expected {expected}") from None
        if field.type is float:
            value += 0.0
        msgspec.structs.force_setattr(settings, field.name, value)


def check_fit(resample: object, channel: object, pad: object) -> None:
    """Refuse what is no way to make recordings fit.

    Parameters
    ----------
    resample, channel, pad
        What was asked for, see `osscl.audio.reading.Fit`.

    Raises
    ------
    ConfigError
        A value is none of those that are known.
    """
    if not isinstance(resample, bool):
        raise ConfigError(f"resample is {resample!r}; it must be True or False")
    is_number = isinstance(channel, int) and not isinstance(channel, bool) and channel >= 0
    if not (is_number or channel is None or channel == "mean"):
        raise ConfigError(f"channel is {channel!r}; it must be a number from 0, or 'mean'")
    if pad is not None and pad not in get_args(Padding):
        raise ConfigError(f"pad is {pad!r}; it must be 'repeat' or 'zero'")


EMBEDDING_SIZE = 128
FRONTEND = FrontendConfig()
CLIP = ClipConfig()
FEATURES = FeatureConfig(log_mel_sha256=FRONTEND.sha256, n_samples=CLIP.n_samples)
