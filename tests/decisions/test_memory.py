"""A memory: what it is fitted to, how it is stored, and what it refuses."""

from itertools import pairwise

import numpy as np
import pytest

from osscl.decisions import Background, Memory, StoredArrays, pooled_background
from osscl.decisions.selection import MAX_FITTED, select
from osscl.errors import DecisionError
from support.made_features import made_background, made_features, plain_memory


@pytest.fixture(scope="module")
def background() -> Background:
    return made_background()


# Arithmetic


@pytest.mark.parametrize("recordings", [None, [f"r{i // 3}" for i in range(14)]], ids=["clips", "recordings"])
@pytest.mark.parametrize("with_background", [True, False])
def test_scores_are_those_of_the_definition(
    background: Background, recordings: list[str] | None, with_background: bool
) -> None:
    given = background if with_background else None
    memory = Memory.fit(made_features(1, 14), recordings, given)
    clips = made_features(2, 3)
    left_out, scores = plain_memory(memory.features, recordings or range(14), given, clips)
    np.testing.assert_allclose(memory.leave_one_out, left_out, rtol=0, atol=1e-8)
    np.testing.assert_allclose(memory.score(clips).score, scores, rtol=0, atol=1e-8)


def test_a_recording_is_left_out_whole(background: Background) -> None:
    features = made_features(3, 20, n_recordings=5, within=0.1)
    recordings = [f"r{i % 5}" for i in range(20)]
    alone = Memory.fit(features, None, background).fitted.standards
    whole = Memory.fit(features, recordings, background).fitted.standards
    assert all(whole[name].mean > 1.5 * alone[name].mean for name in whole)


def test_the_score_is_the_weighted_sum_of_its_blocks(background: Background) -> None:
    scores = Memory.fit(made_features(1, 10), None, background).score(made_features(2, 5))
    expected = scores.z_level + scores.z_modulation + scores.z_flutter + scores.z_event / 4
    np.testing.assert_allclose(scores.score, expected, rtol=1e-12)


def test_a_clips_score_does_not_depend_on_its_batch(background: Background) -> None:
    memory = Memory.fit(made_features(1, 40), None, background)
    clips = made_features(2, 9)
    alone = [memory.score(clip[np.newaxis]).score[0] for clip in clips]
    assert memory.score(clips).score.tolist() == alone
    assert memory.score(clips[:0]).score.shape == (0,)


def test_clips_that_do_not_differ_make_no_score_endless(background: Background) -> None:
    for given in (background, None):
        memory = Memory.fit(np.full((6, 360), -60.0), None, given)
        assert np.isfinite(memory.leave_one_out).all()
        assert np.isfinite(memory.score(made_features(1, 4)).score).all()


# What it is fitted to


def test_equal_clips_count_once(background: Background) -> None:
    features = made_features(1, 8)
    doubled = np.concatenate([features, features[:5]])
    ids = [f"clip {i}" for i in [*range(8), *range(5)]]
    memory = Memory.fit(doubled, None, background, clip_ids=ids)
    assert memory.stored == Memory.fit(features, None, background).stored
    assert memory.selection is not None
    assert memory.selection.fitted.tolist() == list(range(8))


def test_fewer_than_three_different_clips_are_refused(background: Background) -> None:
    features = made_features(1, 4)
    with pytest.raises(DecisionError, match=r"^2 different normal clips are too few: a memory needs 3"):
        Memory.fit(features, None, background, clip_ids=["a", "b", "a", "b"])
    with pytest.raises(DecisionError, match=r"^0 different normal clips are too few"):
        Memory.fit(features[:0], None, background)
    assert Memory.fit(features[:3], None, background).score(features).score.shape == (4,)


@pytest.mark.parametrize("n_recordings", [1, 2])
def test_too_few_recordings_give_a_score_and_no_decision(background: Background, n_recordings: int) -> None:
    features = made_features(1, 8)
    memory = Memory.fit(features, [f"r{i % n_recordings}" for i in range(8)], background)
    scores = memory.score(features).score
    decisions = memory.decide(scores, 0.3)
    assert np.isfinite(scores).all()
    assert np.isnan(decisions.p_value).all()
    assert np.isnan(decisions.threshold)
    assert decisions.is_anomaly is None
    assert decisions.reason is not None
    assert f"{3 - n_recordings} more" in decisions.reason


