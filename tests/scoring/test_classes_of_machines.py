"""Machines with several classes: the smallest of their scores counts."""

import numpy as np

from osscl.scoring.judges import Judges
from osscl.scoring.rule import anomaly_score, machine_score
from support.model_files import CLASSES, tiny_graph, tiny_manifest

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


def test_a_machine_is_judged_by_all_its_classes() -> None:
    machines = ("fan/section_00",) * (len(CLASSES) - 1) + ("pump/section_00",)
    judges = Judges(tiny_manifest(tiny_graph().SerializeToString(), class_machines=machines))
    assert judges.machines == ("fan/section_00", "pump/section_00")
    assert judges.of("fan/section_00").labels == tuple(range(len(CLASSES) - 1))
    assert judges.of("pump/section_00").labels == (len(CLASSES) - 1,)
    assert judges.rule_of("fan/section_00") == "network"
    assert judges.rule_of(CLASSES[0]) == "memory"  # a class is no machine
