"""Losses against slow, obvious loops in float64."""

import math

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from osscl.training.losses import batch_losses, contrastive_loss
from osscl.training.mixup import Mixing, draw_mixing
from osscl.training.train_config import TrainConfig

Float64 = npt.NDArray[np.float64]


def slow_contrastive(embedding: Float64, labels: list[int], temperature: float) -> float:
    total = 0.0
    for i in range(len(labels)):
        denominator = sum(
            math.exp(float(embedding[i] @ embedding[j]) / temperature) for j in range(len(labels)) if j != i
        )
        positives = [j for j in range(len(labels)) if j != i and labels[j] == labels[i]]
        if positives:
            logs = [
                math.log(math.exp(float(embedding[i] @ embedding[p]) / temperature) / denominator)
                for p in positives
            ]
            total -= (temperature / 0.07) * sum(logs) / len(positives)
    return total / len(labels)


def slow_cross_entropy(
    cosine: Float64, margin_on: list[int], labels: list[int], margin: float, scale: float
) -> float:
    total = 0.0
    for i in range(len(labels)):
        logits = [scale * float(c) for c in cosine[i]]
        c = float(cosine[i][margin_on[i]])
        if c > math.cos(math.pi - margin):
            logits[margin_on[i]] = scale * math.cos(math.acos(c) + margin)
        else:
            logits[margin_on[i]] = scale * (c - margin * math.sin(math.pi - margin))
        largest = max(logits)
        total += largest + math.log(sum(math.exp(z - largest) for z in logits)) - logits[labels[i]]
    return total / len(labels)


def unit_rows(n: int, size: int, seed: int) -> Float64:
    rows = np.random.default_rng(seed).standard_normal((n, size))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


batches = st.tuples(st.lists(st.integers(0, 3), min_size=2, max_size=12), st.integers(0, 10_000))


@settings(max_examples=60)
@given(batches, st.sampled_from([0.02, 0.07, 0.5]))
def test_contrastive_loss_equals_the_loop(batch: tuple[list[int], int], temperature: float) -> None:
    labels, seed = batch
    embedding = unit_rows(len(labels), 8, seed)
    expected = slow_contrastive(embedding, labels, temperature)
    got = contrastive_loss(torch.from_numpy(embedding), torch.tensor(labels), temperature)
    assert got.item() == pytest.approx(expected, rel=1e-9, abs=1e-12)


@settings(max_examples=60)
@given(batches, st.floats(0.0, 1.0), st.sampled_from([0.0, 0.4, 1.0]))
def test_mixed_cross_entropy_equals_the_loop(
    batch: tuple[list[int], int], share: float, margin: float
) -> None:
    labels, seed = batch
    cosine = np.random.default_rng(seed).uniform(-1.0, 1.0, (len(labels), 4))
    permutation = np.random.default_rng(seed + 1).permutation(len(labels))
    others = [labels[i] for i in permutation]
    expected = share * slow_cross_entropy(cosine, labels, labels, margin, 30.0)
    expected += (1 - share) * slow_cross_entropy(cosine, labels, others, margin, 30.0)
    losses = batch_losses(
        torch.from_numpy(unit_rows(len(labels), 8, seed)),
        torch.from_numpy(cosine),
        torch.tensor(labels),
        Mixing(share, torch.from_numpy(permutation)),
        TrainConfig(margin=margin),
    )
    assert losses.cross_entropy.item() == pytest.approx(expected, rel=1e-9)
    assert losses.total.item() == pytest.approx(expected + losses.contrastive.item(), rel=1e-9)


@settings(max_examples=40)
@given(batches)
def test_losses_do_not_depend_on_the_order_of_the_clips(batch: tuple[list[int], int]) -> None:
    labels, seed = batch
    embedding = unit_rows(len(labels), 8, seed)
    order = np.random.default_rng(seed).permutation(len(labels))
    one = contrastive_loss(torch.from_numpy(embedding), torch.tensor(labels), 0.02)
    other = contrastive_loss(torch.from_numpy(embedding[order]), torch.tensor(labels)[order], 0.02)
    assert one.item() == pytest.approx(other.item(), rel=1e-10)


