"""The losses of OS-SCL: cross-entropy of mixed clips, and supervised contrast of their embeddings."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from osscl.model import arcface_logits
from osscl.training.mixup import Mixing
from osscl.training.train_config import TrainConfig

BASE_TEMPERATURE = 0.07


class Losses(NamedTuple):
    """Losses of one batch, scalars.

    Attributes
    ----------
    total : Tensor
        What is minimised.
    cross_entropy : Tensor
        Of the logits with margin, both labels of mixed clips weighted by their shares.
    contrastive : Tensor
        Supervised contrastive loss; 0 where it is switched off.
    """

    total: Tensor
    cross_entropy: Tensor
    contrastive: Tensor


def batch_losses(
    embedding: Tensor,
    cosine: Tensor,
    labels: Tensor,
    mixing: Mixing | None,
    config: TrainConfig,
    others: "Tensor | None" = None,
) -> Losses:
    """Losses of one batch.

    Parameters
    ----------
    embedding : Tensor, [B, 128]
        Embeddings of norm 1 of the clips, mixed where `mixing` says so.
    cosine : Tensor, [B, K]
        Cosines to the class weights.
    labels : Tensor of int64, [B]
        Classes of the unmixed clips; the margin lies on these.
    mixing : Mixing or None
        How the clips were mixed.
    config : TrainConfig
        Margin, scale, temperature, and whether the contrastive loss counts.
    others : Tensor of int64, [B], or None
        Class of the other half of each clip, where clips exchanged parts; both classes count alike.

    Returns
    -------
    Losses
        Scalars, in nats.

    References
    ----------
    Huang, Fang, He, ICASSP 2025, arXiv 2509.13853, section 2.
    """
    logits = arcface_logits(cosine, labels, config.margin, config.scale)  # [B, K]
    ce = _cross_entropy(logits, labels, others)
    if mixing is not None:
        to_partner = mixing.permutation
        other_half = None if others is None else others[to_partner]
        of_partner = _cross_entropy(logits, labels[to_partner], other_half)
        ce = mixing.share * ce + (1.0 - mixing.share) * of_partner
    if not config.supcon:
        return Losses(ce, ce, ce.new_zeros(()))
    alike = labels if others is None else labels * cosine.shape[1] + others  # [B]: of the same two classes
    contrastive = contrastive_loss(embedding, alike, config.temperature)
    return Losses(ce + contrastive, ce, contrastive)


def _cross_entropy(logits: Tensor, labels: Tensor, others: "Tensor | None") -> Tensor:
    if others is None:
        return cross_entropy(logits, labels)
    return 0.5 * (cross_entropy(logits, labels) + cross_entropy(logits, others))


def contrastive_loss(embedding: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """Supervised contrastive loss of single views.

    Each clip is an anchor: clips of its class shall be more similar to it than all others. An anchor
    without another clip of its class adds 0 to the mean.

    Parameters
    ----------
    embedding : Tensor, [B, 128]
        Embeddings of norm 1.
    labels : Tensor of int64, [B]
        Class of each.
    temperature : float
        Divides the similarities; the loss is multiplied by it over 0.07.

    Returns
    -------
    Tensor
        Scalar, mean over the anchors.

    References
    ----------
    Khosla et al., "Supervised contrastive learning", NeurIPS 2020, arXiv 2004.11362, equation 2.
    """
    similarity = embedding @ embedding.T / temperature  # [B, B]
    is_self = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    is_positive = (labels[:, None] == labels[None, :]) & ~is_self  # [B, B]
    # finite, so that an anchor alone in its batch gives no NaN; its exponential is 0 all the same
    without_self = similarity.masked_fill(is_self, torch.finfo(similarity.dtype).min)
    log_share = similarity - without_self.logsumexp(dim=1, keepdim=True)  # [B, B]
    n_positives = is_positive.sum(dim=1).clamp(min=1)  # [B]
    of_positives = torch.where(is_positive, log_share, 0.0).sum(dim=1) / n_positives  # [B]
    return -(temperature / BASE_TEMPERATURE) * of_positives.mean()
