"""Whether clips are those that the paper's figures are of."""

from collections.abc import Iterable

from osscl.evaluation.evaluating import evaluate
from osscl.evaluation.labelled import LabelledScore
from osscl.evaluation.published_figures import PAPERS_TEST_SET
from osscl.machines.dcase import PUBLISHED_CLASSES


def differences(machines: Iterable[str], n_normal: int = 100, n_anomalous: int = 2) -> list[str]:
    """Of clips of machines, their scores all the same."""
    clips = [
        LabelledScore(machine, f"{number}.wav", 0.0, number >= n_normal)
        for machine in machines
        for number in range(n_normal + n_anomalous)
    ]
    return list(PAPERS_TEST_SET.differences(evaluate(clips, n_resamples=0)))


def test_the_papers_own_machines_with_enough_clips_are_its_test_set() -> None:
    assert len(PAPERS_TEST_SET.machines) == 23
    assert set(PUBLISHED_CLASSES) > PAPERS_TEST_SET.machines
    assert differences(PAPERS_TEST_SET.machines) == []


def test_other_machines_are_named() -> None:
    here = PAPERS_TEST_SET.machines - {"fan/id_00", "valve/id_06"} | {"blower/id_00"}
    assert differences(here) == [
        "2 of its 23 machine IDs are missing (fan/id_00, valve/id_06)",
        "not in it: blower/id_00",
    ]


def test_few_clips_are_counted() -> None:
    (found,) = differences(PAPERS_TEST_SET.machines, n_normal=3)
    few = [f"3 normal and 2 anomalous of fan/id_{number:02}" for number in (0, 2, 4, 6)]
    assert found == (
        f"it has 100 or more normal clips of each, and anomalous ones; here are {', '.join(few)} and 19 more"
    )
    assert differences(PAPERS_TEST_SET.machines, n_anomalous=0) != []
