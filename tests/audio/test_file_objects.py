"""Open files and content in memory in place of a path."""

import errno
import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osscl.audio.reading import read_audio, read_clip
from osscl.errors import (
    AudioReadError,
    InputError,
)
from support.audio_files import (
    N_SAMPLES,
    encoded,
    noise,
)


class Unreliable(io.BytesIO):
    """Fails after some bytes, as a file on a network may."""

    def __init__(self, content: bytes, good_bytes: int, error: BaseException) -> None:
        super().__init__(content)
        self._good_bytes = good_bytes
        self._error = error

    def readinto(self, buffer: Any, /) -> int:
        """Read as usual, as long as it goes well."""
        if self.tell() + len(buffer) > self._good_bytes:
            raise self._error
        return super().readinto(buffer)


class Plain:
    """A file object that has only the methods that are needed, and reads little at once."""

    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)
        self.tell = self._file.tell

    def read(self, size: int) -> bytes:
        """Read at most 1000 bytes."""
        return self._file.read(min(size, 1000))

    def seek(self, offset: int, whence: int = 0) -> None:
        """Seek, as some do, without telling the position."""
        self._file.seek(offset, whence)


def test_open_files_are_read_from_their_start_and_left_open(tmp_path: Path) -> None:
    path = tmp_path / "x.flac"
    path.write_bytes(encoded(noise(), kind="FLAC"))
    with path.open("rb") as file:
        file.seek(77)
        for _ in range(2):
            np.testing.assert_array_equal(read_clip(file).samples, noise())


@pytest.mark.parametrize("kind", ["WAV", "FLAC"])
def test_the_simplest_file_object_does(kind: str) -> None:
    plain: Any = Plain(encoded(noise(), kind=kind))
    np.testing.assert_array_equal(read_clip(plain).samples, noise())


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_content_in_memory(wrap: Any) -> None:
    np.testing.assert_array_equal(read_clip(wrap(encoded(noise()))).samples, noise())


@pytest.mark.parametrize("good_bytes", [0, 20, 1000, 200_000])
@pytest.mark.parametrize("kind", ["WAV", "FLAC"])
def test_an_error_of_the_file_is_told_not_taken_for_its_end(
    kind: str, good_bytes: int, capfd: pytest.CaptureFixture[str]
) -> None:
    error = OSError(errno.EIO, "Input/output error")
    with pytest.raises(AudioReadError, match="cannot be read: Input/output error") as caught:
        read_clip(Unreliable(encoded(noise(), kind=kind), good_bytes, error))
    assert caught.value.__cause__ is error
    assert capfd.readouterr() == ("", "")


def test_an_interrupt_inside_a_file_object_comes_through() -> None:
    with pytest.raises(KeyboardInterrupt):
        read_clip(Unreliable(encoded(noise()), 1000, KeyboardInterrupt()))


def test_a_stream_that_cannot_seek() -> None:
    reading, writing = os.pipe()
    os.close(writing)
    with (
        os.fdopen(reading, "rb") as pipe,
        pytest.raises(AudioReadError, match=r"cannot seek.*pass the bytes"),
    ):
        read_clip(pipe)


def test_a_closed_file() -> None:
    file = io.BytesIO(encoded(noise()))
    file.close()
    with pytest.raises(AudioReadError, match="closed file"):
        read_clip(file)


@pytest.mark.parametrize("source", [io.StringIO("text"), 3, None, np.zeros(N_SAMPLES)], ids=type)
def test_what_is_no_audio_source(source: Any) -> None:
    with pytest.raises(InputError, match=f"not an object of type {type(source).__name__}"):
        read_audio(source)
