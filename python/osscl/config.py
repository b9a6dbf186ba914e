"""Settings of the front end, the clip and the model: each constant of the method, defined once."""

import hashlib
import math
from collections import Counter
from typing import Literal, TypeAlias, get_args

import msgspec

from osscl.errors import ConfigError

ModelInputs: TypeAlias = Literal["three_maps", "log_mel"]
HeadKind: TypeAlias = Literal["basic", "leaky_relu", "none"]


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
    Section "What is computed" of the README.
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
        if self.n_fft != 2048:
            raise ConfigError(f"n_fft is {self.n_fft}; the native transform is made for 2048 points")
        if self.hop_length < 4 or self.hop_length % 4 or self.n_fft % self.hop_length:
            raise ConfigError(
                f"hop_length is {self.hop_length}; expected a multiple of 4 that divides n_fft = {self.n_fft}"
            )
        if self.sample_rate_hz < 1:
            raise ConfigError(f"sample_rate_hz is {self.sample_rate_hz}; it must be positive")
        if not 1 <= self.n_mels <= self.n_fft // 2:
            raise ConfigError(f"n_mels is {self.n_mels}; it must lie between 1 and {self.n_fft // 2}")
        if not 0.0 <= self.f_min_hz < self.f_max_hz <= self.sample_rate_hz / 2:
            raise ConfigError(
                f"f_min_hz, f_max_hz are {self.f_min_hz}, {self.f_max_hz}; "
                f"expected 0 <= f_min_hz < f_max_hz <= {self.sample_rate_hz / 2}"
            )
        if not (math.isfinite(self.power_floor) and self.power_floor >= 1e-37):
            raise ConfigError(f"power_floor is {self.power_floor}; it must be a normal float32 above zero")

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
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()


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
        if self.n_samples < 1:
            raise ConfigError(f"n_samples is {self.n_samples}; it must be positive")


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
    """

    classes: tuple[str, ...]
    inputs: ModelInputs = "three_maps"
    head: HeadKind = "basic"
    margin: float = 0.4
    scale: float = 30.0

    def __post_init__(self) -> None:
        if not self.classes or any(not name for name in self.classes):
            raise ConfigError("classes must name at least one machine ID, none of them empty")
        doubles = sorted(name for name, count in Counter(self.classes).items() if count > 1)
        if doubles:
            raise ConfigError(f"classes must differ from each other; named twice: {', '.join(doubles)}")
        for name, value, choices in (
            ("inputs", self.inputs, get_args(ModelInputs)),
            ("head", self.head, get_args(HeadKind)),
        ):
            if value not in choices:
                raise ConfigError(f"{name} is {value!r}; expected one of: {', '.join(choices)}")
        if not isinstance(self.margin, int | float):
            raise ConfigError(f"margin is {self.margin!r}; expected a number of radians")
        if not 0.0 <= self.margin < math.pi / 2:
            raise ConfigError(f"margin is {self.margin}; it must lie in [0, pi/2) radians")
        if not (math.isfinite(self.scale) and self.scale > 0.0):
            raise ConfigError(f"scale is {self.scale}; it must be positive")


EMBEDDING_SIZE = 128
FRONTEND = FrontendConfig()
CLIP = ClipConfig()