def test_a_stranger_among_the_normals_is_named_and_kept(background: Background) -> None:
    features = made_features(1, 30)
    features[11] += 20.0
    memory = Memory.fit(features, None, background)
    assert np.flatnonzero(memory.is_suspicious).tolist() == [11]
    assert len(memory.features) == 30
    scores = memory.leave_one_out
    limit = np.median(scores) + 6 * np.median(np.abs(scores - np.median(scores)))
    assert memory.is_suspicious.tolist() == (scores > limit).tolist()


# More clips than are kept


def test_many_clips_are_halved_by_recordings(background: Background) -> None:
    recordings = [f"r{i // 4}" for i in range(600)]
    memory = Memory.fit(made_features(1, 600), recordings, background, seed=3)
    assert len(memory.features) == MAX_FITTED
    assert len(memory.held_out_scores) == 600 - MAX_FITTED
    assert not set(memory.recordings) & set(memory.held_out_recordings)
    assert memory.is_guaranteed
    assert memory.calibration_scores is memory.held_out_scores
    selection = memory.selection
    assert selection is not None
    held_out = memory.score(made_features(1, 600)[selection.held_out]).score
    assert held_out.tolist() == memory.held_out_scores.tolist()
    assert not Memory.fit(made_features(1, 20), None, background).is_guaranteed


@pytest.mark.parametrize(
    ("sizes", "n_fitted", "calibrates"),
    [
        ([1] * 512, 512, False),
        ([1] * 513, 256, True),
        ([300] * 10, 256, True),  # none fits whole: half of them, thinned
        ([20_000] * 5, 256, False),  # too few to halve: all of them, thinned
        ([300, *[1] * 400], 256, True),
        ([513], 256, False),
    ],
)
def test_selection_keeps_recordings_apart(sizes: list[int], n_fitted: int, calibrates: bool) -> None:
    recordings = np.repeat(np.arange(len(sizes)), sizes)
    fitted, held_out, set_aside = selection = select(recordings, seed=1)
    assert len(fitted) == n_fitted
    assert bool(len(held_out)) == calibrates
    assert sorted(np.concatenate(selection).tolist()) == list(range(len(recordings)))
    assert not set(recordings[held_out]) & {*recordings[fitted], *recordings[set_aside]}
    assert set(recordings[set_aside]) <= set(recordings[fitted])
    counts = np.bincount(recordings[fitted])
    if len(set_aside):
        assert np.ptp(counts[counts > 0]) <= 1  # thinned evenly
    again = select(recordings, seed=1)
    assert all((a == b).all() for a, b in zip(selection, again, strict=True))
    if n_fitted < len(recordings):
        assert any(
            not np.array_equal(select(recordings, a).fitted, select(recordings, b).fitted)
            for a, b in pairwise(range(6))
        )


# Stored


@pytest.mark.parametrize("with_background", [True, False])
def test_a_stored_memory_scores_to_the_last_bit(background: Background, with_background: bool) -> None:
    given = background if with_background else None
    memory = Memory.fit(made_features(1, 23).astype(np.float32), [f"r{i // 2}" for i in range(23)], given)
    again = Memory.from_stored(StoredArrays(*map(bytes, memory.stored)), memory.recordings, given)
    clips = made_features(2, 10)
    assert again.leave_one_out.tobytes() == memory.leave_one_out.tobytes()
    assert [z.tobytes() for z in again.score(clips)] == [z.tobytes() for z in memory.score(clips)]
    assert again.stored == memory.stored
    assert len(memory.stored.mean) == 4 * 360
    assert len(memory.stored.deviations) == 2 * 360 * 23


