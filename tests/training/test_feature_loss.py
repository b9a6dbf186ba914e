"""Embeddings that keep what a memory listens to: targets, loss, and that a training brings it down."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

from osscl.audio.reading import read_audio
from osscl.features import BLOCKS, memory_features
from osscl.training import Execution, read_training_data, train
from osscl.training.clip_reader import ClipReader
from osscl.training.exposure import alter
from osscl.training.feature_loss import WEIGHTS, FeatureReading, feature_loss
from osscl.training.feature_scale import MAX_DEVIATIONS, FeatureScale
from osscl.training.order import Planned
from support.training_data import small_recipe, write_recordings


def test_the_loss_is_the_blocks_mean_squared_error_by_weight() -> None:
    read, targets = torch.rand(3, 360), torch.rand(3, 360)
    error = (read - targets).numpy() ** 2
    expected = sum(WEIGHTS[name] * error[:, part].mean() for name, part in BLOCKS.items())
    assert feature_loss(read, targets).item() == pytest.approx(expected, rel=1e-5)
    assert feature_loss(targets, targets).item() == 0.0


def test_the_reading_is_linear_in_an_embedding_of_mean_square_1() -> None:
    reading = FeatureReading()
    embedding = torch.nn.functional.normalize(torch.rand(2, 128))
    expected = embedding * 128**0.5 @ reading.weight.T + reading.bias
    assert reading(embedding).allclose(expected, atol=1e-5)


def test_targets_are_told_of_the_clips_as_they_are_given(tmp_path: Path) -> None:
    data = read_training_data([write_recordings(tmp_path, 3)])
    scale = FeatureScale.of(data, data.clips)
    known = np.stack([data.features[clip.sha256] for clip in data.clips])
    assert scale.mean == pytest.approx(known.mean(0), abs=1e-4)
    labels = [data.label(clip) for clip in data.clips]
    reader = ClipReader(data.clips, labels, len(data.classes), ("log_mel",), scale=scale)
    got = reader.read([Planned(1), Planned(1, alteration=3)]).features
    assert got is not None
    assert np.array_equal(got[0], scale.targets(known[1]))
    altered, _ = alter(read_audio(data.clips[1].path), 3)
    assert np.array_equal(got[1], scale.targets(memory_features(altered)))
    assert np.abs(got).max() <= MAX_DEVIATIONS


def test_a_training_counts_the_loss_and_keeps_none_of_it(tmp_path: Path) -> None:
    data = read_training_data([write_recordings(tmp_path / "data", 3)])
    totals = {}
    for weight in (0.0, 1.0):
        folder = tmp_path / str(weight)
        train(data, folder, small_recipe(feature_loss=weight, epochs=1), Execution(device="cpu", workers=0))
        first = msgspec.json.decode((folder / "metrics.jsonl").read_bytes().splitlines()[0])
        totals[weight] = first["loss"] - first["cross_entropy"] - first["contrastive"]
    assert totals[0.0] == pytest.approx(0.0, abs=1e-5)
    assert 0.5 < totals[1.0] < 30.0
