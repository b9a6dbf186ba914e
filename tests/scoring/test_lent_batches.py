"""Batches that are read into memory of the backend: nothing copied, nothing kept, errors in their turn."""

import gc
import itertools
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any, Protocol

import numpy as np
import pytest

from osscl.audio.candidate import Candidate
from osscl.audio.reading import Fit, read_clip
from osscl.audio.samples import Samples, to_waveform
from osscl.backends import Backend, Outputs
from osscl.backends.base import Ticket
from osscl.errors import AudioError, AudioReadError, ClipError, DeviceLostError, MachineError
from osscl.machines.labels import MachineOf, machine_source
from osscl.model_file.bundle import read_bundle
from osscl.scoring.judges import Judges
from osscl.scoring.pipeline import score_recordings
from osscl.scoring.record import Record
from osscl.scoring.rule import anomaly_score
from osscl.scoring.task import Task
from support.audio_files import N_SAMPLES, encoded, noise

MANIFEST = read_bundle("demo").manifest
JUDGES = Judges(MANIFEST)
CLASSES = MANIFEST.network.model.classes
MACHINE_OF = machine_source(CLASSES)
THREADS = pytest.mark.parametrize("threads", [1, 2, 5])


def cosines(samples: Samples) -> np.ndarray[Any, np.dtype[np.float32]]:
    """What tells each clip from every other, whatever stands beside it: [B, n_samples] -> [B, K]."""
    peaks = np.stack([to_waveform(row)[[0, 1, -1]].astype(np.float64) @ [1.0, 100.0, 7.0] for row in samples])
    angles: np.ndarray[Any, np.dtype[np.float32]] = np.cos(np.outer(peaks, np.arange(1, len(CLASSES) + 1)))
    return angles.astype(np.float32)


class Device(Backend):
    """Stands for a GPU: lends from a few buffers, copies what was submitted when it is collected, or at once.

    Raises at the calls that `errors` names, by what is called and how often it was before.
    """

    precisions = frozenset({"fp32"})
    preferred_batch = 4
    n_in_flight = 3

    def __init__(
        self,
        n_buffers: int,
        errors: dict[tuple[str, int], Exception] | None = None,
        copies_at_once: bool = False,
    ) -> None:
        self.facts = {}
        self.free = [np.empty((64, N_SAMPLES), np.int16) for _ in range(n_buffers)]
        self.n_buffers = n_buffers
        self.lent: deque[tuple[int, int]] = deque()  # address and clips, in the order they were asked for
        self.submitted: list[tuple[int, int, str]] = []  # address, clips, dtype
        self.most_lent = self.most_in_flight = self.n_in_flight_now = 0
        self.askers: set[int] = set()
        self._errors = errors or {}
        self._copies_at_once = copies_at_once
        self._held: weakref.WeakKeyDictionary[Ticket, Samples] = weakref.WeakKeyDictionary()
        self._n_calls: dict[str, Iterator[int]] = {}

    def lend_batch(self, n_clips: int) -> Samples | None:
        self._called("lend")
        self.askers.add(threading.get_ident())
        if not self.free:
            return None
        buffer = self.free.pop()
        array = np.frombuffer(buffer.data, np.int16)
        weakref.finalize(array, self.free.append, buffer)
        self.most_lent = max(self.most_lent, self.n_lent)
        rows = array.reshape(64, N_SAMPLES)[:n_clips]
        rows[:] = 99
        self.lent.append((rows.ctypes.data, n_clips))
        return rows

    @property
    def n_lent(self) -> int:
        return self.n_buffers - len(self.free)

    def submit(self, samples: Samples) -> Ticket:
        self._called("submit")
        assert samples.flags.c_contiguous
        assert samples.shape[1:] == (N_SAMPLES,)
        self.submitted.append((samples.ctypes.data, len(samples), samples.dtype.name))
        self.n_in_flight_now += 1
        self.most_in_flight = max(self.most_in_flight, self.n_in_flight_now)
        ticket: Ticket = Future()
        self._held[ticket] = samples.copy() if self._copies_at_once else samples
        return ticket

    def collect(self, ticket: Ticket) -> Outputs:
        self._called("collect")
        self.n_in_flight_now -= 1
        cosine = cosines(self._held.pop(ticket))
        return Outputs(np.zeros((len(cosine), 128), np.float32), cosine)

    def close(self) -> None:
        pass

    def _called(self, name: str) -> None:
        error = self._errors.get((name, next(self._n_calls.setdefault(name, itertools.count()))))
        if error is not None:
            raise error


