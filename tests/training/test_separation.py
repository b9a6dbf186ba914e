"""Which machines are taken for which, against counting by hand."""

import pytest
import torch

from osscl.training.separation import Confused, most_confused, separation

CLASSES = ("fan/id_00", "fan/id_02", "pump/id_00")


def test_clips_are_counted_by_true_and_nearest_class() -> None:
    labels = torch.tensor([0, 0, 1, 2])
    cosine = torch.tensor([[0.9, 0.1, 0.0], [0.2, 0.5, 0.1], [-0.5, 0.25, 0.0], [0.0, 0.75, 0.5]])
    found = separation(labels, cosine)
    assert found.confusion == ((1, 1, 0), (0, 1, 0), (0, 1, 0))
    assert found.margin == pytest.approx((0.8 - 0.3 + 0.25 - 0.25) / 4)


def test_the_worst_pairs_come_first() -> None:
    confusion = ((8, 2, 0), (0, 0, 2), (3, 1, 6))
    pairs = most_confused(CLASSES, confusion)
    assert pairs == [
        Confused("fan/id_02", "pump/id_00", 2, 2),
        Confused("pump/id_00", "fan/id_00", 3, 10),
        Confused("fan/id_00", "fan/id_02", 2, 10),
        Confused("pump/id_00", "fan/id_02", 1, 10),
    ]
    assert str(pairs[0]) == "fan/id_02 is taken for pump/id_00 in 2 of 2 clips"
    assert most_confused(CLASSES, confusion, at_most=1) == pairs[:1]
    assert most_confused(CLASSES, ((1, 0, 0), (0, 1, 0), (0, 0, 1))) == []
    assert most_confused(CLASSES, ()) == []
