"""Recordings that appear in a folder: each is taken once it is whole, and none is lost, whatever happens."""

import logging
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from osscl.audio.candidate import Candidate
from osscl.live.arrivals import Arrivals
from osscl.live.notices import Listener, Notices
from osscl.live.unfinished import TELL_AFTER_S, Unfinished
from osscl.live.wholeness import state_of
from support.waiting import wait_until

SETTLE_S, GIVE_UP_S = 2.0, 60.0


class Clock:
    """Time that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Done:
    """What a journal knows: which files were scored, and in which state they were."""

    def __init__(self) -> None:
        self.states: dict[str, object] = {}

    def has(self, candidate: Candidate) -> bool:
        known = candidate.path in self.states
        return known and self.states[candidate.path] == state_of(candidate.path)

    def add(self, candidate: Candidate) -> bool:
        if self.has(candidate):
            return False
        self.states[candidate.path] = state_of(candidate.path)
        return True


class Watched:
    """A folder, watched by walks every second of a clock of its own."""

    def __init__(self, folder: Path, poll_s: float | None = 1.0) -> None:
        self.folder, self.clock, self.done = folder, Clock(), Done()
        self.arrivals = Arrivals(
            str(folder),
            self.done.has,
            settle_s=SETTLE_S,
            give_up_s=GIVE_UP_S,
            poll_s=poll_s,
            clock=self.clock,
        )

    def after(self, seconds: float) -> list[str]:
        """Names of the files that are taken after so many seconds."""
        return [Path(each.path).name for each in self.candidates_after(seconds)]

    def candidates_after(self, seconds: float) -> list[Candidate]:
        self.clock.now += seconds
        self.arrivals.look()
        taken = [arrival.candidate for arrival in self.arrivals.take(1000)]
        return [candidate for candidate in taken if self.done.add(candidate)]


def write_recording(path: Path, n_frames: int = 1600) -> Path:
    """Write a short recording at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.random.default_rng(n_frames).integers(-9000, 9000, n_frames).astype(np.int16)
    soundfile.write(path, samples, 16_000)
    return path


def test_files_that_lie_there_come_once_settled_and_only_once(tmp_path: Path) -> None:
    write_recording(tmp_path / "a.wav")
    write_recording(tmp_path / "deeper" / "b.flac")
    write_recording(tmp_path / "._a.wav")
    (tmp_path / "notes.txt").write_text("no recording")
    watched = Watched(tmp_path)

    assert watched.after(0) == []
    assert watched.after(SETTLE_S / 2) == []
    assert watched.after(SETTLE_S / 2) == ["a.wav", "b.flac"]
    assert watched.after(100) == []