def one_by_one(candidate: Candidate) -> Record:
    """The record of a file by `read_clip` alone, without a batch."""
    machine: str | None = None
    stranger: MachineError | None = None
    try:
        machine = MACHINE_OF(candidate.path)
    except MachineError as error:
        stranger = error
    try:
        if candidate.problem is not None:
            raise candidate.problem
        clip = read_clip(candidate.path)
    except ClipError as error:
        rate_hz, duration_s = None, None
        if isinstance(error, AudioError):
            rate_hz, duration_s = error.sample_rate_hz, error.duration_s
        return Record(
            path=candidate.path, machine=machine, status=error.status, reason=str(error),
            start_s=None if duration_s is None else 0.0, duration_s=duration_s, sample_rate_hz=rate_hz,
        )  # fmt: skip
    status, reason, score = "ok", None, None
    if clip.silence is not None:
        status, reason = "silent", f"{clip.silence}: a dead microphone or channel?"
    if stranger is not None:
        status, reason = stranger.status, str(stranger)
    if machine is not None:
        label = np.array([CLASSES.index(machine)])
        rule = MANIFEST.network.model
        cosine = cosines(clip.samples[np.newaxis])
        (number,) = anomaly_score(cosine, label, margin=rule.margin, scale=rule.scale).astype(np.float32)
        score = float(str(number))
    return Record(
        path=candidate.path, machine=machine, status=status, reason=reason, score=score,
        start_s=0.0, duration_s=clip.duration_s, sample_rate_hz=clip.sample_rate_hz,
        rule=None if score is None else "network",
    )  # fmt: skip


class Folder(Protocol):
    def __call__(self, names: str) -> list[Candidate]: ...


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """Files by letters, many or one of a kind; the numbers of good ones go round."""
    root = tmp_path_factory.mktemp("sound") / "blower"
    root.mkdir()
    contents = {
        "B": b"", "8": encoded(noise() // 300, subtype="PCM_U8"), "S": encoded(noise() * 0),
        "2": encoded(noise(n_channels=2)), "T": encoded(noise(99)), "C": encoded(noise())[:-2],
        "W": encoded(noise(seed=7) / 32768, subtype="PCM_24"), "F": encoded(noise(seed=8), kind="FLAC"),
        "Z": encoded(noise() * 0, subtype="PCM_24"), "R": encoded(noise(), 8_000),
        **{f"P{i}": encoded(noise(seed=20 + i)) for i in range(7)},
    }  # fmt: skip
    for name, content in contents.items():
        (root / f"{name}_id_00.wav").write_bytes(content)
        (root / f"{name}_id_77.wav").write_bytes(content)

    def named(names: str) -> list[Candidate]:
        numbers = itertools.cycle(range(7))
        found = []
        for name in names:
            spelled = f"P{next(numbers)}" if name in "PX" else name.replace("Q", "S")
            machine = "id_77" if name in "XQ" else "id_00"  # one that nobody knows
            path = str(root / f"{spelled}_{machine}.wav")
            found.append(Candidate(path, AudioReadError("it is a folder") if name == "D" else None))
        return found

    return named


MIXED = "BPFPPDWXP2PPSTPPPGPXQCPPPP8RPPFZPPPPPPDPB"  # G is gone
WITHOUT_FLOATS = "BPFPPDXP2PPSTPPPGPXXCPPPPRPPFPPPPPPDPB"


def run(
    candidates: list[Candidate] | Iterator[Candidate],
    backend: Backend,
    batch_size: int,
    threads: int = 2,
    machine_of: MachineOf = MACHINE_OF,
) -> Iterator[Record]:
    return score_recordings(
        candidates, Task(machine_of, Fit(), batch_size, threads, JUDGES), MANIFEST, backend
    )


def reader_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("osscl-reader")]


@THREADS
@pytest.mark.parametrize("n_buffers", [0, 2, 16])
@pytest.mark.parametrize("batch_size", [1, 2, 3, 7, 64])
def test_records_and_scores_are_bit_by_bit_those_of_files_read_one_by_one(
    folder: Folder, batch_size: int, threads: int, n_buffers: int
) -> None:
    candidates = folder(MIXED)
    records = list(run(candidates, Device(n_buffers), batch_size, threads))
    assert records == [one_by_one(candidate) for candidate in candidates]
    assert {record.status for record in records} == {
        "ok", "silent", "unreadable", "corrupt", "unfit", "unknown_machine",
    }  # fmt: skip
    # clips differ: an order that is not kept would be found out
    assert len({record.score for record in records if record.score is not None}) == 7 + 4


@THREADS
@pytest.mark.parametrize("batch_size", [1, 4, 64])
def test_plain_files_are_submitted_in_the_very_memory_that_was_lent(
    folder: Folder, batch_size: int, threads: int
) -> None:
    device = Device(16)
    records = list(run(folder("P" * 11), device, batch_size, threads))
    assert {record.status for record in records} == {"ok"}
    sizes = [min(batch_size, 11 - start) for start in range(0, 11, batch_size)]
    assert [n_clips for _, n_clips in device.lent] == sizes
    assert device.submitted == [(address, n_clips, "int16") for address, n_clips in device.lent]
    assert device.askers == {threading.get_ident()}


def test_files_without_score_leave_no_gap_in_the_memory_that_was_lent(folder: Folder) -> None:
    candidates = folder(WITHOUT_FLOATS)
    device = Device(16)
    records = list(run(candidates, device, 64))
    n_scored = sum(record.score is not None for record in records)
    assert 0 < n_scored < len(candidates)
    assert device.submitted == [(device.lent[0][0], n_scored, "int16")]


