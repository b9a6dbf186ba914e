"""What an export puts into a file to decide by, and that exporting it again keeps it."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from osscl.enrolment import EnrolOptions, enroll
from osscl.errors import ConfigError, DecisionError
from osscl.export import export_onnx
from osscl.model_file.bundle import read_bundle
from osscl.model_file.decisions import StoredDecisions
from osscl.scoring.judges import Judges
from support import once
from support.normal_recordings import write_normals

MACHINES = ("fan/id_00", "fan/id_02", "pump/id_00", "pump/id_02")


@pytest.fixture(scope="session")
def recordings() -> Path:
    """4 clips of each of 4 machines."""

    def make(folder: Path) -> None:
        for number, machine in enumerate(MACHINES):
            machine_type, machine_id = machine.split("/")
            write_normals(folder / machine_type / "train", 4, machine=number, name=f"normal_{machine_id}")

    return once.made_once("export_decisions", make)


def decisions_of(path: Path) -> StoredDecisions:
    decisions = read_bundle(path).manifest.decisions
    assert decisions is not None
    return decisions


def test_background_and_memories_are_written_and_kept(recordings: Path, tmp_path: Path) -> None:
    first, again = tmp_path / "first.onnx", tmp_path / "again.onnx"
    export_onnx("demo", first, background=recordings, enroll=recordings / "pump")
    made = decisions_of(first)
    assert made.background is not None
    assert (made.background.n_machines, made.background.n_clips) == (4, 16)
    assert [memory.machine for memory in made.memories] == ["pump/id_00", "pump/id_02"]
    enroll(
        recordings / "pump",
        tmp_path / "enrolled.onnx",
        "demo",
        EnrolOptions(background=recordings),
    )
    assert decisions_of(tmp_path / "enrolled.onnx").memories == made.memories, "as osscl enroll makes them"
    embedded = tmp_path / "embedded.onnx"
    enroll(recordings / "pump", embedded, first, EnrolOptions(rule="embedding"))
    export_onnx(embedded, again)
    kept = decisions_of(embedded)
    assert len(kept.embeddings) == 2
    assert replace(kept, embeddings=(), rules=made.rules) == made
    assert decisions_of(again) == kept
    assert Judges(read_bundle(again).manifest).lacking("pump/id_00") is None, "it is the same network"


def test_too_few_machines_make_no_background(recordings: Path, tmp_path: Path) -> None:
    with pytest.raises(DecisionError, match="2 of 2 machines have 4 or more clips"):
        export_onnx("demo", tmp_path / "x.onnx", background=recordings / "fan")
    with pytest.raises(ConfigError, match=r"--enroll is .*; it must be a folder of recordings"):
        export_onnx("demo", tmp_path / "x.onnx", enroll=recordings / "nowhere")
    assert list(tmp_path.iterdir()) == []
