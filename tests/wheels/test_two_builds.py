"""Two builds of the same are held against each other, and a wheel must stay small."""

import tarfile
from importlib import import_module
from pathlib import Path
from typing import Any
from zipfile import ZipFile, ZipInfo

import pytest

from conftest import REPOSITORY

DATE, LATER = (2026, 1, 2, 3, 4, 6), (2026, 1, 2, 3, 4, 8)
Files = dict[str, tuple[bytes, tuple[int, int, int, int, int, int]]]


@pytest.fixture
def differences(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The function."""
    monkeypatch.syspath_prepend(str(REPOSITORY / "wheels"))
    return import_module("two_builds").differences


def wheel(folder: Path, files: Files, name: str = "osscl-1-py3-none-any.whl") -> Path:
    folder.mkdir()
    with ZipFile(folder / name, "w") as archive:
        for file, (content, date) in files.items():
            archive.writestr(ZipInfo(file, date), content)
    return folder / name


def test_builds_that_are_equal_differ_in_nothing(differences: Any, tmp_path: Path) -> None:
    files: Files = {"a.so": (b"native", DATE), "b.py": (b"python", DATE)}
    assert differences(wheel(tmp_path / "1", files), wheel(tmp_path / "2", files)) == []


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (
            {"a.so": (b"/tmp/1", DATE), "b.py": (b"python", DATE)},
            ["the content of a.so differs"],
        ),
        (
            {"a.so": (b"native", DATE), "b.py": (b"python", (2026, 1, 2, 3, 4, 8))},
            ["the date of b.py differs"],
        ),
        ({"a.so": (b"native", DATE)}, ["b.py is in one of two builds alone"]),
        ({"b.py": (b"python", DATE), "a.so": (b"native", DATE)}, ["hold the same files, in another order"]),
    ],
)
def test_what_differs_is_named(differences: Any, tmp_path: Path, files: Files, told: list[str]) -> None:
    first = wheel(tmp_path / "1", {"a.so": (b"native", DATE), "b.py": (b"python", DATE)})
    found = differences(first, wheel(tmp_path / "2", files))
    assert len(found) == len(told)
    assert all(part in sentence for part, sentence in zip(told, found, strict=True))


def test_source_distributions_are_held_against_each_other_too(differences: Any, tmp_path: Path) -> None:
    archives = []
    for content in ("1", "2"):
        (tmp_path / content).mkdir()
        (tmp_path / content / "file").write_text(content)
        archives.append(tmp_path / content / "osscl-1.tar.gz")
        with tarfile.open(archives[-1], "w:gz") as archive:
            archive.add(tmp_path / content / "file", "osscl-1/file")
    assert any("the content of osscl-1/file differs" in sentence for sentence in differences(*archives))


def test_other_names_are_told(differences: Any, tmp_path: Path) -> None:
    one, other = wheel(tmp_path / "1", {}), wheel(tmp_path / "2", {}, "osscl-1-py3-none-linux_x86_64.whl")
    assert differences(one, other) == [f"the same sources gave {one.name} and {other.name}"]


def test_a_wheel_that_has_grown_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(str(REPOSITORY / "wheels"))
    building = import_module("building")
    (tmp_path / "osscl.whl").write_bytes(bytes(1_500_000))
    assert building.too_large(tmp_path / "osscl.whl", 1.6) == []
    [told] = building.too_large(tmp_path / "osscl.whl", 1.5)
    assert told == "osscl.whl has 1.5 MB, and may have less than 1.5 MB: see what has grown"
    assert building.LIMIT_MB == 15