def test_what_comes_later_comes_in_the_order_in_which_it_was_written(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    assert watched.after(1) == []
    for name, written in (("b.wav", 1), ("a.wav", 2), ("sub/0.wav", 3)):
        os.utime(write_recording(tmp_path / name), ns=(written, written))
    watched.after(1)
    assert watched.after(SETTLE_S) == ["b.wav", "a.wav", "0.wav"]


def test_a_file_that_still_grows_is_waited_for(tmp_path: Path) -> None:
    """Its header declares all its sound from the beginning, as that of a copy does."""
    whole = write_recording(tmp_path / "made.bin.wav", 3200).read_bytes()
    watched_folder = tmp_path / "watched"
    watched_folder.mkdir()
    watched = Watched(watched_folder)
    growing = watched_folder / "copy.wav"
    for n_bytes in (20, 100, 2000, len(whole) - 1):
        growing.write_bytes(whole[:n_bytes])
        assert watched.after(SETTLE_S) == []
        assert watched.after(SETTLE_S) == []
    growing.write_bytes(whole)
    assert watched.after(SETTLE_S / 2) == []  # it has just changed
    assert watched.after(SETTLE_S) == ["copy.wav"]


@pytest.mark.parametrize("ending", [".wav", ".flac", ".w64", ".rf64"])
def test_a_file_that_never_becomes_whole_is_handed_on_with_the_reason(tmp_path: Path, ending: str) -> None:
    path = write_recording(tmp_path / f"cut{ending}", 64_000)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    watched = Watched(tmp_path)
    watched.after(0)
    assert watched.after(GIVE_UP_S - 1) == []
    [given_up] = watched.candidates_after(1)
    assert str(given_up.problem).startswith("it did not become whole in time, 60 s after it was first met: ")
    assert given_up.problem is not None
    assert given_up.problem.status == "corrupt"
    assert watched.after(1000) == []  # until it changes
    path.write_bytes(whole)
    watched.after(1)
    assert watched.after(SETTLE_S) == [path.name]


def test_a_file_that_is_not_whole_for_a_minute_is_told_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    unfinished = Unfinished(SETTLE_S, 3600.0, clock := Clock())
    path = write_recording(tmp_path / "a.wav")
    path.write_bytes(path.read_bytes()[:-100])
    unfinished.meet(str(path))
    told = []
    for _ in range(40):
        assert unfinished.whole(10) == []
        told.append(len(caplog.messages))
        clock.now += SETTLE_S
    n_silent = told.index(1)
    assert n_silent * SETTLE_S >= TELL_AFTER_S > (n_silent - 1) * SETTLE_S
    [line] = caplog.messages
    assert line.startswith(f"not whole yet: {path}: ")
    assert line.endswith("; it is waited for, 3600 s after it was first met at most")


def test_a_file_that_is_written_for_ever_is_handed_on_too(tmp_path: Path) -> None:
    path = write_recording(tmp_path / "endless.wav")
    watched = Watched(tmp_path)
    for second in range(int(GIVE_UP_S)):
        os.utime(path, ns=(second, second))
        assert watched.after(1) == []
    os.utime(path, ns=(10**6, 10**6))
    watched.clock.now += 1
    watched.arrivals.look()
    [given_up] = watched.arrivals.take(5)
    assert "still being written 60 s after" in str(given_up.candidate.problem)


def test_a_clock_that_was_set_back_changes_nothing(tmp_path: Path) -> None:
    """Files written in the future, and in 1970: only whether their date changes counts."""
    os.utime(write_recording(tmp_path / "future.wav"), (9e9, 9e9))
    os.utime(write_recording(tmp_path / "past.wav"), (0, 0))
    watched = Watched(tmp_path)
    assert watched.after(0) == []
    assert watched.after(SETTLE_S) == ["past.wav", "future.wav"]


def test_files_that_change_or_vanish_while_they_wait_are_looked_at_again(tmp_path: Path) -> None:
    changed, gone = write_recording(tmp_path / "changed.wav"), write_recording(tmp_path / "gone.wav")
    watched = Watched(tmp_path)
    watched.after(0)
    watched.clock.now += SETTLE_S
    watched.arrivals.look()
    assert watched.arrivals.n_ready == 2
    write_recording(changed, 800)
    gone.unlink()
    assert watched.arrivals.take(10) == []
    assert watched.after(SETTLE_S) == ["changed.wav"]


def test_a_scored_file_that_is_written_anew_comes_again(tmp_path: Path) -> None:
    path = write_recording(tmp_path / "a.wav")
    watched = Watched(tmp_path)
    watched.after(0)
    assert watched.after(SETTLE_S) == ["a.wav"]
    write_recording(path, 3200)
    watched.after(1)
    assert watched.after(SETTLE_S) == ["a.wav"]


def test_a_renamed_file_comes_by_its_new_name(tmp_path: Path) -> None:
    path = write_recording(tmp_path / "a.wav")
    watched = Watched(tmp_path)
    watched.after(0)
    path.rename(tmp_path / "b.wav")
    watched.after(SETTLE_S)
    assert watched.after(SETTLE_S) == ["b.wav"]


def test_a_folder_that_vanishes_is_waited_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder, elsewhere = tmp_path / "share", tmp_path / "elsewhere"
    write_recording(folder / "a.wav")
    watched = Watched(folder)
    watched.after(0)
    assert watched.after(SETTLE_S) == ["a.wav"]
    with caplog.at_level(logging.WARNING, "osscl"):
        write_recording(folder / "b.wav")
        watched.after(1)
        folder.rename(elsewhere)
        for _ in range(3):
            assert watched.after(GIVE_UP_S) == []
        assert not watched.arrivals.is_there
        elsewhere.rename(folder)
        watched.after(1)
        assert watched.after(SETTLE_S) == ["b.wav"]
    said = [record.getMessage() for record in caplog.records]
    assert [("is gone" in each, "is back" in each) for each in said] == [(True, False), (False, True)]


def test_a_folder_that_is_another_one_now_is_taken_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As when a share is mounted over it: the names may be the same ones, their files are not."""
    folder = tmp_path / "share"
    write_recording(folder / "a.wav")
    write_recording(tmp_path / "other" / "c.wav")
    watched = Watched(folder, poll_s=None)
    try:
        watched.after(0)
        shutil.rmtree(folder)
        (tmp_path / "other").rename(folder)
        with caplog.at_level(logging.WARNING, "osscl"):
            watched.after(1)
        assert [record.getMessage() for record in caplog.records] == [
            f"the folder {folder} is another one now: it is taken up"
        ]
        assert watched.after(SETTLE_S) == ["c.wav"]
        write_recording(folder / "d.wav")
        assert wait_until(lambda: watched.after(0) or None) == ["d.wav"]
    finally:
        watched.arrivals.close()


def test_folders_that_cannot_be_listed_are_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_recording(tmp_path / "locked" / "a.wav")
    real, locked = os.scandir, str(tmp_path / "locked")

    def scandir(folder: str) -> object:
        if folder == locked:
            raise PermissionError(13, "Permission denied")
        return real(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    watched = Watched(tmp_path)
    with caplog.at_level(logging.WARNING, "osscl"):
        for _ in range(3):
            assert watched.after(1) == []
    assert [record.getMessage() for record in caplog.records] == [
        f"{locked}: the folder cannot be listed: Permission denied"
    ]
    monkeypatch.undo()
    watched.after(1)
    assert watched.after(SETTLE_S) == ["a.wav"]


def test_more_files_than_may_wait_stay_in_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osscl.live.arrivals._MOST_UNFINISHED", 4)
    monkeypatch.setattr("osscl.live.arrivals._MOST_READY", 2)
    monkeypatch.setattr("osscl.live.arrivals._FILES_A_LOOK", 2)
    for number in range(15):
        write_recording(tmp_path / f"{number:02}.wav", 160)
    watched = Watched(tmp_path)
    found: list[str] = []
    while len(found) < 15:
        taken = watched.after(SETTLE_S)
        assert watched.arrivals.n_unfinished < 4 + 2
        assert watched.arrivals.n_ready <= 2
        found += taken
    assert sorted(found) == [f"{number:02}.wav" for number in range(15)]


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Watched]:
    watched = Watched(tmp_path, poll_s=None)
    watched.after(0)
    yield watched
    watched.arrivals.close()


def _closed_by_its_writer(folder: Path) -> None:
    write_recording(folder / "new.wav")


def _moved_within(folder: Path) -> None:
    write_recording(folder / ".new.tmp.wav").rename(folder / "new.wav")


def _in_a_new_folder(folder: Path) -> None:
    write_recording(folder / "sub" / "deeper" / "new.wav")


def _in_a_folder_moved_here(folder: Path) -> None:
    write_recording(folder.parent / "outside" / "new.wav")
    (folder.parent / "outside").rename(folder / "inside")


def _moved_from_outside(folder: Path) -> None:
    write_recording(folder.parent / "outside.wav").rename(folder / "new.wav")


@pytest.mark.parametrize(
    "bring",
    [_closed_by_its_writer, _moved_within, _in_a_new_folder, _in_a_folder_moved_here, _moved_from_outside],
)
def test_notices_bring_files_without_a_walk(bring: Callable[[Path], None], tmp_path: Path) -> None:
    """The clock goes on by less than the time of the next walk."""
    folder = tmp_path / "watched"
    folder.mkdir()
    watched = Watched(folder, poll_s=None)
    try:
        watched.after(0)
        bring(folder)
        found = wait_until(lambda: [name for name in watched.after(0.02) if name[0] != "."] or None)
        assert found == ["new.wav"]
        assert watched.clock.now < 1000 + 60
    finally:
        watched.arrivals.close()


def test_a_file_that_its_writer_has_closed_need_not_settle(listening: Watched, tmp_path: Path) -> None:
    write_recording(tmp_path / "closed.wav")
    assert wait_until(lambda: listening.after(0) or None) == ["closed.wav"]


def test_a_closed_file_that_is_not_whole_is_waited_for(listening: Watched, tmp_path: Path) -> None:
    whole = write_recording(tmp_path / "first.wav").read_bytes()
    wait_until(lambda: listening.after(0) or None)
    (tmp_path / "second.wav").write_bytes(whole[:99])
    wait_until(lambda: listening.after(0) or listening.arrivals.n_unfinished or None)
    assert listening.after(SETTLE_S) == []
    (tmp_path / "second.wav").write_bytes(whole)
    assert wait_until(lambda: listening.after(0) or None) == ["second.wav"]


def test_notices_beyond_what_is_held_make_a_walk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osscl.live.notices._MOST_HELD", 2)
    notices = Notices()
    for number in range(5):
        notices.tell(str(number), is_closed=number == 0)
    notices.tell("0", is_closed=False)
    assert notices.take() == ({"0": True, "1": False}, True)
    assert not notices.come.is_set()
    assert notices.take() == ({}, False)


def test_without_notices_of_the_system_the_folder_is_walked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(28, "inotify watch limit reached")

    monkeypatch.setattr("watchdog.observers.inotify.InotifyWatchGroup._activate", refused)
    with caplog.at_level(logging.WARNING, "osscl"):
        watched = Watched(tmp_path, poll_s=None)
        watched.after(0)
        write_recording(tmp_path / "a.wav")
        watched.after(10)
        assert watched.after(SETTLE_S) == ["a.wav"]
    assert [record.getMessage() for record in caplog.records] == [
        f"the system tells nothing of new files in {tmp_path} (inotify watch limit reached): the folder is "
        "looked through every 10 s; sysctl fs.inotify.max_user_watches and max_user_instances allow more"
    ]


def test_a_file_system_of_a_network_is_walked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("osscl.live.arrivals.network_file_system", lambda _: "nfs4")
    with caplog.at_level(logging.WARNING, "osscl"):
        watched = Watched(tmp_path, poll_s=None)
    assert "a network's file system (nfs4)" in caplog.records[0].getMessage()
    watched.after(0)
    write_recording(tmp_path / "a.wav")
    assert watched.after(1) == []
    watched.after(9)
    assert watched.after(SETTLE_S) == ["a.wav"]


def test_waiting_ends_with_a_notice(tmp_path: Path) -> None:
    notices = Notices()
    listener = Listener(str(tmp_path), notices)
    try:
        write_recording(tmp_path / "a.wav")
        assert notices.come.wait(60)
        assert listener.is_listening
    finally:
        listener.close()
    assert not listener.is_listening
