"""Recordings behind URLs are scored as files are: the same lines, to the last bit, but for their paths."""

import errno
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from osscl.audio.reading import AS_THEY_ARE
from osscl.detector import Detector, load
from osscl.errors import NoRecordingsError, StorageError
from osscl.model_file.golden import golden_clips
from osscl.runs.folder import find_recordings, find_some_recordings
from osscl.runs.passed_over import PassedOver
from osscl.scoring.record import Record
from support.audio_files import encoded
from support.stores import failing_store, memory_store

NAMES = [
    "fan/test/anomaly_id_00_1.wav",
    "fan/test/normal_id_00_0.wav",
    "fan/train/2026-11-03_14-20-00_id_00.flac",
]


@pytest.fixture(scope="module")
def detector(model_file: Path) -> Iterator[Detector]:
    with load(model_file) as opened:
        yield opened


def written(tmp_path: Path) -> dict[str, bytes]:
    """Recordings, one of them damaged and one empty, and what is none."""
    contents = {
        name: encoded(clip, kind="FLAC" if name.endswith("flac") else "WAV")
        for name, clip in zip(NAMES, golden_clips(3), strict=True)
    }
    contents |= {
        "fan/test/short_id_00.wav": contents[NAMES[0]][:1000],
        "fan/test/empty_id_00.wav": b"",
        "fan/test/._x_id_00.wav": b"",
        "fan/notes.txt": b"x",
    }
    for name, content in contents.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return contents


def with_path(record: Record, path: str) -> Record:
    return msgspec.structs.replace(record, path=path)


@pytest.mark.parametrize("hop_s", [None, 10.0])
def test_lines_are_those_of_files(detector: Detector, tmp_path: Path, hop_s: float | None) -> None:
    contents = written(tmp_path)

    def scored(root: str) -> list[Record]:
        walk = find_recordings([root])
        return list(detector.score_candidates(walk, lambda _: detector.machines[0], AS_THEY_ARE, hop_s=hop_s))

    local = scored(str(tmp_path))
    with memory_store(contents):
        stored = scored("memory://")
    assert len(stored) >= 5
    assert [record.path for record in stored] == [
        f"memory://{Path(record.path).relative_to(tmp_path)}" for record in local
    ]
    assert [with_path(record, "") for record in stored] == [with_path(record, "") for record in local]


def test_an_object_that_vanishes_has_a_line(detector: Detector, tmp_path: Path) -> None:
    with memory_store(written(tmp_path)) as system:
        walk = list(find_recordings(["memory://fan"]))
        system.rm_file("/" + NAMES[1])
        records = list(detector.score_candidates(walk, lambda _: detector.machines[0], AS_THEY_ARE))
    [gone] = [record for record in records if record.path == f"memory://{NAMES[1]}"]
    assert gone.status == "unreadable"
    assert gone.reason == "it cannot be read: there is nothing at this place, or not any more"
    assert len(records) == 5


def test_single_objects_are_scored_as_files_are(detector: Detector, tmp_path: Path) -> None:
    contents = written(tmp_path)
    machine = detector.machines[0]
    [local] = detector.score_files([tmp_path / NAMES[0]], machine)
    with memory_store(contents):
        [stored, gone] = detector.score_files([f"memory://{NAMES[0]}", "memory://none.wav"], machine)
    assert with_path(stored, "") == with_path(local, "")
    assert gone.status == "unreadable"


def test_what_is_passed_over_is_counted_and_an_empty_place_is_refused() -> None:
    met = PassedOver()
    with memory_store({"a/x.mp3": b"", "a/._b.wav": b"", "a/c.wav": b""}):
        assert [each.path for each in find_recordings(["memory://a"], met)] == ["memory://a/c.wav"]
        assert (met.n_companions, dict(met.endings)) == (1, {".mp3": 1})
        with pytest.raises(NoRecordingsError, match=r"no .wav, .* below memory://none: it holds no file"):
            find_some_recordings(["memory://none"])


def test_a_place_that_cannot_be_listed_is_refused_at_once_wherever_it_stands() -> None:
    with failing_store({"a/x.wav": b"", "b/y.wav": b""}) as store:
        store.failures["list /b"] = [PermissionError("Forbidden")]
        with pytest.raises(StorageError, match=r"^failing://b/ cannot be listed: access is denied"):
            find_some_recordings(["failing://a/", "failing://b/"])


def test_a_listing_that_breaks_off_leaves_a_line_that_says_so() -> None:
    with failing_store({"a/x.wav": b"", "a/z/y.wav": b""}) as store:
        store.failures["list /a/z"] = [OSError(errno.EINVAL, "nonsense")]
        first, last = find_recordings(["failing://a/"])
    assert first.path == "failing://a/x.wav"
    assert str(last.problem) == "what lies behind 1 object of it cannot be listed: nonsense"
