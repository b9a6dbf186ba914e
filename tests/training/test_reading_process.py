"""Processes that read batches: what they answer, and how their end is noticed."""

import os
from pathlib import Path

import pytest

from osscl.errors import TrainingDataError, WorkerLostError
from osscl.training import TrainingData, read_training_data
from osscl.training.clip_reader import ClipReader
from osscl.training.loader import Loader
from osscl.training.order import Planned
from osscl.training.reading_process import ReadingProcess
from support.readers import DyingReader, PrintingReader, WaitingReader
from support.training_data import write_recordings

PLAN = [[Planned(0)], [Planned(1)]]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> TrainingData:
    return read_training_data([write_recordings(tmp_path_factory.mktemp("data"), 2)])


def reader(data: TrainingData, kind: type[ClipReader] = ClipReader) -> ClipReader:
    return kind(data.clips, [data.label(clip) for clip in data.clips], len(data.classes), ("log_mel",))


def children() -> list[str]:
    """Processes that this one has started and not yet waited for."""
    return [
        pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()
    ]


def test_a_killed_process_is_an_error_after_the_batches_before_it(data: TrainingData) -> None:
    with Loader(reader(data, DyingReader), [[Planned(number)] for number in range(5)], workers=1) as batches:
        assert [next(batches).labels.tolist() for _ in range(3)] == [[0], [0], [1]]
        assert batches.wait(lambda: False)
        with pytest.raises(WorkerLostError) as error:
            next(batches)
    assert str(error.value) == (
        "a process that reads recordings ended (SIGKILL: the system lacks memory, or somebody ended it); "
        "go on with --resume and fewer processes (--workers N), or with --workers 0, which starts none"
    )


def test_one_of_two_processes_dies_and_the_other_is_ended(data: TrainingData) -> None:
    before = children()
    with (
        pytest.raises(WorkerLostError, match="SIGKILL"),
        Loader(
            reader(data, DyingReader), [[Planned(number % 6)] for number in range(12)], workers=2
        ) as batches,
    ):
        list(batches)
    assert children() == before


def test_a_wait_can_be_broken_off(data: TrainingData, tmp_path: Path) -> None:
    before = children()
    waiting = reader(data, WaitingReader)
    assert isinstance(waiting, WaitingReader)
    waiting.pipe = tmp_path / "pipe"
    os.mkfifo(waiting.pipe)
    with Loader(waiting, PLAN, workers=1) as batches:
        assert not batches.wait(lambda: True)
        waiting.pipe.write_bytes(b"")
        assert batches.wait(lambda: False)
        assert next(batches).labels.tolist() == [0]
        assert not batches.wait(lambda: True)
    assert children() == before


def test_errors_arrive_as_the_sentences_they_are(tmp_path: Path) -> None:
    data = read_training_data([write_recordings(tmp_path, 2)])
    Path(data.clips[0].path).unlink()
    process = ReadingProcess(reader(data))
    try:
        with pytest.raises(TrainingDataError) as error:
            process.read([Planned(0)])
        assert str(error.value).startswith(f"{data.clips[0].path} could be read when the training began")
        assert process.read([Planned(1)]).labels.tolist() == [0]  # it lives
    finally:
        process.ask_to_end()
        process.close()


def test_what_a_library_prints_is_no_answer(data: TrainingData) -> None:
    with Loader(reader(data, PrintingReader), PLAN, workers=1) as batches:
        assert [batch.labels.tolist() for batch in batches] == [[0], [0]]
