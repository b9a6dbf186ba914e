"""Recordings to records: read ahead, submit in batches, collect in order. No recording goes without a record.

Three stages overlap, joined by short queues that bound the memory: readers make whole batches, the backend
computes log-mel and network, and the caller's thread keeps the order. What a batch is made of is a choice:
the beginnings of recordings (`beginnings`), or windows of them (`windowed`).
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from functools import partial
from itertools import starmap
from typing import Any

from osscl.audio.candidate import Candidate
from osscl.audio.fetched import fetched_ahead
from osscl.backends import Backend
from osscl.model_file.manifest import Manifest
from osscl.scoring import beginnings, windowed
from osscl.scoring.by_network import scores_by_network
from osscl.scoring.judging import Batch, Submitted, score
from osscl.scoring.record import WINDOW, Record
from osscl.scoring.task import Task
from osscl.scoring.whole_files import WholeFile


def score_recordings(
    candidates: Iterable[Candidate], task: Task, manifest: Manifest, backend: Backend
) -> Generator[Record, None, None]:
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
        One for each candidate; or, where windows are asked for, one for each of them and those of the whole
        recording behind them. Where a batch cannot be read, submitted or collected, those of the
        batches before it come first, then the error.
    """
    in_flight: deque[Submitted | Exception] = deque()
    collect = partial(_collect, task, WholeFile(), manifest, backend)
    with (
        closing(fetched_ahead(candidates)) as fetched,
        closing(_submit_all(fetched, task, manifest, backend)) as batches,
    ):
        for batch in batches:
            in_flight.append(batch)
            while len(in_flight) > backend.n_in_flight:
                yield from collect(in_flight.popleft())
        while in_flight:
            yield from collect(in_flight.popleft())


def score_batch(group: list[Candidate], task: Task, manifest: Manifest, backend: Backend) -> list[Record]:
    """Score one batch of beginnings in the caller's thread: what `score_recordings` gives of it.

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
    batch = beginnings.read(task, manifest, 0, group, backend.lend_batch(len(group)))
    return list(_collect(task, WholeFile(), manifest, backend, _submit(backend, batch)))


def _submit_all(
    candidates: Iterable[Candidate], task: Task, manifest: Manifest, backend: Backend
) -> Generator[Submitted | Exception, None, None]:
    """Submit batches in order. An error takes the place of its batch, and is the last: it waits its turn."""
    try:
        with closing(_read_all(candidates, task, manifest, backend)) as batches:
            yield from map(partial(_submit, backend), batches)
    except Exception as error:  # noqa: BLE001 - raised when the batches before it are collected
        yield error


def _read_all(
    candidates: Iterable[Candidate], task: Task, manifest: Manifest, backend: Backend
) -> Generator[Batch, None, None]:
    """Read batches in order, the next ones while the last ones are computed."""
    read, borrowed = _source(candidates, task, manifest, backend)
    with closing(borrowed):
        yield from _read_ahead(read, borrowed, task.readers)


def _source(
    candidates: Iterable[Candidate], task: Task, manifest: Manifest, backend: Backend
) -> tuple[Callable[..., Batch], Generator[tuple[Any, ...], None, None]]:
    """What makes a batch in any thread, and what it is given, which comes in order."""
    if task.hop_s is None:
        borrowed = beginnings.borrow(candidates, task.batch_size, backend)
        return partial(beginnings.read, task, manifest), borrowed
    return partial(windowed.finish, task, manifest), windowed.borrow(candidates, task, manifest, backend)


def _read_ahead(
    read: Callable[..., Batch], borrowed: Iterable[tuple[Any, ...]], readers: int
) -> Generator[Batch, None, None]:
    if not readers:
        yield from starmap(read, borrowed)
        return
    ahead: deque[Future[Batch]] = deque()
    pool = ThreadPoolExecutor(readers, "osscl-reader")
    try:
        for batch in _hand_over(borrowed, read, pool):
            ahead.append(batch)
            if len(ahead) > readers:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _hand_over(
    borrowed: Iterable[tuple[Any, ...]], read: Callable[..., Batch], pool: ThreadPoolExecutor
) -> Iterator[Future[Batch]]:
    """Let the readers begin with batches. An error takes the place of its batch, and is the last."""
    try:
        yield from starmap(lambda *batch: pool.submit(read, *batch), borrowed)
    except Exception as error:  # noqa: BLE001 - raised when the batches before it are read
        failed: Future[Batch] = Future()
        failed.set_exception(error)
        yield failed


def _submit(backend: Backend, batch: Batch) -> Submitted:
    ticket = backend.submit(batch.samples) if batch.waiting else None
    return Submitted(batch.records, batch.waiting, ticket, batch.ends, batch.unheard_s)


def _collect(
    task: Task, whole: WholeFile, manifest: Manifest, backend: Backend, batch: Submitted | Exception
) -> Iterator[Record]:
    if isinstance(batch, Exception):
        raise batch
    records = batch.records
    if batch.ticket is not None:
        outputs = backend.collect(batch.ticket)  # [clips that wait, ...]
        judges = [each.judge for each in batch.waiting.values()]
        scores = scores_by_network(judges, outputs, manifest.network.model)
        score(records, batch.waiting, dict(zip(batch.waiting, scores, strict=True)))
    for unheard_s in batch.unheard_s:
        task.left_out.add_longer(unheard_s)
    if task.hop_s is None:
        yield from records
        return
    for place, record in enumerate(records):
        yield record
        if record.scope == WINDOW:
            whole.add(record)
        if (end := batch.ends.get(place)) is not None:
            task.left_out.add_end(end.left_out_s)
            yield from whole.lines(end)
