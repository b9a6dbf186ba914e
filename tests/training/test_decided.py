"""Whether averaged weights start with a short memory: decided by the length of a training, once."""

import pytest
from msgspec.structs import replace

from osscl.training.decided import decided, warmup_notice
from osscl.training.resuming import as_was_decided
from osscl.training.train_config import TrainConfig

PUBLISHED_CLIPS = 19_000  # 20,119 of the development and additional sets, a twentieth held out


def test_the_published_training_is_as_published() -> None:
    config = decided(TrainConfig(), PUBLISHED_CLIPS)
    assert config == TrainConfig(ema_warmup=False)
    assert warmup_notice(TrainConfig(), config, 300 * (PUBLISHED_CLIPS // 64)) is None


def test_a_short_training_warms_up_and_says_so_once() -> None:
    asked = TrainConfig(epochs=9, batch_size=16)
    now = decided(asked, 1600)
    assert now == replace(asked, ema_warmup=True)
    said = warmup_notice(asked, now, 900)
    assert said is not None
    assert said.startswith("--ema-warmup is on: without it, 91% of the averaged weights would still be")
    assert "because it has 900 steps alone; --no-ema-warmup switches it off" in said
    assert warmup_notice(now, now, 900) is None, "a training that goes on has it in its recipe"


@pytest.mark.parametrize("stated", [False, True])
def test_what_is_stated_stays(stated: bool) -> None:
    asked = TrainConfig(epochs=2, ema_warmup=stated)
    assert decided(asked, 100) == asked
    assert warmup_notice(asked, asked, 100) is None
    assert as_was_decided(asked, TrainConfig(ema_warmup=not stated)) == asked


def test_the_boundary_is_a_tenth() -> None:
    # 0.9999 ** 23024 is just above 0.1, one step more is just below
    assert decided(TrainConfig(epochs=23_024), 64).ema_warmup is True
    assert decided(TrainConfig(epochs=23_025), 64).ema_warmup is False


def test_what_goes_on_keeps_what_was_decided() -> None:
    stored = TrainConfig(epochs=9, ema_warmup=True)
    assert as_was_decided(TrainConfig(epochs=9), stored) == stored