def test_damaged_bytes_are_refused(background: Background) -> None:
    mean, deviations = Memory.fit(made_features(1, 5), None, background).stored
    names = ["a", "b", "c", "d", "e"]
    for stored in (StoredArrays(mean[1:], deviations), StoredArrays(mean, deviations[1:])):
        with pytest.raises(DecisionError, match="it is damaged, enroll again"):
            Memory.from_stored(stored, names, background)
    nan = np.full(360, np.nan, "<f2").tobytes()
    with pytest.raises(DecisionError, match="not finite: it is damaged"):
        Memory.from_stored(StoredArrays(mean, deviations[720:] + nan), names, background)
    with pytest.raises(DecisionError, match="recordings name 4 clips; expected 5"):
        Memory.from_stored(StoredArrays(mean, deviations), names[:4], background)


# Refused


def test_features_that_do_not_fit_are_refused(background: Background) -> None:
    features = made_features(1, 6)
    memory = Memory.fit(features, None, background)
    nan, far = features.copy(), features.copy()
    nan[2, 5] = np.nan
    far[0, 0] = 1e6
    for given, complaint in (
        (features[:, :359], r"features are float64 \[6, 359\]; expected numbers \[clips, 360\]"),
        (features[0], r"features are float64 \[360\]"),
        (nan, "row 2 of features holds a number that is not finite"),
    ):
        with pytest.raises(DecisionError, match=complaint):
            Memory.fit(given, None, background)
        with pytest.raises(DecisionError, match=complaint):
            memory.score(given)
    with pytest.raises(DecisionError, match="row 0 of features lies further than 65504 dB"):
        Memory.fit(far, None, background)
    with pytest.raises(DecisionError, match="recordings name 5 clips; expected 6"):
        Memory.fit(features, ["a"] * 5, background)
    with pytest.raises(DecisionError, match="clip_ids name 2 clips; expected 6"):
        Memory.fit(features, None, background, clip_ids=["a", "b"])


# Background


def test_a_background_needs_four_machines_of_four_clips() -> None:
    machines = {f"fan/id_{i}": made_features(i, 4 if i < 3 else 3) for i in range(6)}
    with pytest.raises(DecisionError, match=r"^3 of 6 machines have 4 or more clips; a background needs 4"):
        pooled_background(machines, "made", "")
    machines["fan/id_5"] = made_features(5, 4)
    background = pooled_background(machines, "made", "")
    assert (background.n_machines, background.n_clips) == (4, 16)


def test_a_background_pools_the_variances_within_machines() -> None:
    machines = {f"fan/id_{i}": made_features(i, 5 + i) + 30.0 * i for i in range(5)}
    background = pooled_background(machines, "made", "")
    n_clips = sum(map(len, machines.values()))
    pooled = sum(np.var(rows[:, 32:], axis=0, ddof=1) * len(rows) for rows in machines.values()) / n_clips
    found = np.concatenate([background.modulation, background.flutter, background.event])
    np.testing.assert_allclose(found, pooled, rtol=1e-6)
    assert found.tolist() == found.astype(np.float32).tolist()
    assert background.level.tolist() == background.level.astype(np.float32).tolist()


def test_a_feature_that_never_varies_does_not_break_the_background() -> None:
    machines = {f"fan/id_{i}": made_features(i, 6) for i in range(5)}
    for rows in machines.values():
        rows[:, 140:160] = -60.0
    memory = Memory.fit(machines["fan/id_0"], None, pooled_background(machines, "made", ""))
    assert np.isfinite(memory.score(made_features(9, 3)).score).all()


@pytest.mark.parametrize("spoil", ["shape", "nan", "negative", "not symmetric"])
def test_no_covariance_is_no_background(background: Background, spoil: str) -> None:
    parts = {name: value.copy() for name, value in background.priors.items()}
    if spoil == "shape":
        parts["level"] = parts["level"][:31, :31]
    elif spoil == "not symmetric":
        parts["level"][0, 1] += 1.0
    else:
        parts["event"][3] = np.nan if spoil == "nan" else -1.0
    with pytest.raises(DecisionError, match=r"^the background's (level|event) is .*pooled_background"):
        Background(**parts, n_machines=6, n_clips=72, source="made", features_sha256="")
