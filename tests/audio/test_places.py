"""Places that cannot be read, and names that no file can have."""

import os
from pathlib import Path

import numpy as np
import pytest

from osscl.audio.reading import read_audio, read_clip
from osscl.errors import (
    AudioCorruptError,
    AudioReadError,
    AudioUnfitError,
)
from support.audio_files import (
    bad_files,
    encoded,
    noise,
    open_the_way_to,
    ordinary_user,
)

BAD = bad_files()


def test_read_audio_names_the_file_and_keeps_the_error(tmp_path: Path) -> None:
    path = tmp_path / "short.wav"
    path.write_bytes(BAD["short.wav"].content)
    for source in (path, str(path)):
        with pytest.raises(AudioUnfitError) as caught:
            read_audio(source)
        assert str(caught.value).startswith(f"{path}: it lasts 5 s")
        assert caught.value.duration_s == 5.0
    with pytest.raises(AudioUnfitError, match=r"^it lasts 5 s"):
        read_audio(path.read_bytes())


def test_a_missing_file() -> None:
    with pytest.raises(AudioReadError, match="cannot be opened: No such file"):
        read_clip("nowhere/x.wav")


def test_a_directory_named_like_a_file(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    path.mkdir()
    with pytest.raises(AudioReadError, match="is a directory"):
        read_clip(path)


def test_a_file_without_permission(tmp_path: Path) -> None:
    open_the_way_to(tmp_path)
    path = tmp_path / "x.wav"
    path.write_bytes(encoded(noise()))
    path.chmod(0o644)
    with ordinary_user():
        read_clip(path)
    path.chmod(0o000)
    with ordinary_user(), pytest.raises(AudioReadError, match="cannot be opened: Permission denied"):
        read_clip(path)


@pytest.mark.timeout(60)  # it could block
def test_a_named_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.wav")
    with pytest.raises(AudioReadError, match="not a regular file"):
        read_clip(tmp_path / "x.wav")


def test_a_link_that_turns_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "x.wav").symlink_to("x.wav")
    with pytest.raises(AudioReadError, match="Too many levels of symbolic links"):
        read_clip(tmp_path / "x.wav")


@pytest.mark.parametrize("name", ["nul\0.wav", "surrogate\ud800.wav"])
def test_a_name_that_no_file_can_have(name: str) -> None:
    with pytest.raises(AudioReadError, match="cannot be opened"):
        read_audio(name)


def test_a_name_that_is_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.wav")
    path.write_bytes(encoded(noise()))
    np.testing.assert_array_equal(read_clip(path).samples, noise())
    path.write_bytes(b"")
    with pytest.raises(AudioCorruptError, match=r"caf\\xe9\.wav: the file is empty"):
        read_audio(path)
