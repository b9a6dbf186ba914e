"""Requests to batches: what waits is scored together, by as many threads as keep the device busy.

Nobody waits for a batch to fill up. A thread that is free takes its share of what waits, up to the device's
batch: one clip where little is asked, full batches where much is. Recordings that are cut into windows are
scored one after the other, by one thread, so that the others stay with the clips.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from osscl.audio.candidate import Candidate
from osscl.detector import Detector
from osscl.errors import OssclError
from osscl.scoring.record import Record
from osscl.serving.answers import Answered, answer
from osscl.serving.problems import RequestError, busy
from osscl.serving.requests import Question
from osscl.serving.windows import answer_windows
from osscl.support.plurals import counted, verb


@dataclass(slots=True, eq=False)
class Job:
    """A question that waits, and where its answer goes; dropped where nobody wants it any more."""

    question: Question
    answered: "asyncio.Future[Answered]"
    is_dropped: bool = field(default=False)


class Batching:
    """Answers questions in batches; made and asked in the thread of an event loop.

    Parameters
    ----------
    detector : Detector
        The model.
    max_waiting : int
        Questions that may wait.
    on_batch : callable, optional
        Takes the number of clips of each batch.

    Attributes
    ----------
    trouble : str or None
        Why the last batch failed; None where it did not.
    """

    def __init__(
        self, detector: Detector, max_waiting: int, on_batch: Callable[[int], Any] = lambda _: None
    ) -> None:
        self._detector, self._max_waiting, self._on_batch = detector, max_waiting, on_batch
        self._lanes = detector.lanes()
        self._waiting: deque[Job] = deque()
        self._waiting_long: deque[Job] = deque()  # those to be cut into windows
        self._is_cutting = False
        self._has_changed = threading.Condition()
        self._n_idle = 0
        self._is_closed = False
        self._loop = asyncio.get_running_loop()
        self.trouble: str | None = None
        self._threads = [
            threading.Thread(target=self._work, name=f"osscl-lane-{number}", daemon=True)
            for number in range(self._lanes.count)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def n_waiting(self) -> int:
        """Questions that no thread has taken yet."""
        return len(self._waiting) + len(self._waiting_long)

    @property
    def is_full(self) -> bool:
        """Whether another question would be refused."""
        return self.n_waiting >= self._max_waiting

    def check_room(self) -> None:
        """Refuse another question where too many wait already; raises `RequestError` (503)."""
        if self.is_full:
            raise busy(
                f"{counted(self.n_waiting, 'recording')} {verb(self.n_waiting, 'waits', 'wait')} to be "
                f"scored, as many as may (--max-waiting); send it "
                "again in a moment"
            )

    def ask(self, question: Question) -> Job:
        """Let a question wait for its answer.

        Parameters
        ----------
        question : Question
            What is asked.

        Returns
        -------
        Job
            With the future of its answer.

        Raises
        ------
        RequestError
            Too many wait already, or the server is stopping (503).
        """
        job = Job(question, self._loop.create_future())
        with self._has_changed:
            if self._is_closed:
                raise busy("the server is stopping; send it to another one, or again in a moment")
            self.check_room()
            (self._waiting if question.hop_s is None else self._waiting_long).append(job)
            self._has_changed.notify()
        return job

    def close(self) -> None:
        """Answer what waits, and end the threads."""
        with self._has_changed:
            self._is_closed = True
            self._has_changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while batch := self._next_batch():
            self._on_batch(len(batch))
            if batch[0].question.hop_s is None:
                self._answer_all(batch)
            else:
                self._answer_long(batch[0])

    def _next_batch(self) -> list[Job]:
        """The share of a thread in what waits and can be read alike; nothing once all is over."""
        with self._has_changed:
            self._n_idle += 1
            while True:
                for waiting in (self._waiting, self._waiting_long):
                    while waiting and waiting[0].is_dropped:
                        waiting.popleft()
                may_cut = bool(self._waiting_long) and not self._is_cutting
                if self._waiting or may_cut or self._is_closed:
                    break
                self._has_changed.wait()
            if may_cut:
                self._n_idle -= 1
                self._is_cutting = True
                return [self._waiting_long.popleft()]
            share = -(-len(self._waiting) // self._n_idle)
            self._n_idle -= 1
            return self._taken(min(share, self._lanes.batch))

    def _taken(self, n_most: int) -> list[Job]:
        batch: list[Job] = []
        while self._waiting and len(batch) < n_most:
            if batch and self._waiting[0].question.fit != batch[0].question.fit:
                break
            job = self._waiting.popleft()
            if not job.is_dropped:
                batch.append(job)
        return batch

    def _answer_all(self, batch: list[Job]) -> None:
        try:
            records = self._scored([job.question for job in batch])
        except Exception as error:  # noqa: BLE001 - told to whoever asked
            if len(batch) > 1:  # one of them must not take the others with it
                for job in batch:
                    self._answer_all([job])
                return
            self._failed(batch[0], error)
            return
        self.trouble = None
        scored = list(zip(batch, records, strict=True))
        # explaining takes long: first those who do not ask for it
        for job, record in sorted(scored, key=lambda each: each[0].question.explaining != "never"):
            self._answer(job, record)

    def _answer_long(self, job: Job) -> None:
        """Answer one that is cut into windows, as long as somebody waits for it."""
        try:
            self._settle_by(
                job, lambda: answer_windows(self._detector, job.question, lambda: not job.is_dropped)
            )
        finally:
            with self._has_changed:
                self._is_cutting = False
                self._has_changed.notify()

    def _answer(self, job: Job, record: Record) -> None:
        self._settle_by(job, lambda: answer(self._detector, job.question, record))

    def _settle_by(self, job: Job, answering: Callable[[], Answered | None]) -> None:
        try:
            answered = answering()
        except RequestError as problem:
            self._loop.call_soon_threadsafe(_settle, job.answered, problem)
        except Exception as error:  # noqa: BLE001 - told to whoever asked
            self._failed(job, error)
        else:
            if answered is not None:
                self._loop.call_soon_threadsafe(_settle, job.answered, answered)

    def _scored(self, questions: list[Question]) -> list[Record]:
        # numbers tell recordings of one name apart; times are read from what is behind the last slash
        named = {f"{number}/{question.name}": question for number, question in enumerate(questions)}
        candidates = [Candidate(name, content=question.content) for name, question in named.items()]
        return self._detector.score_batch(
            candidates, lambda name: named[str(name)].machine, questions[0].fit, self._lanes.threads
        )

    def _failed(self, job: Job, error: Exception) -> None:
        if isinstance(error, OssclError):
            self.trouble = str(error)
        self._loop.call_soon_threadsafe(_settle, job.answered, error)


def _settle(future: "asyncio.Future[Answered]", result: Answered | Exception) -> None:
    if future.done():  # nobody waits any more
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
