"""Recordings to records: read ahead, submit in batches, collect in order. Every recording gives one record.

Three stages overlap, joined by short queues that bound the memory: readers decode whole batches, the backend
computes log-mel and network, and the caller's thread keeps the order.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice, starmap
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from osscl.audio.batch import read_clips
from osscl.audio.candidate import Candidate
from osscl.audio.reading import Clip, Fit
from osscl.audio.recorded_at import AS_RECORDED, RecordingTimes
from osscl.audio.samples import Samples, stack_clips
from osscl.backends import Backend, Ticket
from osscl.errors import AudioError, ClipError, MachineError
from osscl.features import memory_features
from osscl.machines.labels import MachineOf
from osscl.model_file.manifest import Manifest
from osscl.scoring.judge import Judge, Judged
from osscl.scoring.judges import Judges
from osscl.scoring.quality import doubts
from osscl.scoring.record import Record
from osscl.scoring.rule import anomaly_score

Features = npt.NDArray[np.float32]
_Z_COLUMNS = ("z_level", "z_modulation", "z_flutter", "z_event")


@dataclass(frozen=True, slots=True)
class Task:
    """How recordings are read and named.

    Attributes
    ----------
    machine_of : callable
        Names the machine of a path.
    fit : Fit
        How recordings that do not fit are made to fit.
    batch_size : int
        Clips read and computed at once.
    threads : int
        Processors to read with; with 1, batches are read in between, without a thread.
    judges : Judges
        Score and decide the clips of each machine.
    times : RecordingTimes
        Tells when recordings began.
    """

    machine_of: MachineOf
    fit: Fit
    batch_size: int
    threads: int
    judges: Judges
    times: RecordingTimes = AS_RECORDED

    @property
    def readers(self) -> int:
        """Batches read side by side, ahead of the computation."""
        return readers_for(self.threads, self.batch_size)


class _Asked(NamedTuple):
    """What judges a clip, why nothing can be decided of it all the same, and how much of it was recorded."""

    judge: Judge
    misfit: str | None
    n_recorded: int


class _Waiting(NamedTuple):
    """A clip that waits for the network: what judges it then, and its features where those are needed too."""

    judge: Judge
    misfit: str | None
    features: Features | None  # [360]


class _Batch(NamedTuple):
    """A batch as it was read.

    Records some of which lack their scores, and the samples that the network needs.
    """

    records: list[Record]
    waiting: dict[int, _Waiting]  # by the place of the record
    samples: Samples  # [len(waiting), n_samples]


class _Submitted(NamedTuple):
    """What is left of a batch while it is computed: its samples belong to the backend alone."""

    records: list[Record]
    waiting: dict[int, _Waiting]
    ticket: Ticket | None


def readers_for(threads: int, batch_size: int) -> int:
    """Batches to read side by side where so many processors are to be used: none where one shall do all.

    The files of a batch are shared out among up to `threads` of them. So single files need that many readers,
    and large batches two: one makes records while the files of the other are read.
    """
    return 0 if threads == 1 else max(2, -(-threads // batch_size))


def score_recordings(
    candidates: Iterable[Candidate], task: Task, manifest: Manifest, backend: Backend
) -> Iterator[Record]:
    """Score recordings lazily and in order.

    In memory are, at most, the samples of ``task.readers + 1`` batches read ahead and of
    ``backend.n_in_flight + 1`` submitted, and never more than ``task.readers + backend.n_in_flight + 1``
    of both together. The samples of a batch are let go when they are submitted.

    Parameters
    ----------
    candidates : iterable of Candidate
        What to score; never held in memory as a whole.
    task : Task
        How to read and name it.
    manifest : Manifest
        Classes, clip rule and scoring rule of the model.
    backend : Backend
        What computes the model, and lends the memory to read into.

    Yields
    ------
    Record
        One for each candidate. Where a batch cannot be read, submitted or collected, those of the
        batches before it come first, then the error.
    """
    in_flight: deque[_Submitted | Exception] = deque()
    with closing(_submit_all(candidates, task, manifest, backend)) as batches:
        for batch in batches:
            in_flight.append(batch)
            while len(in_flight) > backend.n_in_flight:
                yield from _collect(in_flight.popleft(), manifest, backend)
        while in_flight:
            yield from _collect(in_flight.popleft(), manifest, backend)


def score_batch(group: list[Candidate], task: Task, manifest: Manifest, backend: Backend) -> list[Record]:
    """Score one batch in the caller's thread: what `score_recordings` gives of it.

    Parameters
    ----------
    group : list of Candidate, [B]
        No more than the backend takes at once.
    task, manifest, backend
        As for `score_recordings`.

    Returns
    -------
    list of Record, [B]
        One for each, in order.
    """
    batch = _read(task, manifest, 0, group, backend.lend_batch(len(group)))
    return list(_collect(_submit(backend, batch), manifest, backend))


def _submit_all(
    candidates: Iterable[Candidate], task: Task, manifest: Manifest, backend: Backend
) -> Generator[_Submitted | Exception, None, None]:
    """Submit batches in order. An error takes the place of its batch, and is the last: it waits its turn."""
    try:
        with closing(_read_all(candidates, task, manifest, backend)) as batches:
            yield from map(partial(_submit, backend), batches)
    except Exception as error:  # noqa: BLE001 - raised when the batches before it are collected
        yield error


def _read_all(
    candidates: Iterable[Candidate], task: Task, manifest: Manifest, backend: Backend
) -> Generator[_Batch, None, None]:
    """Read batches in order, the next ones while the last ones are computed."""
    read = partial(_read, task, manifest)
    borrowed = _borrow(candidates, task.batch_size, backend)
    if not task.readers:
        yield from starmap(read, borrowed)
        return
    ahead: deque[Future[_Batch]] = deque()
    pool = ThreadPoolExecutor(task.readers, "osscl-reader")
    try:
        for batch in _hand_over(borrowed, read, pool):
            ahead.append(batch)
            if len(ahead) > task.readers:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _borrow(
    candidates: Iterable[Candidate], batch_size: int, backend: Backend
) -> Iterator[tuple[int, list[Candidate], Samples | None]]:
    """Candidates of one batch each, with the number of those before and the memory to read them into.

    It is borrowed in the caller's thread, in order: no batch takes what one before it then lacks.
    """
    remaining, first = iter(candidates), 0
    while group := list(islice(remaining, batch_size)):
        yield first, group, backend.lend_batch(len(group))
        first += len(group)


def _hand_over(
    borrowed: Iterable[tuple[int, list[Candidate], Samples | None]],
    read: Callable[[int, list[Candidate], Samples | None], _Batch],
    pool: ThreadPoolExecutor,
) -> Iterator[Future[_Batch]]:
    """Let the readers begin with batches. An error takes the place of its batch, and is the last."""
    try:
        yield from starmap(lambda *batch: pool.submit(read, *batch), borrowed)
    except Exception as error:  # noqa: BLE001 - raised when the batches before it are read
        failed: Future[_Batch] = Future()
        failed.set_exception(error)
        yield failed


def _read(task: Task, manifest: Manifest, first: int, group: list[Candidate], lent: Samples | None) -> _Batch:
    """Read a batch, before which `first` files were met, into memory that was lent, or into its own."""
    sources = [candidate.source for candidate in group if candidate.problem is None]
    n_samples, rate_hz = manifest.clip.n_samples, manifest.front_end.settings.sample_rate_hz
    rows = np.empty((len(sources), n_samples), np.int16) if lent is None else lent[: len(sources)]
    clips = enumerate(read_clips(sources, rows, task.fit, manifest.clip, rate_hz, task.threads))
    records: list[Record] = []
    asked: dict[int, _Asked] = {}  # place of each record to be scored -> what judges it
    kept: dict[int, Samples] = {}  # row -> samples [n_samples] to score
    for place, candidate in enumerate(group):
        record, judge = _named(candidate, task, first + place)
        if candidate.problem is not None:
            records.append(_refused(record, candidate.problem))
            continue
        row, clip = next(clips)
        if isinstance(clip, AudioError):
            records.append(_refused(record, clip))
            continue
        records.append(_described(record, clip))
        if judge is not None:
            padding = task.fit.pad if clip.is_padded(rate_hz) else None
            asked[place] = _Asked(judge, judge.misfit(padding), clip.n_recorded(rate_hz))
            kept[row] = clip.samples
    return _judged_without_network(records, asked, _without_gaps(kept, rows), task, rate_hz)


def _judged_without_network(
    records: list[Record], asked: dict[int, _Asked], samples: Samples, task: Task, sample_rate_hz: int
) -> _Batch:
    """Score the clips that need no network.

    What is left are those that do, and the samples [B, n_samples] of these.
    """
    in_order = [each.judge for each in asked.values()]
    remembered = [at for at, judge in enumerate(in_order) if judge.needs_memory]
    threads = max(1, task.threads // max(1, task.readers))
    features: dict[int, Features] = {}
    if remembered:
        clips = samples if len(remembered) == len(samples) else samples[remembered]
        features = dict(zip(remembered, memory_features(clips, threads=threads), strict=True))
    n_recorded = {
        at: each.n_recorded for at, each in enumerate(asked.values()) if each.n_recorded < samples.shape[1]
    }
    doubters = [judge.doubter for judge in in_order]
    said = doubts(samples, doubters, features, n_recorded, sample_rate_hz, threads=threads)
    for place, quality in zip(asked, said, strict=True):
        if quality is not None and records[place].status != "silent":
            records[place] = replace(records[place], quality=quality)
    every = {
        place: _Waiting(each.judge, each.misfit, features.get(at))
        for at, (place, each) in enumerate(asked.items())
    }
    waiting = {place: each for place, each in every.items() if each.judge.needs_network}
    _judge(records, {place: each for place, each in every.items() if place not in waiting}, {})
    for_network = {at: samples[at] for at, judge in enumerate(in_order) if judge.needs_network}
    return _Batch(records, waiting, _without_gaps(for_network, samples))


def _judge(
    records: list[Record], waiting: dict[int, _Waiting], network_scores: dict[int, np.float64]
) -> None:
    """Put scores and decisions into records, those of one machine at once."""
    places_of: dict[str, list[int]] = {}
    for place, each in waiting.items():
        places_of.setdefault(each.judge.machine, []).append(place)
    for places in places_of.values():
        judge = waiting[places[0]].judge
        by_network = np.array([network_scores[place] for place in places]) if judge.needs_network else None
        features = [each for each in (waiting[place].features for place in places) if each is not None]
        judged = judge.judge(by_network, np.stack(features) if features else None)
        for at, place in enumerate(places):
            record = _scored(records[place], judge, judged, at)
            records[place] = _undecided(record, waiting[place].misfit)


def _named(candidate: Candidate, task: Task, number: int) -> tuple[Record, Judge | None]:
    """The line of a file before it is read, and what judges it; `number` files come before it."""
    path = candidate.path
    blank = Record(path=path, recorded_at=task.times.of(path, number, candidate.content))
    try:
        machine = task.machine_of(path)
    except MachineError as error:
        return replace(blank, status=error.status, reason=str(error)), None
    try:
        return replace(blank, machine=machine), task.judges.of(machine)
    except MachineError as error:
        return replace(blank, machine=machine, status="no_score", reason=str(error)), None


def _described(record: Record, clip: Clip) -> Record:
    heard = {}
    if clip.silence is not None and record.status == "ok":
        heard = {"status": "silent", "reason": f"{clip.silence}: a dead microphone or channel?"}
    return replace(
        record, start_s=0.0, duration_s=clip.duration_s, sample_rate_hz=clip.sample_rate_hz, **heard
    )


def _refused(record: Record, error: ClipError) -> Record:
    """A file that cannot be read says so, even where its machine is not known either."""
    known = {}
    if isinstance(error, AudioError) and error.duration_s is not None:
        known = {"start_s": 0.0, "duration_s": error.duration_s}
    return replace(
        record,
        status=error.status,
        reason=str(error),
        sample_rate_hz=error.sample_rate_hz if isinstance(error, AudioError) else None,
        **known,
    )


def _without_gaps(kept: dict[int, Samples], rows: Samples) -> Samples:
    """Samples of the clips to score, moved up in `rows` [B, n_samples], or float32 where one of them is."""
    if any(samples.dtype != rows.dtype for samples in kept.values()):
        return stack_clips(list(kept.values()))
    for to, row in enumerate(kept):
        if to != row:
            rows[to] = rows[row]
    return rows[: len(kept)]


def _submit(backend: Backend, batch: _Batch) -> _Submitted:
    ticket = backend.submit(batch.samples) if batch.waiting else None
    return _Submitted(batch.records, batch.waiting, ticket)


def _collect(batch: _Submitted | Exception, manifest: Manifest, backend: Backend) -> Iterator[Record]:
    if isinstance(batch, Exception):
        raise batch
    records = batch.records
    if batch.ticket is not None:
        cosine = backend.collect(batch.ticket).cosine  # [clips that wait, K]
        labels = np.array([each.judge.label for each in batch.waiting.values()])
        model = manifest.network.model
        scores = anomaly_score(cosine, labels, margin=model.margin, scale=model.scale)
        _judge(records, batch.waiting, dict(zip(batch.waiting, scores, strict=True)))
    yield from records


def _scored(record: Record, judge: Judge, judged: Judged, at: int) -> Record:
    score = np.float32(judged.score[at])
    if not np.isfinite(score):
        return replace(record, status="no_score", reason=f"the model gives {score} for this clip")
    z = {} if judged.z is None else dict(zip(_Z_COLUMNS, map(short_float, judged.z[at]), strict=True))
    return replace(judged.on(record, at), score=short_float(score), rule=judge.rule, **z)


def _undecided(record: Record, misfit: str | None) -> Record:
    """Take back what was decided of a clip that nothing can be decided of."""
    if misfit is None or record.score is None:
        return record
    reason = misfit if record.reason is None else f"{record.reason}; {misfit}"
    return replace(record, reason=reason, p_value=None, threshold=None, is_anomaly=None)


def short_float(number: Any) -> float:
    """A float32 as the float that is written with as few digits."""
    return float(str(np.float32(number)))