def test_one_clip_in_floats_makes_its_batch_one_of_ordinary_memory(folder: Folder) -> None:
    device = Device(16)
    assert len(list(run(folder("PPPPPWPPPPPP"), device, 4))) == 12
    assert [dtype for _, _, dtype in device.submitted] == ["int16", "float32", "int16"]
    places = {address for address, _ in device.lent}
    assert [address in places for address, _, _ in device.submitted] == [True, False, True]


@pytest.mark.parametrize("names", ["D" * 9, "B" * 9, "X" * 9])
def test_a_batch_of_which_nothing_can_be_scored_is_not_submitted(folder: Folder, names: str) -> None:
    device = Device(16)
    assert len(list(run(folder(names), device, 4))) == 9
    assert device.submitted == []
    assert device.n_lent == 0


@THREADS
@pytest.mark.parametrize("batch_size", [1, 3])
def test_no_more_is_lent_nor_in_flight_than_is_said(folder: Folder, batch_size: int, threads: int) -> None:
    device = Device(64)
    task = Task(MACHINE_OF, Fit(), batch_size, threads, JUDGES)
    for _ in score_recordings(folder("P" * 100), task, MANIFEST, device):
        assert device.n_lent <= task.readers + device.n_in_flight + 1
        assert device.n_in_flight_now <= device.n_in_flight
    assert device.most_lent == task.readers + device.n_in_flight + 1
    assert device.most_in_flight == device.n_in_flight + 1
    assert device.n_lent == 0


@THREADS
def test_memory_is_let_go_when_it_is_submitted(folder: Folder, threads: int) -> None:
    device = Device(64, copies_at_once=True)
    task = Task(MACHINE_OF, Fit(), 3, threads, JUDGES)
    assert len(list(score_recordings(folder("P" * 60), task, MANIFEST, device))) == 60
    # those that are read ahead; a reader may hold the last one a moment longer
    assert device.most_lent <= task.readers + (1 if threads == 1 else 2)


@pytest.fixture
def no_garbage_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@THREADS
@pytest.mark.parametrize("batch_size", [1, 4])
@pytest.mark.usefixtures("no_garbage_collection")
def test_records_keep_no_memory_that_was_lent(folder: Folder, batch_size: int, threads: int) -> None:
    device = Device(64)
    records = run(folder(MIXED), device, batch_size, threads)
    kept = list(itertools.islice(records, 30))
    kept += records
    assert device.n_lent == 0
    assert len(kept) == len(MIXED)


@THREADS
@pytest.mark.usefixtures("no_garbage_collection")
def test_closing_early_gives_back_what_was_lent_and_ends_the_readers(folder: Folder, threads: int) -> None:
    device = Device(64)
    records = run(itertools.cycle(folder(MIXED)), device, 3, threads)
    for _ in range(7):
        next(records)
    records.close()  # type: ignore[attr-defined]
    assert reader_threads() == []
    assert device.n_lent == 0
    assert list(records) == []


def a_broken_naming(path: str | os.PathLike[str]) -> str:
    """Names machines as ever, but of one file that raises what nobody expects."""
    if "P6" in os.fspath(path):
        raise ZeroDivisionError("enough")
    return MACHINE_OF(path)


LOST = DeviceLostError("enough")
ERRORS: dict[str, tuple[Callable[[], Device], MachineOf, type[Exception]]] = {
    "read": (lambda: Device(16), a_broken_naming, ZeroDivisionError),
    "lend": (lambda: Device(16, {("lend", 2): LOST}), MACHINE_OF, DeviceLostError),
    "submit": (lambda: Device(16, {("submit", 2): LOST}), MACHINE_OF, DeviceLostError),
    "collect": (lambda: Device(16, {("collect", 2): LOST}), MACHINE_OF, DeviceLostError),
}


@THREADS
@pytest.mark.parametrize("stage", ERRORS)
def test_an_error_in_any_stage_comes_after_all_records_before_it(
    folder: Folder, stage: str, threads: int
) -> None:
    candidates = folder("P" * 18)  # the third batch of three is the one that fails
    open_device, machine_of, expected = ERRORS[stage]
    device = open_device()
    records: list[Record] = []
    with pytest.raises(expected, match="enough"):
        records.extend(run(iter(candidates), device, 3, threads, machine_of))
    assert records == [one_by_one(candidate) for candidate in candidates[:6]]
    assert reader_threads() == []


@THREADS
def test_an_interruption_waits_for_no_turn(folder: Folder, threads: int) -> None:
    def candidates() -> Iterator[Candidate]:
        yield from folder("P" * 9)
        raise KeyboardInterrupt

    device = Device(16)
    records: list[Record] = []
    with pytest.raises(KeyboardInterrupt):
        records.extend(run(candidates(), device, 3, threads))
    assert len(records) < 9
    assert reader_threads() == []
