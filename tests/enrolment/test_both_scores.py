"""The rule both on normal clips: each is scored as a clip of a new recording would be."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from msgspec.structs import replace

from osscl.audio.reading import AS_THEY_ARE, Fit
from osscl.decisions import Memory, RobustScale
from osscl.enrolment.both_scores import both_scores, refuse_unlike, without_siblings
from osscl.enrolment.normals import Normal
from osscl.enrolment.remembered import made_new
from osscl.errors import DecisionError
from osscl.model_file.decisions import StoredMemory
from osscl.runs.featured import FeaturedClip
from osscl.scoring.judge import Judge
from support.made_features import made_features

MACHINE = "fan/id_00"


def normals_of(rows: npt.NDArray[np.float64], recordings: Sequence[str], first: int = 0) -> list[Normal]:
    """Normal clips with made features."""
    clips = [
        FeaturedClip(
            f"{number}.wav", f"{number:016x}", row.astype(np.float32), False, 16_000, np.zeros(6, np.float32)
        )
        for number, row in enumerate(rows, first)
    ]
    return [Normal(clip, recording) for clip, recording in zip(clips, recordings, strict=True)]


@pytest.fixture(scope="module")
def known() -> list[Normal]:
    """15 clips of 5 recordings."""
    return normals_of(made_features(1, 15, n_recordings=5), [f"r{i % 5}" for i in range(15)])


@pytest.fixture(scope="module")
def new() -> list[Normal]:
    """6 clips of 6 other recordings."""
    return normals_of(made_features(2, 6), [f"n{i}" for i in range(6)], first=100)


class OfFeatures(NamedTuple):
    """A memory as it is stored, and as it computes."""

    stored: StoredMemory
    memory: Memory


def made_of(normals: list[Normal]) -> OfFeatures:
    made = made_new(MACHINE, normals, AS_THEY_ARE, None)
    assert isinstance(made.stored, StoredMemory)
    assert isinstance(made.memory, Memory)
    return OfFeatures(made.stored, made.memory)


@pytest.fixture(scope="module")
def remembered(known: list[Normal]) -> OfFeatures:
    return made_of(known)


def test_a_clip_is_scored_without_its_recording(
    remembered: OfFeatures, known: list[Normal], new: list[Normal]
) -> None:
    """By the memory's leave-one-out score where it holds the clip; the network's z is made anew."""
    every = [*known, *new]
    network = np.exp(np.random.default_rng(4).normal(size=len(every)))

    found = both_scores(remembered.memory, remembered.stored, every, network)

    as_new = remembered.memory.score(np.stack([normal.clip.features for normal in new])).score
    by_memory = np.concatenate([remembered.memory.leave_one_out, as_new])
    scale = RobustScale.of(remembered.memory.leave_one_out)
    expected = []
    for normal, score, of_memory in zip(every, network, by_memory, strict=True):
        others = zip(every, network, strict=True)
        logs = np.log([other for each, other in others if each.recording != normal.recording])
        median = np.median(logs)
        by_network = (np.log(score) - median) / (1.4826 * np.median(np.abs(logs - median)))
        expected.append(max((of_memory - scale.median) / (1.4826 * scale.mad), by_network))
    assert found.score == pytest.approx(np.array(expected), rel=1e-9, abs=1e-9)
    assert found.scale == RobustScale.of(np.log(network))


def test_scoring_does_the_same_with_a_new_clip(remembered: OfFeatures, new: list[Normal]) -> None:
    """But for the network's scale, which then knows all normal clips."""
    network = np.exp(np.random.default_rng(5).normal(size=6))
    found = both_scores(remembered.memory, remembered.stored, new, network)
    judge = Judge(MACHINE, "both", (0,), remembered.memory, found.scale)
    judged = judge.judge(network, np.stack([normal.clip.features for normal in new]))

    z_of_network = found.scale.z(np.log(network))
    by_memory = judged.score > z_of_network + 1e-6  # in these the scale of the network plays no part
    assert by_memory.any()
    same = by_memory & (found.score > z_of_network + 1e-6)
    assert np.array_equal(judged.score[same], found.score[same].astype(np.float32).astype(np.float64))


def test_siblings_of_remembered_clips_do_not_calibrate(
    remembered: OfFeatures, known: list[Normal], new: list[Normal]
) -> None:
    sibling = normals_of(made_features(3, 1), ["r2"], first=200)

    assert without_siblings(remembered.stored, [*known, *sibling, *new]) == [*known, *new]


def test_a_memory_that_suits_is_taken(remembered: OfFeatures, known: list[Normal]) -> None:
    assert refuse_unlike(remembered.stored, known, AS_THEY_ARE) is remembered.stored


def test_what_does_not_suit_is_refused(remembered: OfFeatures, known: list[Normal]) -> None:
    stored = remembered.stored
    alone = [Normal(each.clip, each.clip.sha256) for each in known]
    one = [Normal(each.clip, "all") for each in known]
    two = made_of([Normal(each.clip, each.recording[:1]) for each in known])
    for memory, clips, fit, says in (
        (None, known, AS_THEY_ARE, "it has no memory"),
        (replace(stored, features_sha256="0" * 64), known, AS_THEY_ARE, "of other features"),
        (stored, known, Fit(resample=True), "made to fit in another way"),
        (replace(stored, is_padded=True), known, AS_THEY_ARE, "made to fit in another way"),
        (stored, alone, AS_THEY_ARE, "says otherwise which clips belong to one recording"),
        (stored, one, AS_THEY_ARE, "says otherwise which clips belong to one recording"),
        (two.stored, known, AS_THEY_ARE, "fewer than 3 recordings"),
    ):
        with pytest.raises(DecisionError, match=says):
            refuse_unlike(memory, clips, fit)
