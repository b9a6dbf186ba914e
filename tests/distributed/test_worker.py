"""What a worker does with a batch that ended others: each recording gets its lines, the one at fault too."""

import pickle
from pathlib import Path

import pytest
import soundfile

from osscl.audio.candidate import Candidate
from osscl.distributed.ledger import MAX_ENDS_IN_A_ROW, Ledger
from osscl.distributed.letters import Answer, answers, letters, opened_letter
from osscl.distributed.work import Work
from osscl.distributed.worker import Worker
from osscl.errors import AudioReadError, DistributedError, FolderReadError, ModelFileError
from osscl.machines.labels import MachineNames
from osscl.model_file.bundle import read_bundle
from osscl.scoring.left_out import LeftOut
from osscl.scoring.record import Record
from support.normal_recordings import clip, write_normals

MACHINE = "blower/id_00"


@pytest.fixture
def candidates(tmp_path: Path) -> list[Candidate]:
    return [Candidate(str(path)) for path in write_normals(tmp_path, 3)]


@pytest.fixture
def work() -> Work:
    return Work("demo", read_bundle("demo").file_sha256, MachineNames(MACHINE))


def answer(worker: Worker, candidates: list[Candidate]) -> Answer:
    (only,) = answers(worker(next(letters(candidates, 100))))
    return only


def test_candidates_come_out_of_a_letter_as_they_went_in() -> None:
    sent = [
        Candidate("a.wav"),
        Candidate("name_\udcff.wav"),
        Candidate("closed", FolderReadError("the folder cannot be listed: Permission denied")),
        Candidate("long", AudioReadError("it cannot be opened")),
        Candidate("last.wav"),
    ]
    first, last = letters(sent, 3)
    assert (opened_letter(first)[0], opened_letter(last)[0]) == (0, 3)
    came = opened_letter(first)[1] + opened_letter(last)[1]
    assert [each.path for each in came] == [each.path for each in sent]
    assert [repr(each.problem) for each in came] == [repr(each.problem) for each in sent]


def test_a_pattern_counts_from_the_folder_that_was_named_wherever_it_is_scored(tmp_path: Path) -> None:
    clips = write_normals(tmp_path / "blower" / "id_00", 1)
    names = MachineNames(machine_pattern="{type}/{id}/{clip}").below(tmp_path)
    work = pickle.loads(pickle.dumps(Work("demo", read_bundle("demo").file_sha256, names)))
    [record] = work.scored([Candidate(str(path)) for path in clips])[0]
    assert (record.machine, record.status) == (MACHINE, "ok")


def test_a_batch_is_scored_and_nothing_of_it_is_kept_in_the_ledger(
    work: Work, candidates: list[Candidate]
) -> None:
    ledger = Ledger()
    came = answer(Worker(work, ledger, str(Path.cwd())), candidates)
    assert list(came.records) == work.scored(candidates)[0]
    assert list(came.numbers) == [0, 1, 2]
    assert came.told.facts["threads"]
    assert ledger.begin(0) == (0, True)


def test_a_file_that_ends_two_workers_alone_gets_a_line_that_says_so(
    work: Work, candidates: list[Candidate]
) -> None:
    ledger = Ledger()
    for _ in range(2):  # two ended in the middle of the batch,
        ledger.begin(0)
    for _ in range(2):  # and two while they scored the second file alone
        ledger.begin(0)
        assert ledger.try_one(1) < 2
    came = answer(Worker(work, ledger, str(Path.cwd())), candidates)
    expected = work.scored(candidates)[0]
    assert [came.records[0], came.records[2]] == [expected[0], expected[2]]
    lost = came.records[1]
    assert (lost.path, lost.machine, lost.status) == (candidates[1].path, MACHINE, "no_score")
    assert "2 worker processes ended while they scored it" in str(lost.reason)
    assert ledger.n_ended == 4


def test_where_workers_end_one_after_the_other_the_run_ends_with_the_files_names(
    work: Work, candidates: list[Candidate]
) -> None:
    ledger = Ledger()
    for _ in range(MAX_ENDS_IN_A_ROW):
        ledger.begin(0)
    came = answer(Worker(work, ledger, str(Path.cwd())), candidates)
    assert not came.records
    with pytest.raises(DistributedError, match=rf"{candidates[0].path}, .*start fewer by --workers"):
        came.told.raise_error()


def test_deaths_with_work_done_in_between_end_no_run() -> None:
    ledger = Ledger()
    for first in range(2 * MAX_ENDS_IN_A_ROW):
        ledger.begin(first)
        assert ledger.begin(first) == (1, True)
        ledger.end(first)
    assert ledger.n_ended == 2 * MAX_ENDS_IN_A_ROW


class _Forgetful(Work):
    """Has memory for single recordings, and for one of them not even alone."""

    def scored(self, candidates: object, first: int = 0) -> tuple[list[Record], LeftOut]:
        some = list(candidates)  # type: ignore[call-overload]
        if len(some) > 1 or first == 2:
            raise MemoryError
        return super().scored(some, first)


def test_a_recording_that_does_not_fit_into_memory_is_a_line(work: Work, candidates: list[Candidate]) -> None:
    forgetful = _Forgetful(work.model, work.model_sha256, work.names)
    came = answer(Worker(forgetful, Ledger(), str(Path.cwd())), candidates)
    assert [record.status for record in came.records] == ["ok", "ok", "no_score"]
    assert "memory does not suffice" in str(came.records[2].reason)


def test_what_a_worker_cannot_work_with_is_raised_where_the_run_is(candidates: list[Candidate]) -> None:
    came = answer(Worker(Work("demo", "0" * 64), Ledger(), str(Path.cwd())), candidates)
    with pytest.raises(ModelFileError, match="another file where a worker runs"):
        came.told.raise_error()


def test_a_recording_that_is_longer_is_told_of(work: Work, tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    soundfile.write(path, clip(1, n_samples=170_000), 16_000)
    told = answer(Worker(work, Ledger(), str(Path.cwd())), [Candidate(str(path))]).told
    assert (told.left_out.n_longer, told.left_out.longer_s) == (1, 0.625)


def test_names_count_from_where_the_run_began(
    work: Work, candidates: list[Candidate], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    named = [Candidate(Path(each.path).name) for each in candidates]
    came = answer(Worker(work, Ledger(), str(tmp_path)), named)
    assert [(each.path, each.status) for each in came.records] == [(each.path, "ok") for each in named]


def test_a_folder_that_a_worker_does_not_find_is_told_where_names_count_from_it(
    work: Work, candidates: list[Candidate], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    gone = str(tmp_path / "gone")
    whole = answer(Worker(work, Ledger(), gone), candidates)
    assert [each.status for each in whole.records] == ["ok", "ok", "ok"]
    came = answer(Worker(work, Ledger(), gone), [Candidate("a.wav")])
    with pytest.raises(DistributedError, match=r"a.wav counts from .*gone, which a worker does not find"):
        came.told.raise_error()
