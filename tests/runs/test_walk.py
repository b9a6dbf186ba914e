"""The walk through folders: links, depths, companions, and what is said where nothing is found."""

import errno
import logging
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from osscl.audio.candidate import Candidate
from osscl.errors import AudioReadError, FolderReadError, NoRecordingsError
from osscl.runs.folder import _identity, find_recordings, find_some_recordings
from osscl.runs.passed_over import PassedOver
from support.audio_files import open_the_way_to, ordinary_user


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def found(*roots: Path | str, below: Path) -> list[str]:
    """Paths that a walk gives, from a folder on; none of them with a problem."""
    candidates = list(find_recordings(roots))
    assert [candidate.problem for candidate in candidates] == [None] * len(candidates)
    return [os.path.relpath(candidate.path, below) for candidate in candidates]


def test_files_and_folders_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    touch(tmp_path, "b.wav", "a/2.FLAC", "a/1.wav", "a/3.w64", "a/4.RF64", "c/x.wav", "c/notes.txt")
    named = ["a/1.wav", "a/2.FLAC", "a/3.w64", "a/4.RF64", "b.wav", "c/x.wav"]
    assert found(tmp_path, below=tmp_path) == named


def test_folders_that_link_into_each_other_are_walked_once(tmp_path: Path) -> None:
    touch(tmp_path, "a/x.wav", "b/y.wav", "c/z.wav")
    for folder in ("a", "b", "c"):
        for target in ("a", "b", "c"):
            (tmp_path / folder / f"to_{target}").symlink_to(tmp_path / target)
    assert found(tmp_path, below=tmp_path) == ["a/x.wav", "b/y.wav", "c/z.wav"]


def test_a_real_folder_goes_before_links_to_it_wherever_they_lie(tmp_path: Path) -> None:
    touch(tmp_path, "m/inner/x.wav")
    (tmp_path / "a_link").symlink_to("m/inner")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "deep").symlink_to(tmp_path / "m")
    assert found(tmp_path, below=tmp_path) == ["m/inner/x.wav"]
    assert found(tmp_path / "a_link", tmp_path / "m", below=tmp_path) == ["m/inner/x.wav"]


def test_a_folder_that_links_alone_lead_to_is_walked_by_the_first_of_them(tmp_path: Path) -> None:
    touch(tmp_path, "store/m7/x.wav", "data/zz.wav")
    for name in ("blower", "fan"):
        (tmp_path / "data" / name).symlink_to(tmp_path / "store" / "m7")
    (tmp_path / "root").symlink_to("data")
    assert found(tmp_path / "data", below=tmp_path / "data") == ["zz.wav", "blower/x.wav"]
    assert found(tmp_path / "root", below=tmp_path) == ["root/zz.wav", "root/blower/x.wav"]


def test_roots_within_each_other_give_each_file_once(tmp_path: Path) -> None:
    touch(tmp_path, "fan/x.wav", "pump/y.wav")
    assert found(tmp_path / "fan", tmp_path, f"{tmp_path}/fan/", below=tmp_path) == [
        "fan/x.wav",
        "pump/y.wav",
    ]


def test_a_link_upwards_leads_to_nothing_new(tmp_path: Path) -> None:
    touch(tmp_path, "data/fan/x.wav", "private/y.wav", "store/deep/z.wav", "store/w.wav")
    (tmp_path / "data" / "fan" / "up").symlink_to("../..")
    (tmp_path / "data" / "fan" / "store").symlink_to(tmp_path / "store" / "deep")
    (tmp_path / "store" / "deep" / "up").symlink_to("..")
    root = tmp_path / "data" / "fan"
    assert found(root, below=root) == ["x.wav", "store/z.wav"]
    # named by the user it is another matter
    assert found(root, tmp_path, below=tmp_path)[:2] == ["data/fan/x.wav", "private/y.wav"]


