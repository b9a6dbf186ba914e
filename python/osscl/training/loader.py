"""Batches for the network, in a planned order: read ahead by processes of their own, or between the steps."""

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

import torch

from osscl.training.clip_reader import ClipArrays, ClipReader
from osscl.training.order import Planned
from osscl.training.reading_process import ReadingProcess
from osscl.training.step import Batch

_AHEAD = 2  # batches a process: one that is ready, and one that is being read
_LOOK_S = 0.5  # how long a wait may go on before it is asked whether it shall


class Loader(Iterator[Batch]):
    """Batches of a plan, in order; a context that ends its processes.

    Parameters
    ----------
    reader : ClipReader
        The clips.
    plan : iterable of list of Planned
        Which of them, batch by batch.
    workers : int
        Processes that read; 0 reads in the calling one.
    pin_memory : bool
        Place batches where a GPU copies from fastest.

    Raises
    ------
    WorkerLostError
        A process cannot be started; or, when a batch is taken, has ended.
    TrainingDataError
        When a batch is taken: a clip cannot be read any more.
    """

    def __init__(
        self, reader: ClipReader, plan: Iterable[list[Planned]], *, workers: int, pin_memory: bool = False
    ) -> None:
        self._reader, self._plan, self._pin_memory = reader, iter(plan), pin_memory
        self._ahead: deque[Future[Batch]] = deque()
        self._processes: list[ReadingProcess] = []
        # one thread talks to one process: batches come in order, and each process has its next order waiting
        self._threads: list[ThreadPoolExecutor] = []
        try:
            for number in range(workers):
                self._processes.append(ReadingProcess(reader))
                self._threads.append(ThreadPoolExecutor(1, f"osscl-reader-{number}"))
        except BaseException:
            self.close()
            raise
        self._turns = itertools.cycle(zip(self._processes, self._threads, strict=True))
        self._read_ahead()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __next__(self) -> Batch:
        if not self._processes:
            return self._as_batch(self._reader.read(next(self._plan)))
        if not self._ahead:
            raise StopIteration
        batch = self._ahead.popleft().result()
        self._read_ahead()
        return batch

    def wait(self, should_stop: Callable[[], bool]) -> bool:
        """Wait until the next batch is there.

        Parameters
        ----------
        should_stop : callable
            Asked now and then while it is not.

        Returns
        -------
        bool
            False where it was to stop first.
        """
        while self._ahead and not _is_done(self._ahead[0]):
            if should_stop():
                return False
        return True

    def close(self) -> None:
        """End the processes; batches that were not taken are lost."""
        for process in self._processes:
            process.ask_to_end()
        for thread in self._threads:
            thread.shutdown(wait=True, cancel_futures=True)
        for process in self._processes:
            process.close()
        self._ahead.clear()

    def _read_ahead(self) -> None:
        for clips in itertools.islice(self._plan, _AHEAD * len(self._processes) - len(self._ahead)):
            process, thread = next(self._turns)
            self._ahead.append(thread.submit(self._fetch, process, clips))

    def _fetch(self, process: ReadingProcess, clips: list[Planned]) -> Batch:
        return self._as_batch(process.read(clips))

    def _as_batch(self, arrays: ClipArrays) -> Batch:
        tensors = [torch.from_numpy(array) for array in (*arrays.inputs, arrays.labels)]
        if self._pin_memory:
            tensors = [tensor.pin_memory() for tensor in tensors]
        return Batch(tuple(tensors[:-1]), tensors[-1])


def _is_done(batch: Future[Batch]) -> bool:
    try:
        batch.exception(timeout=_LOOK_S)
    except TimeoutError:
        return False
    return True
