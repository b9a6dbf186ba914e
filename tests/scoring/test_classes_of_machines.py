"""Machines with several classes: the smallest of their scores counts."""

import numpy as np

from osscl.scoring.rule import anomaly_score, machine_score

HOW = {"margin": 0.4, "scale": 30.0}


def test_the_smallest_score_of_a_machines_classes_counts() -> None:
    cosine = np.random.default_rng(1).uniform(-1, 1, (6, 5)).astype(np.float32)
    of_class = np.stack([anomaly_score(cosine, np.full(6, label), **HOW) for label in range(5)], axis=1)
    claimed = [(0,), (1, 2), (4, 0, 3), (2, 1), (3,), (0, 1, 2, 3, 4)]
    expected = [of_class[clip, list(labels)].min() for clip, labels in enumerate(claimed)]
    assert machine_score(cosine, claimed, **HOW).tolist() == expected
    alone = machine_score(cosine, [(2,)] * 6, **HOW)
    assert alone.tobytes() == of_class[:, 2].tobytes()  # to the bit, as without classes of conditions
    assert machine_score(cosine[:0], [], **HOW).shape == (0,)
    cosine[1, 2] = np.nan
    assert np.isnan(machine_score(cosine, claimed, **HOW)[1])
