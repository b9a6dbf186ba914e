"""Which machine a path claims: the layouts of DCASE and MIMII, and no guesses."""

import os
from pathlib import Path

import pytest

from osscl.errors import LabelTableError, MachineError
from osscl.machines.dcase import (
    PUBLISHED_CLASSES,
    MachineFromPath,
    check_machine,
    id_of_file,
    machine_of_path,
)
from osscl.machines.labels import machine_source
from support.reference import Reference

KNOWN = ("fan/id_00", "fan/id_02", "pump/id_00", "ToyTrain/section_03", "valve/section_00")


def test_published_classes_are_in_the_order_of_the_published_weights() -> None:
    assert len(PUBLISHED_CLASSES) == 41
    expected = {0: "fan/id_00", 6: "fan/id_06", 7: "pump/id_00", 20: "slider/id_06", 21: "ToyCar/id_01"}
    expected |= {27: "ToyCar/id_07", 28: "ToyConveyor/id_01", 33: "ToyConveyor/id_06", 40: "valve/id_06"}
    assert {index: PUBLISHED_CLASSES[index] for index in expected} == expected


@pytest.mark.parametrize(
    ("path", "machine"),
    [
        ("/data/fan/test/normal_id_00_00000000.wav", "fan/id_00"),
        ("/data/fan/id_02/x.wav", "fan/id_02"),
        ("/data/fan/id_02/normal/00000000.wav", "fan/id_02"),
        ("/data/-6_dB_fan/fan/id_00/abnormal/00000000.wav", "fan/id_00"),
        ("/data/fan/id_00/normal_id_00_00000000.wav", "fan/id_00"),
        ("/data/fan/id_00_again_id_00/x.wav", "fan/id_00"),
        ("/data/fan/pump/id_00.wav", "pump/id_00"),
        ("/data/id_02/fan/id_00/x.wav", "fan/id_00"),
        ("/data/ToyTrain/train/section_03_source_train_normal_0001_strength_1.wav", "ToyTrain/section_03"),
        ("/data/valve/test/anomaly-section_00.x.flac", "valve/section_00"),
    ],
)
def test_layouts(path: str, machine: str) -> None:
    assert machine_of_path(path, KNOWN) == machine
    assert machine_of_path(Path(path), set(KNOWN)) == machine


@pytest.mark.parametrize(
    ("path", "telling"),
    [
        (
            "/data/fans/id_00/x.wav",
            "no parent folder is named after a machine type (fan, pump, ToyTrain, valve)",
        ),
        ("/data/Fan/id_00/x.wav", "no parent folder"),
        ("/data/x/fan", "no parent folder"),
        ("/data/fan/x.wav", "neither its name nor a folder below fan holds an ID"),
        ("/data/id_00/fan/x.wav", "neither its name"),
        ("/data/fan/grid_00/x.wav", "neither its name"),
        ("/data/fan/id_00a/x.wav", "neither its name"),
        ("/data/fan/id_/x.wav", "neither its name"),
        ("/data/fan/id_02/id_00_1.wav", "id_02 in folder id_02 and id_00 in file name id_00_1.wav"),
        ("/data/fan/id_00/id_02/x.wav", "id_02 in folder id_02 and id_00 in folder id_00"),
        (
            "/data/fan/id_00_id_02.wav",
            "id_00 in file name id_00_id_02.wav and id_02 in file name id_00_id_02.wav",
        ),
        ("/data/fan/id_00_section_00.wav", "more than one ID"),
        (
            "/data/fan/id_01.wav",
            "machine fan/id_01 is not known to the model, which knows fan/id_00, fan/id_02",
        ),
        ("/data/fan/id_0.wav", "machine fan/id_0 is not known"),
        ("/data/fan/section_00.wav", "machine fan/section_00 is not known"),
    ],
)
def test_what_names_no_known_machine_is_refused(path: str, telling: str) -> None:
    with pytest.raises(MachineError) as caught:
        machine_of_path(path, KNOWN)
    assert telling in str(caught.value)
    if "not known" not in telling:
        assert "--machine" in str(caught.value)
        assert "--labels" in str(caught.value)


def link(path: Path, target: Path | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    return path


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("snapshots/1f/fan/test/normal_id_00_x.wav", "../../../../blobs/0a1b"),  # Hugging Face
        (
            "fan/test/normal_id_00_x.wav",
            "../../.git/annex/objects/Zk/4f/SHA256E-s320044--aa.wav",
        ),  # git-annex
        ("fan/test/normal_id_00_x.wav", "/cache/files/md5/0a/1bcdef"),  # DVC
        ("fan/id_00/x.wav", "../../pump/id_02/y.wav"),
    ],
)
def test_names_are_those_of_the_path_as_walked(tmp_path: Path, name: str, target: str) -> None:
    assert machine_of_path(link(tmp_path / name, target), KNOWN) == "fan/id_00"


def test_links_are_followed_where_the_path_as_walked_names_no_machine(tmp_path: Path) -> None:
    target = tmp_path / "pump" / "id_00" / "x.wav"
    target.parent.mkdir(parents=True)
    target.touch()
    machine_of = MachineFromPath(KNOWN)
    assert machine_of(link(tmp_path / "links" / "x.wav", target)) == "pump/id_00"
    assert machine_of(link(tmp_path / "pump" / "link.wav", target)) == "pump/id_00"
    assert machine_of(link(tmp_path / "links" / "id_00.wav", target)) == "pump/id_00"
    link(tmp_path / "links" / "blower", tmp_path / "pump")
    assert machine_of(tmp_path / "links" / "blower" / "id_00" / "x.wav") == "pump/id_00"
    assert machine_of(tmp_path / "links" / "blower" / "id_00" / "no_such_file.wav") == "pump/id_00"
    known = (*KNOWN, "blower/id_00")
    assert machine_of_path(tmp_path / "links" / "blower" / "id_00" / "x.wav", known) == "blower/id_00"


