"""Memories of more than 512 clips, and ones that grow too large for a manifest; with made features."""

from collections.abc import Sequence

import msgspec
import numpy as np
import pytest

from osscl.audio.reading import AS_THEY_ARE
from osscl.enrolment import cap
from osscl.enrolment.cap import capped
from osscl.enrolment.changes import added_to, without
from osscl.enrolment.domains import Owner
from osscl.enrolment.memories import refuse_unreachable_rate
from osscl.enrolment.normals import Normal
from osscl.enrolment.remembered import Remembered, made_new
from osscl.errors import DecisionError
from osscl.model_file.decisions import StoredBackground, StoredDecisions, StoredMemory
from osscl.model_file.restored import restored_normals, stored_background
from osscl.runs.featured import FeaturedClip
from support.made_features import made_background, made_features


@pytest.fixture(scope="module")
def background() -> StoredBackground:
    return stored_background(made_background())


def normals(n: int, *, seed: int = 1, clips_a_recording: int = 1, shift_db: float = 0.0) -> list[Normal]:
    rows = made_features(seed, n).astype(np.float32) + np.float32(shift_db)
    return [
        Normal(
            FeaturedClip(
                f"{seed}_{number}.wav",
                f"{seed:04x}{number:012x}",
                row,
                False,
                16_000,
                np.zeros(6, np.float32),
            ),
            f"{seed}_{number // clips_a_recording}",
        )
        for number, row in enumerate(rows)
    ]


def hashes(clips: Sequence[Normal]) -> set[str]:
    return {normal.clip.sha256 for normal in clips}


@pytest.fixture(scope="module")
def large(background: StoredBackground) -> Remembered:
    """600 clips: 256 are fitted, the others calibrate."""
    return made_new("fan/id_00", normals(600), AS_THEY_ARE, background)


def test_of_many_clips_some_are_fitted_and_all_others_calibrate(
    large: Remembered, background: StoredBackground
) -> None:
    assert (len(large.stored.clips), len(large.stored.held_out)) == (256, 344)
    assert {each.sha256 for each in (*large.stored.clips, *large.stored.held_out)} == hashes(normals(600))
    assert large.is_guaranteed
    restored = restored_normals(large.stored, background)
    assert np.array_equal(restored.calibration_scores, large.memory.calibration_scores)


def test_what_is_added_to_many_clips_calibrates(large: Remembered, background: StoredBackground) -> None:
    new = normals(5, seed=2)
    more = added_to(large.stored, new, AS_THEY_ARE, background)
    assert more.stored.clips == large.stored.clips
    assert {each.sha256 for each in more.stored.held_out[-5:]} == hashes(new)
    scores = large.memory.scores_of(np.stack([normal.clip.features for normal in new]))
    assert np.array_equal(more.memory.calibration_scores[-5:], scores)
    assert "5 new ones calibrate it" in more.notes[0]
    assert more.is_guaranteed


def test_a_flagged_clip_ends_the_guarantee(large: Remembered, background: StoredBackground) -> None:
    strange = normals(1, seed=3, shift_db=20)
    more = added_to(large.stored, strange, AS_THEY_ARE, background)
    assert set(more.flagged) == hashes(strange)
    assert not more.is_guaranteed


def test_many_clips_forget(large: Remembered, background: StoredBackground) -> None:
    calibrating = large.stored.held_out[3].sha256
    less = without(large.stored, {calibrating}, background)
    assert len(less.stored.held_out) == 343
    assert np.array_equal(less.memory.calibration_scores, np.delete(large.memory.calibration_scores, 3))
    fitted = large.stored.clips[0].sha256
    less = without(large.stored, {fitted}, background)
    assert (len(less.stored.clips), len(less.stored.held_out)) == (255, 0)
    assert "344 clips that calibrated the memory are no longer valid" in less.notes[0]


def test_100_recordings_take_at_most_125_kb(background: StoredBackground) -> None:
    """Base64 of 720 bytes a clip, its hash twice (it is its own recording), the date."""
    clips = [Normal(each.clip, each.clip.sha256) for each in normals(100)]
    stored = made_new("fan/id_00", clips, AS_THEY_ARE, background).stored
    assert isinstance(stored, StoredMemory)
    size = len(msgspec.json.encode(StoredDecisions(memories=(stored,), background=background)))
    assert 96_000 < size <= 125_000


def test_memories_are_made_small_enough_by_whole_recordings(
    large: Remembered, background: StoredBackground, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = made_new("pump/id_01", normals(60, clips_a_recording=6), AS_THEY_ARE, background)
    fan, pump = Owner("fan/id_00"), Owner("pump/id_01")
    both = {fan: large, pump: small}
    assert capped(both, 1000, background) == both
    monkeypatch.setattr(cap, "MAX_MANIFEST_BYTES", 360_000)
    some = capped(both, 1000, background)
    assert some[pump] is small
    assert (len(some[fan].stored.clips), some[fan].notes[0][:10]) == (256, "fan/id_00:")
    assert sum(len(msgspec.json.encode(each.stored)) for each in some.values()) <= 359_000
    monkeypatch.setattr(cap, "MAX_MANIFEST_BYTES", 60_000)
    few = capped(both, 1000, background)
    assert all(3 <= len(each.stored.clips) < 60 and not each.stored.held_out for each in few.values())
    assert len(few[pump].stored.clips) % 6 == 0  # whole recordings
    assert sum(len(msgspec.json.encode(each.stored)) for each in few.values()) <= 59_000
    again = capped(both, 1000, background)
    assert [each.stored for each in again.values()] == [each.stored for each in few.values()]
    with pytest.raises(DecisionError, match="have no room"):
        capped(both, 55_000, background)


def test_every_machine_that_lacks_recordings_is_named(background: StoredBackground) -> None:
    few = {
        Owner(name): made_new(name, normals(n), AS_THEY_ARE, background)
        for name, n in (("a", 10), ("b", 19), ("c", 5))
    }
    with pytest.raises(DecisionError, match=r"a: 10 .*: 9 more are needed.*; c: 5 .*: 14 more"):
        refuse_unreachable_rate(few, 0.05)
    alike = {owner: few[Owner("a")] for owner in map(Owner, "defgh")}
    with pytest.raises(
        DecisionError, match=r"^d, e, f and 2 more: 10 normal .* rate of 0.09091; c: 5 [^;]*$"
    ):
        refuse_unreachable_rate({**alike, Owner("c"): few[Owner("c")]}, 0.05)
    refuse_unreachable_rate(few, 0.2)
    refuse_unreachable_rate(few, None)
