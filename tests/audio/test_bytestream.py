"""Files that are not simply there: held by a lease, linked to, or no files at all."""

import fcntl
import os
import signal
import threading
from collections.abc import Callable, Iterator
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


def read_one_row(path: Path) -> Clip:
    """Read a file as a batch of one."""
    (clip,) = read_clips([path], np.empty((1, N_SAMPLES), np.int16), Fit(), CLIP, RATE_HZ, 1)
    assert isinstance(clip, Clip)
    return clip


@contextmanager
def lease(path: Path) -> Iterator[Callable[[], object]]:
    """Hold a lease on a file, as a file server does; gives what gives it back."""
    before = signal.signal(signal.SIGIO, signal.SIG_IGN)  # by which the system asks for it
    with path.open("r+b") as file:
        try:
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        except OSError as error:
            signal.signal(signal.SIGIO, before)
            pytest.skip(f"no lease can be had here: {error.strerror}")
        try:
            yield lambda: fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        finally:
            signal.signal(signal.SIGIO, before)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("read", [read_clip, read_one_row])
@pytest.mark.parametrize("kind", ["WAV", "FLAC"])
def test_a_file_under_a_lease_is_waited_for(
    kind: str, read: Callable[[Path], Clip], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease is given back by a thread that starts when the file is opened for the second time."""
    path = tmp_path / "x.wav"
    path.write_bytes(encoded(noise(), kind=kind))
    open_really = os.open
    with lease(path) as give_back:
        waiting = threading.Thread(target=give_back)

        def open_noted(name: str, flags: int) -> int:
            if name.startswith("/proc/self/fd/"):
                waiting.start()
            return open_really(name, flags)

        monkeypatch.setattr(os, "open", open_noted)
        np.testing.assert_array_equal(read(path).samples, noise())
        waiting.join()


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
    assert str(caught.value) == (
        f"{path}: it is a link to {spelled}, and nothing is there; fetch what it stands for "
        "(git annex get, dvc pull), or mend the link"
    )


def test_a_link_to_a_recording_is_followed(tmp_path: Path) -> None:
    (tmp_path / "x.wav").write_bytes(encoded(noise(), kind="FLAC"))
    (tmp_path / "link.wav").symlink_to("x.wav")
    np.testing.assert_array_equal(read_clip(tmp_path / "link.wav").samples, noise())
