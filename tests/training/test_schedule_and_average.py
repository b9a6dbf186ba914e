"""Learning rate and averaged weights against obvious loops in float64."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from osscl.config import ModelConfig
from osscl.model import OSSCL
from osscl.training.moving_average import MovingAverage, decay_at, initialisation_left
from osscl.training.schedule import learning_rate
from osscl.training.train_config import TrainConfig


@settings(max_examples=30)
@given(st.integers(1, 400), st.floats(1e-6, 1.0), st.floats(0.0, 1.0))
def test_learning_rate_equals_the_definition(epochs: int, rate: float, ratio: float) -> None:
    config = TrainConfig(epochs=epochs, learning_rate=rate, final_learning_rate_ratio=ratio)
    lowest = rate * ratio
    for epoch in range(epochs):
        expected = lowest + 0.5 * (rate - lowest) * (1 + math.cos(math.pi * epoch / epochs))
        assert learning_rate(epoch, config) == pytest.approx(expected, rel=1e-12)


def test_learning_rate_equals_pytorchs_scheduler() -> None:
    config = TrainConfig(epochs=300)
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=config.learning_rate)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 300, eta_min=1e-5)
    for epoch in range(300):
        assert learning_rate(epoch, config) == pytest.approx(scheduler.get_last_lr()[0], rel=1e-9)
        optimizer.step()
        scheduler.step()


@pytest.mark.parametrize("warmup", [False, True])
def test_average_equals_the_loop_statistics_included(warmup: bool) -> None:
    torch.manual_seed(1)
    live = OSSCL(ModelConfig(classes=("a", "b"), inputs="log_mel"))
    average = MovingAverage(live)
    names = [name for name, value in live.state_dict().items() if value.is_floating_point()]
    assert any("running_var" in name for name in names)
    expected = {name: live.state_dict()[name].double().numpy().copy() for name in names}
    shrunk = {name: value.copy() for name, value in expected.items()}
    rng = np.random.default_rng(2)
    for step in range(5):
        state = live.state_dict()
        for name in names:
            change = rng.standard_normal(state[name].shape) * 0.1
            state[name].add_(torch.from_numpy(change).float())
            shrunk[name] += change.astype(np.float32)
        average.update(step, warmup=warmup)
        decay = min(0.9999, (1 + step) / (10 + step)) if warmup else 0.9999
        for name in names:
            expected[name] = decay * expected[name] + (1 - decay) * shrunk[name]
            shrunk[name] *= 1 - 2e-6
    for name in names:
        np.testing.assert_allclose(average.model.state_dict()[name], expected[name], rtol=2e-6, atol=2e-6)
        np.testing.assert_allclose(live.state_dict()[name], shrunk[name], rtol=2e-6, atol=2e-6)


def test_the_live_weights_shrink_after_the_average_took_them() -> None:
    live = OSSCL(ModelConfig(classes=("a", "b"), inputs="log_mel"))
    average = MovingAverage(live)
    with torch.no_grad():
        live.arcface.weight.fill_(1.0)
        average.model.arcface.weight.fill_(0.0)
    average.update(0, warmup=False)
    assert average.model.arcface.weight[0, 0].item() == pytest.approx(1e-4, rel=1e-5)  # of 1, not of 1 - 2e-6
    assert live.arcface.weight[0, 0].item() == pytest.approx(1 - 2e-6, abs=1e-7)


def test_share_of_the_initialisation() -> None:
    assert initialisation_left(160, warmup=False) == pytest.approx(0.9999**160)
    assert initialisation_left(160, warmup=False) > 0.98
    assert initialisation_left(160, warmup=True) < 1e-6
    assert decay_at(10**6, warmup=True) == 0.9999
