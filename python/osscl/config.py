"""Settings of the front end, the clip and the model: each constant of the method, defined once."""

import hashlib
import math
import re
from collections import Counter
from typing import Any, Literal, TypeAlias, get_args

import msgspec

from osscl.errors import ConfigError

ModelInputs: TypeAlias = Literal["three_maps", "log_mel"]
HeadKind: TypeAlias = Literal["basic", "leaky_relu", "none"]
TrainingPrecision: TypeAlias = Literal["fp32", "bf16"]
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
        _take_types(self)
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
        _take_types(self)
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
        _take_types(self)
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
    """

    classes: tuple[str, ...]
    inputs: ModelInputs = "three_maps"
    head: HeadKind = "basic"
    margin: float = 0.4
    scale: float = 30.0

    def __post_init__(self) -> None:
        _take_types(self)
        if not self.classes or any(not name for name in self.classes):
            raise ConfigError("classes must name at least one machine ID, none of them empty")
        doubles = sorted(name for name, count in Counter(self.classes).items() if count > 1)
        if doubles:
            raise ConfigError(f"classes must differ from each other; named twice: {', '.join(doubles)}")
        if not 0.0 <= self.margin < math.pi / 2:
            raise ConfigError(f"margin is {self.margin}; it must lie in [0, pi/2) radians")
        if not 0.0 < self.scale <= MAX_SCALE:
            raise ConfigError(f"scale is {self.scale}; it must be positive, and {MAX_SCALE:g} at most")


class TrainConfig(Settings, frozen=True, kw_only=True):
    """Settings of one training; the defaults are the published recipe.

    Two trainings with equal settings, data and machine give equal weights.

    Attributes
    ----------
    seed : int
        Decides initialisation, hold-out, order of the clips and mixing.
    epochs : int
        Passes over the training clips; the learning rate falls over all of them.
    batch_size : int
        Clips in one step, at least 2; an epoch's last batch is dropped where it is smaller.
    learning_rate : float
        Of AdamW in the first epoch.
    final_learning_rate_ratio : float
        Learning rate that the cosine falls towards, as a share of the first, in [0, 1].
    weight_decay : float
        Decoupled weight decay of AdamW.
    inputs, head, margin, scale
        As in `ModelConfig`; `inputs`, `head` and `margin` = 0 are ablations.
    supcon : bool
        Whether the supervised contrastive loss is added.
    temperature : float
        Of the contrastive loss.
    mixup : bool
        Whether the clips of a batch are mixed in pairs.
    hold_out : float
        Share of all clips that is held out to select the weights, in (0, 1).
    ema_warmup : bool
        Lets the averaged weights forget the initialisation at once; for short trainings.
    precision : {"fp32", "bf16"}
        "bf16" computes convolutions in bfloat16 (autocast); weights, losses and averages stay float32.
    resample, channel, pad
        How recordings that do not fit are made to fit, as in `osscl.audio.reading.Fit`.

    References
    ----------
    Huang, Fang, He, "One-stage supervised contrastive learning for anomalous sound detection",
    ICASSP 2025, arXiv 2509.13853, section 3.
    """

    seed: int = 2024
    epochs: int = 300
    batch_size: int = 64
    learning_rate: float = 1e-4
    final_learning_rate_ratio: float = 0.1
    weight_decay: float = 0.01
    inputs: ModelInputs = "three_maps"
    head: HeadKind = "basic"
    margin: float = 0.4
    scale: float = 30.0
    supcon: bool = True
    temperature: float = 0.02
    mixup: bool = True
    hold_out: float = 0.05
    ema_warmup: bool = False
    precision: TrainingPrecision = "fp32"
    resample: bool = False
    channel: Channel | None = None
    pad: Padding | None = None

    def __post_init__(self) -> None:
        check_fit(self.resample, self.channel, self.pad)
        _take_types(self)
        for name, lowest in (("seed", 0), ("epochs", 1), ("batch_size", 2)):
            if getattr(self, name) < lowest:
                raise ConfigError(f"{name} is {getattr(self, name)}; it must be at least {lowest}")
        for name in ("learning_rate", "temperature"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0.0):
                raise ConfigError(f"{name} is {getattr(self, name)}; it must be positive")
        if not (math.isfinite(self.weight_decay) and self.weight_decay >= 0.0):
            raise ConfigError(f"weight_decay is {self.weight_decay}; it must be zero or more")
        if not 0.0 <= self.final_learning_rate_ratio <= 1.0:
            raise ConfigError(
                f"final_learning_rate_ratio is {self.final_learning_rate_ratio}; it must lie in [0, 1]"
            )
        if not 0.0 < self.hold_out < 1.0:
            raise ConfigError(f"hold_out is {self.hold_out}; it must lie between 0 and 1")
        self.model(("any",))  # checks inputs, head, margin and scale

    def model(self, classes: tuple[str, ...]) -> ModelConfig:
        """Give the network its shape.

        Parameters
        ----------
        classes : tuple of str
            Machine IDs that it is trained to tell apart.

        Returns
        -------
        ModelConfig
            With these settings' maps, head, margin and scale.
        """
        return ModelConfig(
            classes=classes, inputs=self.inputs, head=self.head, margin=self.margin, scale=self.scale
        )


def _sha256(settings: Settings) -> str:
    return hashlib.sha256(msgspec.json.encode(settings, order="sorted")).hexdigest()


def _check_size(name: str, value: int) -> None:
    if not 1 <= value <= MAX_SIZE:
        raise ConfigError(f"{name} is {value}; it must lie between 1 and {MAX_SIZE}")


_WORDS: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    str: "text",
    tuple[str, ...]: "a tuple of names",
}


def _take_types(settings: Settings) -> None:
    """Refuse fields of another type than stated, and give equal settings one form.

    They are hashed as they are written: a whole number in place of a float becomes one, -0.0 becomes 0.0.
    """
    for field in msgspec.structs.fields(settings):
        given = getattr(settings, field.name)
        try:
            value = msgspec.convert(given, field.type)
        except msgspec.ValidationError:
            expected = _WORDS.get(field.type) or f"one of: {', '.join(get_args(field.type))}"
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
