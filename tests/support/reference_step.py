"""One training step from its definition, in the layout of the published figures."""

from typing import Any

import torch
from torch import Tensor

from support.reference_network import ReferenceNetwork, with_margin

LEARNING_RATE, WEIGHT_DECAY, EPSILON = 1e-4, 0.01, 1e-8
TEMPERATURE, BASE_TEMPERATURE = 0.02, 0.07


def reference_step(
    state: dict[str, Tensor], waveform: Tensor, log_mel: Tensor, labels: Tensor, share: float, others: Tensor
) -> dict[str, Any]:
    """Do the first step of a training.

    Parameters
    ----------
    state : dict of str to Tensor
        Weights and statistics before it, by their published names; changed.
    waveform, log_mel : Tensor, [B, 160000] and [B, 128, 313]
        Inputs.
    labels : Tensor of int64, [B]
        Classes.
    share : float
        Of each clip in what is mixed.
    others : Tensor of int64, [B]
        Number of the clip that each is mixed with.

    Returns
    -------
    dict
        loss, loss_ce, loss_supcon; gradient_norm and state_norm_after_step by names; lr, lam, perm, labels.
    """
    state = {name: value for name, value in state.items() if value.is_floating_point()}
    weights = [value for name, value in state.items() if "running_" not in name]
    for weight in weights:
        weight.requires_grad_(True)
    waveform, log_mel = (share * x + (1.0 - share) * x[others] for x in (waveform, log_mel))
    network = ReferenceNetwork(state, is_training=True)
    embedding, cosine = network.embed(
        log_mel, network.tgram(waveform[:, None]), network.tfgram(waveform[:, None])
    )
    log_probability = with_margin(cosine, labels).log_softmax(dim=1)
    of_each, of_others = (
        -log_probability.gather(1, each[:, None]).mean() for each in (labels, labels[others])
    )
    cross_entropy = share * of_each + (1.0 - share) * of_others
    contrastive = _contrastive(embedding, labels)
    loss = cross_entropy + contrastive
    loss.backward()  # type: ignore[no-untyped-call]
    gradients = {name: value.grad for name, value in state.items()}
    with torch.no_grad():
        for weight in weights:
            assert weight.grad is not None
            # AdamW's first: both averages are the gradient's own once their start at zero is made up for
            weight *= 1.0 - LEARNING_RATE * WEIGHT_DECAY
            weight -= LEARNING_RATE * weight.grad / (weight.grad.abs() + EPSILON)
    return {
        "labels": labels.tolist(),
        "lam": share,
        "perm": others.tolist(),
        "lr": LEARNING_RATE,
        "loss": loss.item(),
        "loss_ce": cross_entropy.item(),
        "loss_supcon": contrastive.item(),
        "gradient_norm": {name: g.norm().item() for name, g in gradients.items() if g is not None},
        "state_norm_after_step": {name: value.norm().item() for name, value in state.items()},
    }


def _contrastive(embedding: Tensor, labels: Tensor) -> Tensor:
    """Supervised contrast of single views, anchor by anchor."""
    similarity = embedding @ embedding.T / TEMPERATURE
    total = similarity.new_zeros(())
    for anchor, label in enumerate(labels.tolist()):
        others = [i for i in range(len(labels)) if i != anchor]
        positives = [i for i in others if labels[i] == label]
        if positives:
            among_all = similarity[anchor, others].logsumexp(dim=0)
            total = total - (similarity[anchor, positives] - among_all).mean()
    return TEMPERATURE / BASE_TEMPERATURE * total / len(labels)
