"""Machines that places name where no list of machines is known."""

from pathlib import Path

import pytest

from osscl.errors import MachineError
from osscl.machines.layout import MachineFromLayout


@pytest.mark.parametrize(
    ("root", "path", "machine"),
    [
        ("data", "data/fan/train/normal_id_00_00000000.wav", "fan/id_00"),
        ("data", "data/fan/test/session1/normal_id_00_1.wav", "fan/id_00"),
        ("data", "data/fan/train/section_01_source_train_normal_0.wav", "fan/section_01"),
        ("data", "data/fan/id_02/normal/00000000.wav", "fan/id_02"),
        ("data", "data/train/fan/id_02/0.wav", "data/id_02"),
        ("data/press", "data/press/normal_id_09_0.wav", "press/id_09"),
        ("data/press/train", "data/press/train/normal_id_09_0.wav", "press/id_09"),
        ("data/press/id_09", "data/press/id_09/monday/0.wav", "press/id_09"),
        ("data/press", "data/press/monday/normal_id_09_0.wav", "monday/id_09"),
        (
            "test/press",
            "test/press/normal_id_09_0.wav",
            "press/id_09",
        ),  # above the root nothing is train or test
    ],
)
def test_the_type_lies_above_train_or_test_or_nearest(root: str, path: str, machine: str) -> None:
    assert MachineFromLayout(root)(path) == machine


def test_a_place_that_names_no_machine_or_two_is_refused(tmp_path: Path) -> None:
    machine_of = MachineFromLayout(tmp_path)
    with pytest.raises(MachineError, match=r"holds an ID .*--machine press/id_09"):
        machine_of(tmp_path / "fan" / "a.wav")
    with pytest.raises(MachineError, match="more than one ID: id_01 and id_02"):
        machine_of(tmp_path / "fan" / "id_02" / "x_id_01_.wav")


def test_links_are_followed_where_names_say_nothing(tmp_path: Path) -> None:
    place = tmp_path / "fan" / "train" / "normal_id_03_0.wav"
    place.parent.mkdir(parents=True)
    place.touch()
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "a.wav").symlink_to(place)
    assert MachineFromLayout(tmp_path / "links")(tmp_path / "links" / "a.wav") == "fan/id_03"
    (tmp_path / "links" / "id_04.wav").symlink_to(place)
    assert MachineFromLayout(tmp_path / "links")(tmp_path / "links" / "id_04.wav") == "links/id_04"
