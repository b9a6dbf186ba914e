"""The walk over folders of recordings."""

import tempfile
from pathlib import Path

from osscl.audio.reading import Fit
from osscl.detector import load
from osscl.machines.labels import machine_source
from osscl.model_file.golden import golden_clips
from osscl.runs.folder import find_recordings
from support.audio_files import encoded, ordinary_user


def test_recordings_are_found_in_order_whatever_their_depth_and_spelling(tmp_path: Path) -> None:
    names = ("b/2.wav", "b/a/1.FLAC", "b/10.WAV", "a.wav", "c/notes.txt", "c/x.wav.part")
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = [str(Path(each.path).relative_to(tmp_path)) for each in find_recordings([str(tmp_path)])]
    assert found == ["a.wav", "b/10.WAV", "b/2.wav", "b/a/1.FLAC"]


def test_files_and_folders_without_permission_have_their_line(model_file: Path) -> None:
    with load(model_file) as detector, tempfile.TemporaryDirectory() as place:
        root = Path(place)
        root.chmod(0o755)
        for name in ("a", "b", "c"):
            (root / "fan" / name).mkdir(parents=True)
            (root / "fan" / name / "x_id_00.wav").write_bytes(encoded(golden_clips(1)[0]))
        (root / "fan" / "a" / "x_id_00.wav").chmod(0)
        (root / "fan" / "b").chmod(0)
        machine_of = machine_source(detector.machines)
        with ordinary_user():
            records = list(detector.score_candidates(find_recordings([root]), machine_of, Fit()))
        (root / "fan" / "b").chmod(0o755)
    assert [(Path(record.path).relative_to(root / "fan").parts[0], record.status) for record in records] == [
        ("a", "unreadable"),
        ("b", "unreadable"),
        ("c", "ok"),
    ]
    assert records[0].reason == "it cannot be opened: Permission denied"
    assert records[1].reason == "the folder cannot be listed: Permission denied"
