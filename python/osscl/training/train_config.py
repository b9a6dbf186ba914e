"""Settings of one training."""

import math
from typing import Literal, TypeAlias

from osscl.config import Channel, HeadKind, ModelConfig, ModelInputs, Padding, Settings, check_fit, take_types
from osscl.errors import ConfigError

TrainingPrecision: TypeAlias = Literal["fp32", "bf16"]
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
    classes : {"machine", "section", "attributes"}
        What the network learns to tell apart: machines (their IDs, or their sections); the same, refused
        where a machine has no section; or a machine's conditions, as attributes in names tell them.
    ema_warmup : bool
        Lets the averaged weights forget the initialisation at once; for short trainings.
    precision : {"fp32", "bf16"}
        "bf16" computes convolutions in bfloat16 (autocast); weights, losses and averages stay float32.
    resample, channel, pad
        How recordings that do not fit are made to fit, as in `osscl.audio.reading.Fit`.

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
    hold_out: float = 0.05
    classes: ClassKind = "machine"
    ema_warmup: bool = False
    precision: TrainingPrecision = "fp32"
    resample: bool = False
    channel: Channel | None = None
    pad: Padding | None = None

    def __post_init__(self) -> None:
        check_fit(self.resample, self.channel, self.pad)
        take_types(self)
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
            Names of what it is trained to tell apart.

        Returns
        -------
        ModelConfig
            With these settings' maps, head, margin and scale.
        """
        return ModelConfig(
            classes=classes, inputs=self.inputs, head=self.head, margin=self.margin, scale=self.scale
        )
