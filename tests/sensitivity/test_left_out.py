"""A judge that does not know one recording: fitted and calibrated as if that had never been enrolled."""

import numpy as np
import numpy.typing as npt
import pytest

from osscl.decisions import Memory
from osscl.errors import DecisionError
from osscl.scoring.judge import Judge, NormalScores
from osscl.sensitivity.left_out import judge_without

NAMES = [f"day {number // 2}" for number in range(12)]


@pytest.fixture(scope="module")
def rows() -> npt.NDArray[np.float64]:
    return np.random.default_rng(0).normal(0.0, 2.0, (12, 360))


def judge_of(rows: npt.NDArray[np.float64], names: list[str], rate: float | None = None) -> Judge:
    memory = Memory.fit(rows, names)
    normal = NormalScores(memory.calibration_scores, memory.calibration_recordings)
    return Judge("fan/id_00", "memory", memory=memory, normal=normal, asked_rate=rate)


def test_it_decides_as_one_that_was_never_given_the_recording(rows: npt.NDArray[np.float64]) -> None:
    without = judge_without(judge_of(rows, NAMES), "day 2")
    kept = [number for number in range(12) if NAMES[number] != "day 2"]
    never = judge_of(rows[kept], [NAMES[number] for number in kept])
    strange = np.random.default_rng(1).normal(0.0, 2.3, (20, 360))
    ours, theirs = without.judge(features=strange), never.judge(features=strange)
    assert without.rate == never.rate == 1 / 6
    # what a file holds is rounded to 16 bits against the mean of its clips, which is another one
    assert ours.score == pytest.approx(theirs.score, abs=5e-3)
    assert ours.threshold == pytest.approx(theirs.threshold, abs=5e-3)
    full = judge_of(rows, NAMES).judge(features=strange)
    assert np.abs(full.score - theirs.score).max() > 0.1


def test_a_recording_that_it_does_not_know_changes_nothing(rows: npt.NDArray[np.float64]) -> None:
    judge = judge_of(rows, NAMES)
    assert judge_without(judge, "another day") is judge


def test_calibrations_leave_it_out_too(rows: npt.NDArray[np.float64]) -> None:
    scores = NormalScores(np.arange(12.0), NAMES)
    without = judge_without(Judge("fan/id_00", "network", (0,), normal=scores), "day 5")
    assert without.normal is not None
    assert without.normal.scores.tolist() == list(range(10))
    assert set(without.normal.recordings) == {f"day {number}" for number in range(5)}


def test_held_out_clips_leave_the_memory_as_it_is() -> None:
    rows = np.random.default_rng(2).normal(0.0, 2.0, (520, 360))
    judge = judge_of(rows, [str(number // 20) for number in range(520)])
    assert judge.memory is not None
    assert judge.memory.is_guaranteed
    without = judge_without(judge, judge.memory.held_out_recordings[0])
    assert without.memory is judge.memory
    assert without.normal is not None
    assert len(set(without.normal.recordings)) == len(set(judge.memory.held_out_recordings)) - 1


@pytest.mark.parametrize(
    ("names", "are"),
    [(["one"] * 12, "recording is"), ([f"{number % 3}" for number in range(12)], "recordings are")],
)
def test_too_few_recordings_are_refused_in_one_sentence(
    rows: npt.NDArray[np.float64], names: list[str], are: str
) -> None:
    with pytest.raises(DecisionError, match=rf"normal {are} too few for detection limits: .*enroll 4"):
        judge_without(judge_of(rows, names), names[0])
