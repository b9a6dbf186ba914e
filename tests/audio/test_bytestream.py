"""Files that are not simply there: held by a lease, linked to, or no files at all."""

import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import osscl
from osscl.audio.batch import read_clips
from osscl.audio.reading import Clip, Fit, read_clip
from osscl.config import CLIP
from osscl.errors import AudioReadError
from support.audio_files import N_SAMPLES, RATE_HZ, encoded, noise


@contextmanager
def lease(path: Path) -> Iterator[list[str]]:
    """Hold a lease on a file, as a file server does, and give it back when the system asks for it.

    What happens, in order, is noted in the list.
    """
    events: list[str] = []
    with path.open("r+b") as file:

        def give_back(*_: object) -> None:
            events.append("asked back")
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)

        before = signal.signal(signal.SIGIO, give_back)
        try:
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        except OSError as error:
            signal.signal(signal.SIGIO, before)
            pytest.skip(f"no lease can be had here: {error.strerror}")
        try:
            yield events
        finally:
            signal.signal(signal.SIGIO, before)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("kind", ["WAV", "FLAC"])
def test_a_file_under_a_lease_is_waited_for(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(encoded(noise(), kind=kind))
    with lease(path) as events:
        np.testing.assert_array_equal(read_clip(path).samples, noise())
    assert events == ["asked back"]
    with lease(path) as events:
        rows = np.empty((1, N_SAMPLES), np.int16)
        (clip,) = read_clips([path], rows, Fit(), CLIP, RATE_HZ, 1)
        assert isinstance(clip, Clip)
        np.testing.assert_array_equal(clip.samples, noise())
    assert events == ["asked back"]


@pytest.mark.timeout(120)
def test_what_took_the_place_of_a_leased_file_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the first look, which meets the lease, and the second, the file becomes a pipe."""
    path = tmp_path / "x.wav"
    path.write_bytes(encoded(noise()))
    open_really = os.open

    def put_a_pipe_there(name: str, flags: int) -> int:
        if flags & os.O_PATH:
            path.unlink()
            os.mkfifo(path)
        return open_really(name, flags)

    with lease(path):
        monkeypatch.setattr(os, "open", put_a_pipe_there)
        with pytest.raises(AudioReadError, match="not a regular file but a device, pipe or socket"):
            read_clip(path)


@pytest.mark.parametrize("target", ["nowhere/at/all.wav", "gone\udcff.wav"])
def test_a_link_to_nothing_is_told_to_be_one(target: str, tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    path.symlink_to(target)
    spelled = target.replace("\udcff", r"\xff")
    with pytest.raises(AudioReadError) as caught:
        osscl.read_audio(path)
    assert str(caught.value) == f"{path}: it is a link to a file that is not there: {spelled}"


def test_a_link_to_a_recording_is_followed(tmp_path: Path) -> None:
    (tmp_path / "x.wav").write_bytes(encoded(noise(), kind="FLAC"))
    (tmp_path / "link.wav").symlink_to("x.wav")
    np.testing.assert_array_equal(read_clip(tmp_path / "link.wav").samples, noise())
