"""Settings of one training."""

import math
from typing import Literal, TypeAlias

from osscl.config import Channel, HeadKind, ModelConfig, ModelInputs, Padding, Settings, check_fit, take_types
from osscl.errors import ConfigError

TrainingPrecision: TypeAlias = Literal["fp32", "bf16"]
Exchange: TypeAlias = Literal["none", "statistics", "features", "both"]
ClassKind: TypeAlias = Literal["machine", "section", "attributes"]


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
    inputs : {"three_maps", "log_mel"}
        Maps the encoder sees: log-mel, Tgram and TFgram, or the log-mel alone.
    head : {"basic", "leaky_relu", "none"}
        Feature-perturbation head between encoder and embedding.
    margin : float
        Angular margin of ArcFace, radians, in [0, pi/2).
    scale : float
        Scale of the logits.
    supcon : bool
        Whether the supervised contrastive loss is added.
    temperature : float
        Of the contrastive loss.
    mixup : bool
        Whether the clips of a batch are mixed in pairs.
    exposure : float
        Share of the training clips that are altered and told apart from those that are not, in [0, 1).
    exchange : {"none", "statistics", "features", "both"}
        What clips of a batch exchange to be pseudo-classes: mean and deviation of their log-mel's bands; the
        log-mel itself, so that it meets another clip's maps of the waveform.
    sub_centres : int
        Weight vectors of each class; the nearest counts.
    feature_loss : float
        Weight of the loss by which embeddings keep what a machine's memory listens to; 0 for none.
    hold_out : float
        Share of all clips that is held out to select the weights, in (0, 1).
    classes : {"machine", "section", "attributes"}
        What the network learns to tell apart: machines (their IDs, or their sections); the same, refused
        where a machine has no section; or a machine's conditions, as attributes in names tell them.
    ema_warmup : bool or None
        Lets the averaged weights forget the initialisation at once; for short trainings. None: on where more
        than a tenth of them would still be the initialisation at the end, see `osscl.training.decided`.
    precision : {"fp32", "bf16"}
        "bf16" computes convolutions in bfloat16 (autocast); weights, losses and averages stay float32.
    resample : bool
        Whether other sample rates are converted to the model's.
    channel : int, "mean" or None
        Channel to take of several, counted from 0, or the mean of all. None: such recordings are refused.
    pad : {"repeat", "zero"} or None
        What short recordings are filled up with: themselves, or zeros. None: they are refused.

    References
    ----------
    Huang, Fang, He, "One-stage supervised contrastive learning for anomalous sound detection",
    ICASSP 2025, arXiv 2509.13853, section 3. Classes of sections and attributes: Wilkinghoff,
    "Self-supervised learning for anomalous sound detection", ICASSP 2024, arXiv 2312.09578.
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
    exposure: float = 0.0
    exchange: Exchange = "none"
    sub_centres: int = 1
    feature_loss: float = 0.0
    hold_out: float = 0.05
    classes: ClassKind = "machine"
    ema_warmup: bool | None = None
    precision: TrainingPrecision = "fp32"
    resample: bool = False
    channel: Channel | None = None
    pad: Padding | None = None

    def __post_init__(self) -> None:
        check_fit(self.resample, self.channel, self.pad)
        take_types(self)
        for name, lowest in (("seed", 0), ("epochs", 1), ("batch_size", 2), ("sub_centres", 1)):
            if getattr(self, name) < lowest:
                raise ConfigError(f"{name} is {getattr(self, name)}; it must be at least {lowest}")
        for name in ("learning_rate", "temperature"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0.0):
                raise ConfigError(f"{name} is {getattr(self, name)}; it must be positive")
        for name in ("weight_decay", "feature_loss"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) >= 0.0):
                raise ConfigError(f"{name} is {getattr(self, name)}; it must be zero or more")
        if not 0.0 <= self.final_learning_rate_ratio <= 1.0:
            raise ConfigError(
                f"final_learning_rate_ratio is {self.final_learning_rate_ratio}; it must lie in [0, 1]"
            )
        if not 0.0 < self.hold_out < 1.0:
            raise ConfigError(f"hold_out is {self.hold_out}; it must lie between 0 and 1")
        if not 0.0 <= self.exposure < 1.0:
            raise ConfigError(f"exposure is {self.exposure}; it must be zero or more, and less than 1")
        if "features" in self.exchanged and self.inputs == "log_mel":
            raise ConfigError(
                f"exchange is {self.exchange}, and the network sees the log-mel alone: features are "
                "exchanged between log-mel and waveform; use statistics, or `inputs` three_maps"
            )
        if self.exchanged and self.feature_loss:
            raise ConfigError(
                f"exchange is {self.exchange}, feature_loss {self.feature_loss}: clips that exchanged parts "
                "have features of their own, which are not told; choose one of the two"
            )
        self.model(("any",))  # checks inputs, head, margin and scale

    @property
    def exchanged(self) -> tuple[Literal["statistics", "features"], ...]:
        """What clips exchange, one after the other."""
        if self.exchange == "both":
            return ("statistics", "features")
        return () if self.exchange == "none" else (self.exchange,)

    def model(self, classes: tuple[str, ...]) -> ModelConfig:
        """Give the network its shape.

        Parameters
        ----------
        classes : tuple of str
            Names of what it is trained to tell apart.

        Returns
        -------
        ModelConfig
            With these settings' maps, head, margin and scale.
        """
        return ModelConfig(
            classes=classes,
            inputs=self.inputs,
            head=self.head,
            margin=self.margin,
            scale=self.scale,
            sub_centres=self.sub_centres,
        )