def test_every_name_of_a_file_has_its_line(tmp_path: Path) -> None:
    touch(tmp_path, "blobs/0a1b", "real.wav")
    (tmp_path / "link.wav").symlink_to("real.wav")
    os.link(tmp_path / "real.wav", tmp_path / "hard.wav")
    for revision in ("one", "two"):
        (tmp_path / revision).mkdir()
        (tmp_path / revision / "x.wav").symlink_to("../blobs/0a1b")
    assert found(tmp_path, below=tmp_path) == ["hard.wav", "link.wav", "one/x.wav", "real.wav", "two/x.wav"]


def test_folders_are_told_apart_by_device_and_inode_or_else_by_their_real_path(tmp_path: Path) -> None:
    status = tmp_path.stat()
    assert _identity("x", status) == _identity("y", status)
    other_device = os.stat_result((status.st_mode, status.st_ino, status.st_dev + 1, *status[3:]))
    assert _identity("x", other_device) != _identity("x", status)
    without_inode = os.stat_result((status.st_mode, 0, *status[2:]))
    (tmp_path / "link").symlink_to(tmp_path)
    assert _identity(f"{tmp_path}/link", without_inode) == os.path.realpath(tmp_path)


def test_the_walk_lists_a_folder_when_it_gets_there(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.wav", "b/1.wav")
    walk = find_recordings([tmp_path])
    assert next(walk).path.endswith("a/1.wav")
    touch(tmp_path, "b/2.wav")
    assert [os.path.relpath(candidate.path, tmp_path) for candidate in walk] == ["b/1.wav", "b/2.wav"]


def test_a_folder_named_like_a_recording_is_a_folder(tmp_path: Path) -> None:
    touch(tmp_path, "data/session.wav/inner.wav", "elsewhere/other.wav")
    (tmp_path / "data" / "y.flac").symlink_to("../elsewhere")
    (tmp_path / "data" / "z.wav").symlink_to("session.wav")
    candidates = {
        os.path.relpath(candidate.path, tmp_path): candidate.problem
        for candidate in find_recordings([tmp_path / "data"])
    }
    assert candidates == {"data/session.wav/inner.wav": None, "data/y.flac/other.wav": None}


def test_a_closed_folder_has_one_line_whatever_links_to_it(tmp_path: Path) -> None:
    open_the_way_to(tmp_path)
    touch(tmp_path, "closed.wav/x.wav", "z.wav")
    (tmp_path / "again").symlink_to("closed.wav")
    (tmp_path / "closed.wav").chmod(0)
    try:
        with ordinary_user():
            candidates = list(find_recordings([tmp_path]))
    finally:
        (tmp_path / "closed.wav").chmod(0o755)
    assert [Path(candidate.path).name for candidate in candidates] == ["closed.wav", "z.wav"]
    assert isinstance(candidates[0].problem, FolderReadError)
    assert str(candidates[0].problem) == "the folder cannot be listed: Permission denied"


@pytest.fixture
def deep() -> Iterator[Path]:
    """A folder for trees that Python's own rmtree cannot remove."""
    folder = tempfile.mkdtemp(prefix="osscl-deep-")
    yield Path(folder)
    subprocess.run(["rm", "-rf", folder], check=True)


def nest(folder: Path, name: str, depth: int, file: str) -> None:
    """Make folders within folders, and a file in the last, however long its path is."""
    here = os.open(folder, os.O_DIRECTORY)
    for _ in range(depth):
        os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_DIRECTORY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open(file, os.O_CREAT, dir_fd=here))
    os.close(here)


def test_a_thousand_folders_within_each_other_are_walked(deep: Path) -> None:
    nest(deep, "d", 1200, "x.wav")
    assert found(deep, below=deep) == ["d/" * 1200 + "x.wav"]


def test_paths_too_long_for_the_system_have_their_line(deep: Path) -> None:
    touch(deep, "a.wav")
    nest(deep, "d" * 250, 20, "x.wav")
    first, folder = find_recordings([deep])
    assert first == Candidate(str(deep / "a.wav"))
    assert isinstance(folder.problem, FolderReadError)
    n_bytes = len(os.fsencode(folder.path))
    assert str(folder.problem) == (
        f"the folder cannot be listed: its path of {n_bytes} bytes is longer than the system takes; begin in "
        "a folder further down, or move it up"
    )


