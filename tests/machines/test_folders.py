"""Folders named train and test, and links in their place."""

from pathlib import Path

import pytest

from osscl.machines.folders import kind_of_root, kinds_below, training_type
from osscl.support.links import as_walked


def test_the_type_is_named_above_train_as_walked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "store" / "m7" / "train").mkdir(parents=True)
    (tmp_path / "data" / "fan").mkdir(parents=True)
    (tmp_path / "data" / "blower").symlink_to(tmp_path / "store" / "m7")
    (tmp_path / "data" / "fan" / "train").symlink_to(tmp_path / "store")
    (tmp_path / "data" / "fan" / "clips").symlink_to(tmp_path / "store" / "m7" / "train")
    types = {
        "data/blower/train": "blower",  # not m7, where the link leads
        "data/fan/train": "fan",  # a link elsewhere
        "data/fan/clips": "m7",  # named nothing by itself
        "data/blower/train/..": None,
        "data/fan": None,
        "store/m7/train/sub": None,
    }
    for folder, expected in types.items():
        assert training_type(str(tmp_path / folder)) == expected, folder
    monkeypatch.chdir(tmp_path / "store" / "m7" / "train")
    assert training_type(".") == training_type("") == "m7"
    assert training_type("/train") == ""


def test_test_folders_are_told_by_their_names_or_else_by_what_they_link_to(tmp_path: Path) -> None:
    root = tmp_path / "test" / "data"  # what lies above a data set says nothing of it
    (root / "fan" / "normal").mkdir(parents=True)
    (tmp_path / "test" / "store" / "test" / "id_00").mkdir(parents=True)
    (root / "fan" / "test").symlink_to(tmp_path / "test" / "store")
    (root / "fan" / "train").symlink_to(tmp_path / "test" / "store" / "test")
    (root / "fan" / "clips").symlink_to(tmp_path / "test" / "store" / "test")
    expected = {
        "fan/test/x": ["test"],
        "fan/train": ["train"],
        "fan/clips/id_00": ["test"],
        "fan/normal": [],
        "fan": [],
        "": [],
    }
    for folder, kinds in expected.items():
        assert kinds_below(str(root), str(root / folder)) == kinds, folder
    assert kinds_below(f"{root}/", f"{root}/fan/test") == ["test"]


def test_the_root_of_a_walk_names_itself(tmp_path: Path) -> None:
    (tmp_path / "fan" / "test").mkdir(parents=True)
    (tmp_path / "clips").symlink_to(tmp_path / "fan" / "test")
    (tmp_path / "train").symlink_to(tmp_path / "fan" / "test")
    roots = {"fan/test": "test", "clips": "test", "train": "train", "fan": None, "fan/test/..": None}
    for root, kind in roots.items():
        assert kind_of_root(str(tmp_path / root)) == kind, root


def test_paths_stay_as_walked_but_for_what_goes_up_from_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "a" / "b")
    monkeypatch.chdir(tmp_path)
    assert as_walked("link/x.wav") == f"{tmp_path}/link/x.wav"
    assert as_walked("./link//./x.wav") == f"{tmp_path}/link/x.wav"
    assert as_walked("link/../x.wav") == f"{tmp_path}/a/x.wav"
    assert as_walked("link/../../link/x.wav") == f"{tmp_path}/link/x.wav"
    assert as_walked("link/..") == f"{tmp_path}/a"
