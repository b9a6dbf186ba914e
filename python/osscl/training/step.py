"""One training step, and the hold-out loss: where sound meets the network."""

import contextlib
from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from osscl.audio.samples import INT16_FULL_SCALE
from osscl.model import OSSCL, arcface_logits
from osscl.training.feature_loss import feature_loss
from osscl.training.learning_network import LearningNetwork
from osscl.training.losses import Losses, batch_losses
from osscl.training.mixup import Mixing
from osscl.training.separation import Separation, separation
from osscl.training.train_config import TrainConfig


class Batch(NamedTuple):
    """Clips for one step.

    Attributes
    ----------
    inputs : tuple of Tensor
        Those of ``OSSCL.input_names``, the waveform as int16 or float32 samples [B, 160000].
    labels : Tensor of int64, [B]
        Class of each clip.
    others : Tensor of int64, [B], or None
        Class of the other half of each clip; None where all are of one class.
    features : Tensor of float32, [B, 360], or None
        What embeddings shall keep, in deviations from the mean of the training clips.
    """

    inputs: tuple[Tensor, ...]
    labels: Tensor
    others: "Tensor | None" = None
    features: "Tensor | None" = None

    def to(self, device: torch.device) -> "Batch":
        """The same clips on a device."""
        inputs = tuple(x.to(device, non_blocking=True) for x in self.inputs)
        rest = (x if x is None else x.to(device, non_blocking=True) for x in (self.others, self.features))
        return Batch(inputs, self.labels.to(device, non_blocking=True), *rest)


class HoldOut(NamedTuple):
    """How averaged weights do on the clips held out.

    Attributes
    ----------
    loss : float
        Cross-entropy with the margin on the true class, mean over batches, nats.
    accuracy : float
        Share of clips nearest to their own class, without margin, in [0, 1].
    separation : Separation
        Which classes are taken for which, and by how much they are told apart.
    """

    loss: float
    accuracy: float
    separation: Separation


def training_step(
    model: LearningNetwork,
    optimizer: torch.optim.Optimizer,
    batch: Batch,
    mixing: Mixing | None,
    config: TrainConfig,
) -> tuple[Losses, Tensor]:
    """Change the weights by one batch.

    Parameters
    ----------
    model : LearningNetwork
        In training mode.
    optimizer : torch.optim.Optimizer
        Of its parameters.
    batch : Batch
        The clips, on the network's device.
    mixing : Mixing or None
        How they are mixed.
    config : TrainConfig
        Losses and precision.

    Returns
    -------
    losses : Losses
        Before the change.
    cosine : Tensor, [B, K]
        Cosines of the mixed clips, before the change.

    Raises
    ------
    FloatingPointError
        The loss is not finite; the weights are as they were.
    """
    inputs = as_network_inputs(batch.inputs)
    if mixing is not None:
        inputs = tuple(mixing.mix(x) for x in inputs)
    with _autocast(batch.labels.device, config):
        vector = model.vector(*inputs)  # [B, 128]
    embedding, cosine = model.compare(vector.float())  # [B, 128], [B, K]
    losses = batch_losses(embedding, cosine, batch.labels, mixing, config, batch.others)
    if batch.features is not None:
        targets = batch.features if mixing is None else mixing.mix(batch.features)
        error = feature_loss(model.feature_reading(embedding), targets)
        losses = losses._replace(total=losses.total + config.feature_loss * error)
    if not losses.total.isfinite():
        raise FloatingPointError(f"the loss is {losses.total.item()}")
    optimizer.zero_grad(set_to_none=True)
    losses.total.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    return losses, cosine.detach()


@torch.inference_mode()
def evaluate_hold_out(model: OSSCL, batches: Iterable[Batch], n_classes: int, config: TrainConfig) -> HoldOut:
    """Loss and accuracy on clips that are not trained on.

    Parameters
    ----------
    model : OSSCL
        The averaged network, in eval mode.
    batches : iterable of Batch
        The clips, on the network's device.
    n_classes : int
        Number of real classes K; what lies behind them does not count.
    config : TrainConfig
        Margin and scale; always computed in float32.

    Returns
    -------
    HoldOut
        Unmixed, margin on the true class.
    """
    losses, labels, cosines = [], [], []
    for batch in batches:
        _, every_cosine = model(*as_network_inputs(batch.inputs))
        cosine = every_cosine[:, :n_classes]  # [B, K]
        logits = arcface_logits(cosine, batch.labels, config.margin, config.scale)
        losses.append(cross_entropy(logits, batch.labels).item())
        labels.append(batch.labels.cpu())
        cosines.append(cosine.cpu())
    found = separation(torch.cat(labels), torch.cat(cosines))
    n_right = sum(row[own] for own, row in enumerate(found.confusion))
    return HoldOut(sum(losses) / len(losses), n_right / sum(map(len, labels)), found)


def as_network_inputs(inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Inputs with int16 samples brought to float32 at full scale ±1."""
    return tuple(x.float() / INT16_FULL_SCALE if x.dtype == torch.int16 else x for x in inputs)


def _autocast(device: torch.device, config: TrainConfig) -> contextlib.AbstractContextManager[object]:
    if config.precision == "fp32":
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)