def test_a_file_whose_path_alone_is_too_long_has_its_line(deep: Path) -> None:
    root = deep
    while len(str(root)) < 3800:  # the longest path that Linux takes has 4095 bytes
        root = root / ("d" * 100)
        root.mkdir()
    nest(root, "é" * 100, 1, f"{'x' * 200}.wav")
    (file,) = find_recordings([deep])
    with pytest.raises(OSError, match=os.strerror(errno.ENAMETOOLONG)):
        os.lstat(file.path)
    assert isinstance(file.problem, AudioReadError)
    assert "is longer than the system takes" in str(file.problem)


def test_companions_of_macos_are_passed_over_and_counted(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "._a.wav", "b/._b.FLAC", "._notes.txt", "._folder/c.wav")
    met = PassedOver()
    paths = [Path(candidate.path).name for candidate in find_recordings([tmp_path], met)]
    assert paths == ["c.wav", "a.wav"]
    assert list(met.notes()) == ["2 files named ._* passed over: companions that macOS writes"]
    named = tmp_path / "._a.wav"
    assert [candidate.path for candidate in find_recordings([named], met)] == [str(named)]


def test_links_to_nothing_are_told_where_folders_may_have_been(tmp_path: Path) -> None:
    touch(tmp_path, "fan/test/x.wav")
    (tmp_path / "fan" / "train").symlink_to("/nowhere/train")
    (tmp_path / "fan" / ".#notes").symlink_to("user@host.1234")  # as an editor locks a file
    (tmp_path / "fan" / "test" / "y.wav").symlink_to("nowhere")
    met = PassedOver()
    assert len(list(find_recordings([tmp_path], met))) == 2
    assert list(met.notes()) == [
        f"1 link to nothing passed over, the first {tmp_path}/fan/train: if recordings should be there, "
        "mend it"
    ]


def test_an_empty_search_says_what_it_looked_for_and_what_is_there(tmp_path: Path) -> None:
    touch(tmp_path, *(f"x/{i}.mp3" for i in range(12)), "a.wave", "b.WAVE", "notes", "._x.wav")
    (tmp_path / "gone").symlink_to("nowhere")
    with pytest.raises(NoRecordingsError) as caught:
        find_some_recordings([tmp_path])
    assert str(caught.value) == (
        f"no .wav, .flac, .w64 or .rf64 below {tmp_path}: it holds 12 .mp3, 2 .wave, 1 other file, "
        f"1 file named ._* "
        f"(companions that macOS writes), 1 link to nothing (the first: {tmp_path}/gone); convert them to "
        "WAV or FLAC, and name a folder that holds those"
    )


def test_an_empty_search_of_other_things(tmp_path: Path) -> None:
    a, b = touch(tmp_path / "a", "x.txt"), tmp_path / "b"
    b.mkdir()
    with pytest.raises(NoRecordingsError, match=r"b: it holds no file; name a folder that holds recordings$"):
        find_some_recordings([b])
    with pytest.raises(NoRecordingsError, match=r"below .*/a, .*/b: they hold 1 \.txt; name a folder"):
        find_some_recordings([a, b])
    met = PassedOver(n_elsewhere=3)
    assert met.refusal([a], "in a folder named test") == (
        f"no .wav, .flac, .w64 or .rf64 in a folder named test below {a}: it holds 3 recordings "
        f"elsewhere; name another "
        "folder, or move what lies elsewhere"
    )


def test_many_endings_are_not_kept_one_by_one() -> None:
    met = PassedOver()
    for number in range(10_000):
        met.count_other(f"file.{number:05}")
        met.count_other("file." + "x" * number)
    assert len(met.endings) < 300
    assert met.endings.total() == 20_000


def test_a_search_that_nobody_listens_to_warns_at_its_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    touch(tmp_path, "a.wav", "._a.wav")
    with caplog.at_level(logging.WARNING, "osscl"):
        walk = find_some_recordings([tmp_path])
        assert next(walk).path.endswith("a.wav")
        assert not caplog.messages
        assert not list(walk)
        assert caplog.messages == ["1 file named ._* passed over: companions that macOS writes"]
        assert len(list(find_some_recordings([tmp_path], PassedOver()))) == 1
        assert len(caplog.messages) == 1