@pytest.mark.parametrize(
    ("name", "telling"),
    [
        (
            "fan/x.wav",
            "its path names the type fan and no ID, and what it is a link to names pump; say it with",
        ),
        (
            "x_id_02.wav",
            "more than one ID: id_00 in folder id_00 and id_02 in file name x_id_02.wav; say it with",
        ),
        ("fan/id_01/x.wav", "machine fan/id_01 is not known to the model"),
    ],
)
def test_what_a_path_and_its_target_name_is_not_mixed(tmp_path: Path, name: str, telling: str) -> None:
    target = tmp_path / "pump" / "id_00" / "y.wav"
    with pytest.raises(MachineError) as caught:
        machine_of_path(link(tmp_path / "links" / name, target), KNOWN)
    assert telling in str(caught.value)


def test_what_lies_above_a_link_is_not_told_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "pump" / "id_00").mkdir(parents=True)
    link(tmp_path / "fan" / "id_02", tmp_path / "pump" / "id_00")
    assert machine_of_path(tmp_path / "fan" / "id_02" / ".." / "id_00" / "x.wav", KNOWN) == "pump/id_00"
    assert machine_of_path(tmp_path / "fan" / "." / "id_02" / "x.wav", KNOWN) == "fan/id_02"


@pytest.mark.parametrize(
    ("name", "target", "expected"),
    [
        ("normal_id_00_1.wav", "0a1b", "id_00"),
        ("normal_id_00_1.wav", "normal_id_02_1.wav", "id_00"),
        ("clip.wav", "normal_id_02_1.wav", "id_02"),
    ],
)
def test_the_id_in_the_name_of_a_link(tmp_path: Path, name: str, target: str, expected: str) -> None:
    assert id_of_file(link(tmp_path / name, tmp_path / target)) == expected


def test_a_name_without_one_id_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="its name holds no ID; expected one like id_00"):
        id_of_file(link(tmp_path / "clip.wav", "0a1b"))
    with pytest.raises(MachineError, match="its name holds id_00 and id_02; expected one"):
        id_of_file(tmp_path / "id_00_id_02.wav")


def test_relative_paths_count_from_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "fan" / "id_00"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    assert machine_of_path("x.wav", KNOWN) == "fan/id_00"
    assert machine_of_path("../id_02.wav", KNOWN) == "fan/id_02"


def test_names_that_are_not_utf_8_can_be_printed() -> None:
    assert machine_of_path(os.fsdecode(b"/\xff/fan/id_00_\xe9.wav"), KNOWN) == "fan/id_00"
    with pytest.raises(MachineError, match=r"file name id_00_\\xe9_id_02"):
        machine_of_path(os.fsdecode(b"/fan/id_00_\xe9_id_02.wav"), KNOWN)


def test_machines_without_type_cannot_be_named_by_paths_but_do_no_harm() -> None:
    with pytest.raises(
        MachineError, match=r"^nothing in this path says which of press 7, fan it is; .*--machine-p"
    ):
        machine_of_path("/fan/id_00/x.wav", ["press 7", "fan"])
    with pytest.raises(
        MachineError, match=r"^nothing in this path says that it is of Rotor-0; .*\(--machine NAME\)$"
    ):
        machine_of_path("/fan/id_00/x.wav", ["Rotor-0"])
    assert machine_of_path("/press 7/fan/id_00/x.wav", ["press 7", "fan/id_00"]) == "fan/id_00"


def test_a_machine_in_other_capitals_is_another_one_and_that_is_said(tmp_path: Path) -> None:
    said = r"machine rotor-0 is not known to the model, which knows Rotor-0: they differ in capitals alone$"
    known = ["Rotor-0", "Rotor-2"]
    (tmp_path / "labels.csv").write_text("path,machine\na.wav,rotor-0\n")
    with pytest.raises(MachineError, match=said):
        machine_source(known, "rotor-0")
    with pytest.raises(LabelTableError, match=said):
        machine_source(known, labels=tmp_path / "labels.csv")
    with pytest.raises(MachineError, match=said):
        machine_source(known, machine_pattern="{machine}_{n}", roots=["in"])("in/rotor-0_1.wav")


def test_unknown_machines_are_named_beside_the_known_ones() -> None:
    check_machine("press 7", ["press 7"])
    with pytest.raises(MachineError, match=r"knows fan, pump, slider, ToyCar, ToyConveyor, valve$"):
        check_machine("lathe/id_00", PUBLISHED_CLASSES)
    with pytest.raises(MachineError, match=r"it knows press 7, fan$"):
        check_machine("press", ["press 7", "fan/id_00", "fan/id_01"])
    many = [f"fan/id_{number:04d}" for number in range(5000)]
    with pytest.raises(MachineError, match=r"which knows fan/id_0000, .*fan/id_0011 and 4,988 more$"):
        check_machine("fan/id_5000", many)


def test_the_layout_of_a_data_set(reference: Reference) -> None:
    paths = sorted(reference.data_set.rglob("*.wav"))
    machine_of = MachineFromPath(PUBLISHED_CLASSES)
    machines = [machine_of(path) for path in paths]
    assert sorted(machines) == sorted(reference.machines)
    for path, machine in zip(paths, machines, strict=True):
        machine_type, machine_id = machine.split("/")
        assert path.parts[-3] == machine_type
        assert machine_id in path.name
