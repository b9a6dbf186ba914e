"""Recordings to records: read ahead, submit in batches, collect in order. Every recording gives one record.

Three stages overlap, joined by short queues that bound the memory: readers decode, the backend's streams
compute log-mel and network, and the caller's thread keeps the order.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from osscl.audio import Clip, Fit, read_clip
from osscl.backends import Backend, Ticket
from osscl.errors import AudioError, ClipError, MachineError
from osscl.labels import MachineOf
from osscl.manifest import Manifest
from osscl.record import Record
from osscl.samples import Samples, stack_clips
from osscl.scoring import anomaly_score


class Candidate(NamedTuple):
    """A file to score, or one that is known to be unusable before it is opened."""

    path: str
    problem: ClipError | None = None


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
        Clips computed at once.
    readers : int
        Files read side by side, ahead of the computation; 0 reads them in between, without a thread.
    """

    machine_of: MachineOf
    fit: Fit
    batch_size: int
    readers: int


class _Reading(NamedTuple):
    """A record that still lacks its score, and the samples to score; None for a file without score."""

    record: Record
    samples: Samples | None


class _Batch(NamedTuple):
    readings: list[_Reading]
    ticket: Ticket | None


def readers_for(threads: int) -> int:
    """Files to read side by side where so many processors are to be used: none where one shall do all."""
    return 0 if threads == 1 else max(2, threads)


def score_recordings(
    candidates: Iterable[Candidate], task: Task, manifest: Manifest, backend: Backend
) -> Iterator[Record]:
    """Score recordings lazily and in order.

    Parameters
    ----------
    candidates : iterable of Candidate
        What to score; never held in memory as a whole.
    task : Task
        How to read and name it.
    manifest : Manifest
        Classes, clip rule and scoring rule of the model.
    backend : Backend
        What computes the model.

    Yields
    ------
    Record
        One for each candidate.
    """
    in_flight: deque[_Batch] = deque()
    readings: list[_Reading] = []
    for reading in _read_all(candidates, task, manifest):
        readings.append(reading)
        if len(readings) == task.batch_size:
            in_flight.append(_submit(readings, backend))
            readings = []
        while len(in_flight) > backend.n_in_flight:
            yield from _collect(in_flight.popleft(), manifest, backend)
    in_flight.append(_submit(readings, backend))
    while in_flight:
        yield from _collect(in_flight.popleft(), manifest, backend)


def _read_all(candidates: Iterable[Candidate], task: Task, manifest: Manifest) -> Iterator[_Reading]:
    """Read recordings in order, the next ones while the last ones are computed."""
    if not task.readers:
        for candidate in candidates:
            yield _read(candidate, task, manifest)
        return
    ahead: deque[Future[_Reading]] = deque()
    pool = ThreadPoolExecutor(task.readers, "osscl-reader")
    try:
        for candidate in candidates:
            ahead.append(pool.submit(_read, candidate, task, manifest))
            if len(ahead) > task.readers + task.batch_size:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _read(candidate: Candidate, task: Task, manifest: Manifest) -> _Reading:
    """Read one recording. A file that cannot be read says so, even where its machine is not known either."""
    record = Record(path=candidate.path)
    unknown_machine = None
    try:
        record = replace(record, machine=task.machine_of(candidate.path))
    except MachineError as error:
        unknown_machine = error
    try:
        if candidate.problem is not None:
            raise candidate.problem
        rate_hz = manifest.front_end.settings.sample_rate_hz
        clip = read_clip(candidate.path, task.fit, manifest.clip, rate_hz)
    except ClipError as error:
        return _Reading(_refused(record, error), None)
    record = _described(record, clip)
    if unknown_machine is not None:
        refused = replace(record, status=unknown_machine.status, reason=str(unknown_machine))
        return _Reading(refused, None)
    return _Reading(record, clip.samples)


def _described(record: Record, clip: Clip) -> Record:
    return replace(
        record,
        status="silent" if clip.is_silent else "ok",
        reason="all samples are zero: a dead microphone or channel?" if clip.is_silent else None,
        start_s=0.0,
        duration_s=clip.duration_s,
        sample_rate_hz=clip.sample_rate_hz,
    )


def _refused(record: Record, error: ClipError) -> Record:
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


def _submit(readings: list[_Reading], backend: Backend) -> _Batch:
    samples = [reading.samples for reading in readings if reading.samples is not None]
    return _Batch(readings, backend.submit(stack_clips(samples)) if samples else None)


def _collect(batch: _Batch, manifest: Manifest, backend: Backend) -> Iterator[Record]:
    scores = iter(_scores(batch, manifest, backend))
    for record, samples in batch.readings:
        yield record if samples is None else _scored(record, next(scores))


def _scores(batch: _Batch, manifest: Manifest, backend: Backend) -> list[np.float32]:
    if batch.ticket is None:
        return []
    cosine = backend.collect(batch.ticket).cosine  # [clips read, K]
    classes = manifest.model.classes
    read = [record for record, samples in batch.readings if samples is not None]
    labels = np.array([classes.index(record.machine or "") for record in read])
    scores = anomaly_score(cosine, labels, margin=manifest.model.margin, scale=manifest.model.scale)
    return list(scores.astype(np.float32))


def _scored(record: Record, score: np.float32) -> Record:
    if not np.isfinite(score):
        return replace(record, status="no_score", reason=f"the model gives {score} for this clip")
    # through its digits: written anywhere, the float is as short as the float32 it stands for
    return replace(record, score=float(str(score)))
