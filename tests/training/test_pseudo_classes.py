"""Classes that exist in training alone: how they are numbered, exchanged clips, and what is kept."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from osscl.errors import ConfigError
from osscl.export.checkpoint import load_checkpoint
from osscl.model import OSSCL, ArcFace
from osscl.training import Execution, read_training_data, train
from osscl.training.exchange import exchange
from osscl.training.exposure import KINDS
from osscl.training.learning_network import LearningNetwork
from osscl.training.losses import batch_losses
from osscl.training.pseudo_classes import all_classes, altered_label, block_names, first_label
from osscl.training.step import Batch
from osscl.training.train_config import TrainConfig
from support.training_data import small_recipe, write_recordings

CLASSES = ("fan/id_00", "fan/id_02")
NAMES = ("waveform", "log_mel")
ALL = TrainConfig(exposure=0.5, exchange="both", sub_centres=3)


def batch_of(labels: list[int]) -> Batch:
    """A clip a label, all different."""
    chance = torch.Generator().manual_seed(1)
    size = len(labels)
    waveform = torch.rand(size, 160, generator=chance)
    return Batch((waveform, torch.rand(size, 128, 313, generator=chance)), torch.tensor(labels))


def test_blocks_lie_behind_the_real_classes() -> None:
    assert block_names(TrainConfig()) == ()
    assert all_classes(CLASSES, TrainConfig()) == CLASSES
    names = all_classes(CLASSES, ALL)
    assert names[:2] == CLASSES
    assert len(set(names)) == len(names) == 2 * (1 + 9 + 4)
    assert [first_label(block, 2, ALL) for block in block_names(ALL)] == list(range(2, 28, 2))
    for kind, name in enumerate(KINDS):
        assert altered_label(1, kind, 2) == first_label(f"altered: {name}", 2, ALL) + 1
    assert names[first_label("exchanged features taken", 2, ALL)].startswith("fan/id_00")


def test_what_is_kept_is_the_network_of_the_real_classes() -> None:
    config = TrainConfig(exposure=0.5, sub_centres=3, feature_loss=1.0)
    network = LearningNetwork(config, CLASSES)
    real = OSSCL(config.model(CLASSES))
    real.load_state_dict(network.kept(network.state_dict()), strict=True)
    vector = torch.rand(4, 128)
    assert real.compare(vector)[1].allclose(network.compare(vector)[1][:, :2], atol=1e-6)


def test_the_nearest_sub_centre_counts() -> None:
    layer = ArcFace(2, sub_centres=3)
    embedding = torch.nn.functional.normalize(torch.rand(5, 128) - 0.5)
    weight = torch.nn.functional.normalize(layer.weight)
    expected = torch.stack([(embedding @ weight[i : i + 3].T).amax(1) for i in (0, 3)], dim=1)
    assert layer(embedding).allclose(expected, atol=1e-6)


def test_nothing_is_exchanged_unless_asked_for() -> None:
    batch = batch_of([0, 1])
    assert exchange(batch, NAMES, 2, TrainConfig(), 0, 0) is batch


@pytest.mark.parametrize("kind", ["statistics", "features", "both"])
def test_exchanged_clips_have_parts_and_classes_of_two(kind: Any) -> None:
    config = TrainConfig(exchange=kind, seed=4)
    batch = batch_of([0, 1] * 16)
    waveform, log_mel = batch.inputs
    got = exchange(batch, NAMES, 2, config, 0, 0)
    assert got.others is not None
    assert got.inputs[0] is waveform
    changed = [i for i in range(32) if got.labels[i] != batch.labels[i]]
    assert 5 < len(changed) < 27
    met = set()
    for i in range(32):
        if i not in changed:
            assert got.inputs[1][i].equal(log_mel[i])
            assert got.others[i] == got.labels[i] == batch.labels[i]
            continue
        block = block_names(config)[int(got.labels[i]) // 2 - 1]
        assert got.labels[i] % 2 == batch.labels[i]
        assert got.others[i] // 2 == got.labels[i] // 2 + 1
        met.add(block)
        if block == "exchanged features kept":
            (giver,) = [j for j in range(32) if got.inputs[1][i].equal(log_mel[j])]
        else:
            mean = got.inputs[1][i].mean(1)  # [128]
            giver = int((log_mel.mean(2) - mean).square().sum(1).argmin())
            assert got.inputs[1][i].std(1).allclose(log_mel[giver].std(1), atol=1e-4)
            assert mean.allclose(log_mel[giver].mean(1), atol=1e-4)
        assert got.others[i] % 2 == batch.labels[giver]
    assert len(met) == len(config.exchanged)


def test_pseudo_classes_neither_give_nor_take() -> None:
    got = exchange(batch_of([2, 3] * 8), NAMES, 2, TrainConfig(exchange="both"), 0, 0)
    assert got.labels.equal(torch.tensor([2, 3] * 8))


def test_both_classes_of_an_exchanged_clip_count_alike() -> None:
    embedding, cosine = torch.nn.functional.normalize(torch.rand(4, 8)), torch.rand(4, 6) - 0.5
    labels, others = torch.tensor([2, 3, 0, 2]), torch.tensor([4, 5, 0, 4])
    config = TrainConfig(margin=0.0, scale=5.0)
    got = batch_losses(embedding, cosine, labels, None, config, others)
    log_share = torch.log_softmax(5.0 * cosine, dim=1)
    rows = np.arange(4)
    expected = -0.5 * (log_share[rows, labels] + log_share[rows, others]).mean()
    assert got.cross_entropy.item() == pytest.approx(expected.item(), rel=1e-5)
    alike = batch_losses(embedding, cosine, torch.tensor([0, 1, 2, 0]), None, config)
    assert got.contrastive.item() == pytest.approx(alike.contrastive.item(), rel=1e-6)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"exposure": 1.0}, "exposure is 1.0; it must be zero or more, and less than 1"),
        ({"exposure": -0.1}, "exposure is -0.1; it must be zero or more"),
        ({"sub_centres": 0}, "sub_centres is 0; it must be at least 1"),
        (
            {"exchange": "features", "inputs": "log_mel"},
            "exchange is features, and the network sees the log-mel",
        ),
    ],
)
def test_recipes_that_cannot_be_are_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        TrainConfig(**changes)


def test_a_training_with_everything_gives_a_network_of_the_real_classes(tmp_path: Path) -> None:
    data = read_training_data([write_recordings(tmp_path / "data", 3)])
    config = small_recipe(exposure=0.5, sub_centres=2, feature_loss=1.0)
    outcome = train(data, tmp_path / "run", config, Execution(device="cpu", workers=0))
    assert outcome.completed
    source = load_checkpoint(outcome.weights)
    assert source.model.config.classes == data.classes
    assert source.model.arcface.weight.shape == (2 * len(data.classes), 128)
