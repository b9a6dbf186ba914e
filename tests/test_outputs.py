"""Places to write to: what is lost by writing there, or cannot be written, is refused beforehand."""

import os
from pathlib import Path

import pytest

from osscl.errors import OutputError
from osscl.support.outputs import check_output
from support.audio_files import open_the_way_to, ordinary_user


def refusal(path: Path, *, overwrite: bool = True, inputs: tuple[Path, ...] = ()) -> str:
    with pytest.raises(OutputError) as caught:
        check_output(path, overwrite=overwrite, inputs=inputs)
    return str(caught.value)


def test_an_input_is_refused_by_whatever_name(tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("path,machine\n")
    (tmp_path / "link.csv").symlink_to(labels)
    os.link(labels, tmp_path / "other.csv")
    (tmp_path / "folder").mkdir()
    for name in ("labels.csv", "link.csv", "other.csv", "folder/../labels.csv"):
        assert "is read by this very command" in refusal(tmp_path / name, inputs=(tmp_path / "x", labels))
    check_output(tmp_path / "new.csv", overwrite=True, inputs=(labels, tmp_path / "absent", None))


def test_what_is_there_is_refused_unless_it_may_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("nothing")
    for name in ("file", "dangling"):
        assert "exists; name another file, or use overwrite=True (--overwrite)" in refusal(
            tmp_path / name, overwrite=False
        )
        check_output(tmp_path / name, overwrite=True)
    check_output(tmp_path / "new", overwrite=False)


def test_what_is_no_file_is_never_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "is a folder; expected the name of a file" in refusal(tmp_path)
    assert "is a device, pipe or socket" in refusal(tmp_path / "pipe")
    assert "is a device, pipe or socket" in refusal(Path("/dev/full"))
    assert "there is no folder" in refusal(tmp_path / "none" / "file")
    assert "there is no folder" in refusal(tmp_path / "pipe" / "file")


def test_a_closed_folder_is_refused_beforehand(tmp_path: Path) -> None:
    open_the_way_to(tmp_path)
    (tmp_path / "closed").mkdir(mode=0o000)
    (tmp_path / "read only").mkdir(mode=0o555)
    with ordinary_user():
        assert "cannot be written: Permission denied" in refusal(tmp_path / "closed" / "x" / "y")
        assert "no file can be made in the folder" in refusal(tmp_path / "closed" / "x")
        assert "no file can be made in the folder" in refusal(tmp_path / "read only" / "x")


def test_a_read_only_file_system_is_said_to_be_one() -> None:
    mounts = [line.split() for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    places = [Path(place) for _, place, _, options, *_ in mounts if "ro" in options.split(",")]
    folders = [place for place in places if place.is_dir()]
    if not folders:
        pytest.skip("no file system is mounted read-only here")
    assert refusal(folders[0] / "x.csv").endswith(
        f"no file can be made in the folder {folders[0]}, whose file system is read-only; name a place on "
        "another one"
    )
