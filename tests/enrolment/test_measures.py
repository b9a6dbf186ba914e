"""What a memory keeps of its clips' recordings, through everything that is done to it."""

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from osscl.audio.quality import measured
from osscl.audio.reading import AS_THEY_ARE
from osscl.enrolment.changes import added_to, with_fitted, without
from osscl.enrolment.enrolling import enroll
from osscl.enrolment.normals import Normal
from osscl.enrolment.options import EnrolOptions
from osscl.enrolment.remembered import made_new
from osscl.errors import ModelFileError
from osscl.model_file.bundle import read_bundle
from osscl.model_file.decisions import StoredMemory, StoredNormals
from osscl.model_file.restored import restored_measures
from osscl.runs.featured import FeaturedClip
from support.remembering import normal_clips, stored_memory, write_clips, write_model

FAN = "fan/id_00"


def normals(n: int, first: int = 0) -> list[Normal]:
    """Clips whose measures are their own numbers."""
    rows = np.random.default_rng(first).normal(0, 1, (n, 360)).astype(np.float32)
    clips = (
        FeaturedClip(f"{i}.wav", f"{first + i:016x}", row, False, 16_000, np.full(6, first + i, np.float32))
        for i, row in enumerate(rows)
    )
    return [Normal(clip, clip.sha256) for clip in clips]


def numbers(stored: StoredNormals) -> list[int]:
    assert isinstance(stored, StoredMemory)
    found = restored_measures(stored)
    assert found is not None
    return [int(row[0]) for row in found]


def test_a_row_stays_with_its_clip() -> None:
    made = made_new(FAN, normals(6), AS_THEY_ARE, None).stored
    assert numbers(made) == [0, 1, 2, 3, 4, 5]
    more = added_to(made, normals(3, 100), AS_THEY_ARE, None).stored
    assert numbers(more) == [0, 1, 2, 3, 4, 5, 100, 101, 102]
    assert numbers(without(more, {more.clips[1].sha256, more.clips[6].sha256}, None).stored) == [
        0,
        2,
        3,
        4,
        5,
        101,
        102,
    ]
    assert numbers(with_fitted(more, [8, 0, 3, 5, 2, 1], None).stored) == [102, 0, 3, 5, 2, 1]


def test_of_more_than_512_clips_those_that_are_stored_keep_theirs() -> None:
    made = made_new(FAN, normals(600), AS_THEY_ARE, None).stored
    assert numbers(made) == [int(clip.sha256, 16) for clip in made.clips]


def test_a_memory_without_measures_stays_without() -> None:
    made = made_new(FAN, normals(6), AS_THEY_ARE, None).stored
    assert isinstance(made, StoredMemory)
    old = replace(made, measures=b"")
    assert restored_measures(old) is None
    more = added_to(old, normals(3, 100), AS_THEY_ARE, None).stored
    less = without(old, {old.clips[1].sha256}, None).stored
    for stored in (more, less):
        assert isinstance(stored, StoredMemory)
        assert stored.measures == b""


def test_enrolling_measures_recordings(tmp_path: Path) -> None:
    clips = normal_clips(1, 4)
    write_clips(tmp_path / "fan" / "train", "normal_id_00_", clips)
    enroll(tmp_path / "fan", tmp_path / "model.onnx", options=EnrolOptions())
    decisions = read_bundle(tmp_path / "model.onnx").manifest.decisions
    assert decisions is not None
    found = restored_measures(decisions.memories[0])
    np.testing.assert_array_equal(found, measured(clips).stored)


def test_measures_of_another_size_are_refused(tmp_path: Path) -> None:
    memory = replace(stored_memory(FAN, normal_clips(1, 4)), measures=bytes(4 * 4 * 6 - 4))
    with pytest.raises(ModelFileError, match=r"memories\[0\]\.measures` holds 92 bytes; expected 24 numbers"):
        write_model(tmp_path / "model.onnx", [memory], rules={FAN: "memory"})
