"""The pipeline: the same records whoever reads ahead, memory that is bounded, and an end that is clean."""

import os
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import soundfile

from osscl.audio.candidate import Candidate
from osscl.audio.reading import Fit
from osscl.backends import Backend, ComputeOptions, open_backend
from osscl.errors import AudioReadError
from osscl.machines.labels import machine_source
from osscl.model_file.bundle import Bundle, read_bundle
from osscl.model_file.golden import golden_clips
from osscl.scoring.judges import Judges
from osscl.scoring.pipeline import score_recordings
from osscl.scoring.record import Record
from osscl.scoring.task import Task, readers_for

BUNDLE = read_bundle("demo")
JUDGES = Judges(BUNDLE.manifest)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> list[Candidate]:
    """Good, silent, broken and missing files, and machines that nobody knows, mixed."""
    root = tmp_path_factory.mktemp("sound")
    (root / "blower").mkdir()
    clips = golden_clips(4)
    for number, clip in enumerate(clips):
        soundfile.write(root / "blower" / f"{number}_id_00.wav", clip, 16_000)
        soundfile.write(root / "blower" / f"{number}_id_77.wav", clip, 16_000)
    soundfile.write(root / "blower" / "silent_id_01.wav", clips[0] * 0, 16_000)
    soundfile.write(root / "blower" / "short_id_01.wav", clips[0][:99], 16_000)
    (root / "blower" / "empty_id_00.wav").write_bytes(b"")
    problem = AudioReadError("the folder cannot be listed: Permission denied")
    names = [
        "empty_id_00", "0_id_00", "0_id_77", "gone_id_00", "1_id_00", "1_id_00", "short_id_01",
        "silent_id_01", "2_id_77", "3_id_77", "2_id_00", "empty_id_00", "gone_id_77", "3_id_00", "1_id_77",
    ]  # fmt: skip
    found = [Candidate(str(root / "blower" / f"{name}.wav")) for name in names]
    found.insert(5, Candidate(str(root / "closed"), problem))
    return found


def task(readers: int, batch_size: int = 1) -> Task:
    """A task of so many threads: for single clips, as many as files are read side by side."""
    return Task(
        machine_source(BUNDLE.manifest.network.model.classes), Fit(), batch_size, max(1, readers), JUDGES
    )


def opened(threads: int = 1, bundle: Bundle = BUNDLE) -> "closing[Backend]":
    return closing(open_backend(bundle, ComputeOptions("cpu", "onnxruntime", threads)))


def osscl_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("osscl-reader")]


def scored(candidates: list[Candidate], readers: int, batch_size: int, threads: int) -> list[Record]:
    with opened(threads) as backend:
        return list(score_recordings(candidates, task(readers, batch_size), BUNDLE.manifest, backend))


@pytest.fixture(scope="module")
def one_by_one(recordings: list[Candidate]) -> list[Record]:
    return scored(recordings, readers=0, batch_size=1, threads=1)


def test_each_candidate_gives_one_record_in_order(
    recordings: list[Candidate], one_by_one: list[Record]
) -> None:
    assert [record.path for record in one_by_one] == [candidate.path for candidate in recordings]
    assert [record.status for record in one_by_one] == [
        "corrupt", "ok", "unknown_machine", "unreadable", "ok", "unreadable", "ok", "unfit", "silent",
        "unknown_machine", "unknown_machine", "ok", "corrupt", "unreadable", "ok", "unknown_machine",
    ]  # fmt: skip
    for record in one_by_one:
        assert (record.score is not None) == (record.status in ("ok", "silent"))
        assert (record.reason is None) == (record.status == "ok")


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("batch_size", [1, 4, 100])
@pytest.mark.parametrize("readers", [0, 2, 5])
def test_records_depend_on_neither_readers_nor_batches(
    recordings: list[Candidate], one_by_one: list[Record], readers: int, batch_size: int, threads: int
) -> None:
    records = scored(recordings, readers, batch_size, threads)
    for got, wanted in zip(records, one_by_one, strict=True):
        assert (got.path, got.machine, got.status, got.reason) == (
            wanted.path, wanted.machine, wanted.status, wanted.reason
        )  # fmt: skip
        assert got.score == (None if wanted.score is None else pytest.approx(wanted.score, abs=1e-4))