def test_an_anchor_without_positives_adds_nothing() -> None:
    embedding = torch.from_numpy(unit_rows(3, 8, 1))
    alone = contrastive_loss(embedding, torch.tensor([0, 1, 2]), 0.02)
    assert alone.item() == 0.0
    pair = contrastive_loss(embedding, torch.tensor([0, 0, 2]), 0.02)
    assert pair.item() == pytest.approx(slow_contrastive(embedding.numpy(), [0, 0, 2], 0.02), rel=1e-9)


@pytest.mark.parametrize("labels", [[0], [0, 0, 0], [0, 1]])
@pytest.mark.parametrize("direction", ["equal", "opposite", "random"])
def test_extremes_give_no_nan_in_value_or_gradient(labels: list[int], direction: str) -> None:
    n = len(labels)
    rows = unit_rows(n, 128, 3)
    if direction != "random":
        rows[:] = rows[0]
    if direction == "opposite":
        rows[1:] *= -1
    embedding = torch.tensor(rows, dtype=torch.float32, requires_grad=True)
    weights = torch.tensor(np.stack([rows[0], -rows[0]]), dtype=torch.float32, requires_grad=True)
    cosine = embedding @ weights.T  # 1 and -1 up to rounding, or beyond
    losses = batch_losses(embedding, cosine, torch.tensor(labels), None, TrainConfig())
    losses.total.backward()  # type: ignore[no-untyped-call]
    assert losses.total.isfinite()
    for tensor in (embedding, weights):
        assert tensor.grad is not None
        assert tensor.grad.isfinite().all()


@pytest.mark.parametrize("cosine", [1.0, -1.0, np.nextafter(np.float32(1), np.float32(2))])
def test_cosines_at_and_beyond_the_ends_give_no_nan(cosine: float) -> None:
    cosines = torch.full((2, 3), float(cosine), requires_grad=True)
    losses = batch_losses(
        torch.from_numpy(unit_rows(2, 8, 5)).float(), cosines, torch.tensor([0, 2]), None, TrainConfig()
    )
    losses.total.backward()  # type: ignore[no-untyped-call]
    assert losses.total.isfinite()
    assert cosines.grad is not None
    assert cosines.grad.isfinite().all()


def test_switches_take_terms_away() -> None:
    embedding, cosine = torch.from_numpy(unit_rows(4, 8, 1)), torch.rand(4, 3, dtype=torch.float64)
    labels = torch.tensor([0, 0, 1, 2])
    without = batch_losses(embedding, cosine, labels, None, TrainConfig(supcon=False))
    both = batch_losses(embedding, cosine, labels, None, TrainConfig())
    assert without.contrastive.item() == 0.0
    assert without.total.item() == both.cross_entropy.item()
    assert both.total.item() > without.total.item()


def test_mixing_mixes_each_clip_with_its_partner() -> None:
    x = torch.tensor([[1.0], [10.0], [100.0]])
    mixed = Mixing(0.25, torch.tensor([2, 0, 1])).mix(x)
    assert mixed.flatten().tolist() == [0.25 + 75.0, 2.5 + 0.75, 25.0 + 7.5]


def test_mixing_is_a_function_of_seed_epoch_and_step() -> None:
    def draw(seed: int, epoch: int, step: int) -> tuple[float, list[int]]:
        mixing = draw_mixing(seed, epoch, step, 16, torch.device("cpu"))
        return mixing.share, mixing.permutation.tolist()

    assert draw(1, 2, 3) == draw(1, 2, 3)
    assert len({str(draw(*place)) for place in ((1, 2, 3), (2, 2, 3), (1, 3, 3), (1, 2, 4))}) == 4
    assert sorted(draw(1, 2, 3)[1]) == list(range(16))


def test_shares_follow_the_beta_distribution() -> None:
    shares = np.array([draw_mixing(0, 0, step, 2, torch.device("cpu")).share for step in range(2000)])
    # Beta(a, a) has mean 1/2 and variance 1 / (4 (2 a + 1)): 1/8 for a = 0.5
    assert shares.mean() == pytest.approx(0.5, abs=0.03)
    assert shares.var() == pytest.approx(0.125, abs=0.006)