@pytest.mark.parametrize("n_candidates", [0, 1, 3])
@pytest.mark.parametrize("readers", [0, 2])
def test_fewer_candidates_than_fit_into_the_queues(
    recordings: list[Candidate], one_by_one: list[Record], readers: int, n_candidates: int
) -> None:
    assert scored(recordings[:n_candidates], readers, 4, 2) == one_by_one[:n_candidates]


def test_one_processor_reads_without_threads() -> None:
    assert [readers_for(threads, 1) for threads in (1, 2, 8)] == [0, 2, 8]
    assert [readers_for(1, batch_size) for batch_size in (4, 256)] == [0, 0]


def test_large_batches_which_are_shared_out_themselves_need_two_readers() -> None:
    assert [readers_for(8, batch_size) for batch_size in (1, 2, 3, 4, 8, 256)] == [8, 4, 3, 2, 2, 2]


class Counted:
    """The same recording for ever; counts how often it was asked for."""

    def __init__(self, candidate: Candidate) -> None:
        self.candidate = candidate
        self.n_taken = 0

    def __iter__(self) -> Iterator[Candidate]:
        while True:
            self.n_taken += 1
            yield self.candidate


@pytest.mark.parametrize("good", [True, False])
@pytest.mark.parametrize(("readers", "batch_size", "threads"), [(0, 1, 1), (0, 4, 2), (2, 1, 2), (2, 4, 2)])
def test_no_more_is_read_ahead_than_the_queues_hold(
    recordings: list[Candidate], readers: int, batch_size: int, threads: int, good: bool
) -> None:
    candidates = Counted(recordings[1 if good else 0])
    with opened(threads) as backend:
        # batches in flight and the one being submitted, those being read, and one of them in store
        bound = batch_size * (backend.n_in_flight + 1 + (readers + 1 if readers else 0))
        records = score_recordings(candidates, task(readers, batch_size), BUNDLE.manifest, backend)
        for n_given in range(1, 12):
            next(records)
            assert n_given < candidates.n_taken <= bound + n_given + batch_size - 1
        records.close()


@pytest.mark.parametrize("threads", [1, 2])
def test_closing_early_ends_the_readers_and_reads_no_further(
    recordings: list[Candidate], threads: int
) -> None:
    candidates = Counted(recordings[1])
    with opened(threads) as backend:
        records = score_recordings(candidates, task(readers=2), BUNDLE.manifest, backend)
        next(records)
        assert osscl_threads()
        records.close()
        assert osscl_threads() == []
        n_taken = candidates.n_taken
        assert list(records) == []
        assert candidates.n_taken == n_taken


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, AudioReadError])
@pytest.mark.parametrize("n_before", [0, 1, 12])
def test_what_the_candidates_raise_passes_through_and_leaves_no_thread(
    recordings: list[Candidate], error: type[BaseException], n_before: int
) -> None:
    def candidates() -> Iterator[Candidate]:
        yield from recordings[:n_before]
        raise error("enough")

    with opened(2) as backend:
        records = score_recordings(candidates(), task(readers=2), BUNDLE.manifest, backend)
        with pytest.raises(error, match="enough"):
            list(records)
        assert osscl_threads() == []


def test_what_naming_a_machine_raises_passes_through(recordings: list[Candidate]) -> None:
    def broken(path: str | os.PathLike[str]) -> str:
        raise ZeroDivisionError(path)

    with opened(2) as backend:
        with pytest.raises(ZeroDivisionError):
            list(score_recordings(recordings, Task(broken, Fit(), 1, 2, JUDGES), BUNDLE.manifest, backend))
        assert osscl_threads() == []


def test_nothing_is_read_before_the_first_record_is_asked_for(recordings: list[Candidate]) -> None:
    candidates = Counted(recordings[1])
    with opened(2) as backend:
        records = score_recordings(candidates, task(readers=2), BUNDLE.manifest, backend)
        assert candidates.n_taken == 0
        records.close()
        assert osscl_threads() == []


def test_a_folder_that_vanishes_half_way_is_recorded(tmp_path: Path) -> None:
    path = tmp_path / "blower" / "x_id_00.wav"
    path.parent.mkdir()
    soundfile.write(path, golden_clips(1)[0], 16_000)

    def candidates() -> Iterator[Candidate]:
        yield Candidate(str(path))
        yield Candidate(str(path))
        path.unlink()
        yield Candidate(str(path))

    with opened() as backend:
        records = list(score_recordings(candidates(), task(readers=0), BUNDLE.manifest, backend))
    assert [record.status for record in records] == ["ok", "ok", "unreadable"]
