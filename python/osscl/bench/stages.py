"""The stages of a scoring run, each as something that works for so many seconds."""

import itertools
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from osscl import frontend
from osscl.audio.candidate import Candidate
from osscl.audio.reading import read_clip
from osscl.audio.samples import Samples, stack_clips
from osscl.backends import Backend, Ticket
from osscl.bench import clock
from osscl.bench.clips import Clips
from osscl.bench.rounds import Repetition, repeat_call
from osscl.detector import Detector
from osscl.errors import BenchmarkError, MachineError
from osscl.machines.dcase import MachineFromPath
from osscl.machines.labels import MachineOf
from osscl.model_file.manifest import Manifest
from osscl.support.paths import printable

Item = TypeVar("Item")


def batches_of(samples: list[Samples], batch_size: int) -> list[Samples]:
    """Batches that hold each clip at least once, all of the same size.

    Parameters
    ----------
    samples : list of ndarray, each [n_samples]
        Clips.
    batch_size : int
        Clips in a batch; the last one begins anew with the first clips.

    Returns
    -------
    list of ndarray, each [batch_size, n_samples]
        Copies, so that no two batches share memory.
    """
    endless = itertools.cycle(samples)
    n_batches = -(-len(samples) // batch_size)
    return [stack_clips(list(itertools.islice(endless, batch_size))) for _ in range(n_batches)]


@dataclass(slots=True, eq=False)
class FrontEnd:
    """Log-mel of clips in memory.

    Attributes
    ----------
    samples : list of ndarray
        The clips.
    manifest : Manifest
        Settings of the transform.
    threads, batch_size : int
        How it is run.
    """

    samples: list[Samples]
    manifest: Manifest
    threads: int
    batch_size: int

    def run(self, seconds: float) -> Repetition:
        """Transform batches in turn, into an array made once."""
        batches = itertools.cycle(batches_of(self.samples, self.batch_size))
        settings = self.manifest.front_end.settings
        n_frames = settings.n_frames(self.manifest.clip.n_samples)
        out = np.empty((self.batch_size, settings.n_mels, n_frames), np.float32)

        def transform() -> None:
            frontend.log_mel(next(batches), settings, out=out, threads=self.threads)

        return repeat_call(transform, self.batch_size, seconds)


@dataclass(slots=True, eq=False)
class Decoding:
    """Files, which the system holds in memory, to samples.

    Attributes
    ----------
    clips : Clips
        The files.
    manifest : Manifest
        Clip rule and sample rate.
    readers : int
        Files read side by side; 1 reads them in the calling thread.
    """

    clips: Clips
    manifest: Manifest
    readers: int

    def run(self, seconds: float) -> Repetition:
        """Read files in turn."""
        if self.readers == 1:
            paths = itertools.cycle(self.clips.paths)
            return repeat_call(lambda: self._read(next(paths)), 1, seconds)
        n_clips = 0
        with ThreadPoolExecutor(self.readers, "osscl-reader") as pool:
            start = now = clock.now()
            while now - start < seconds:
                n_clips += sum(pool.map(self._read, self.clips.paths))
                now = clock.now()
        return Repetition(n_clips, now - start)

    def _read(self, path: str) -> int:
        read_clip(path, self.clips.fit, self.manifest.clip, self.manifest.front_end.settings.sample_rate_hz)
        return 1


@dataclass(slots=True, eq=False)
class Network:
    """Samples in memory through the backend, the front end included.

    Attributes
    ----------
    backend : Backend
        What computes.
    batches : list of ndarray
        The clips.
    streams : int
        Batches computed side by side.
    """

    backend: Backend
    batches: list[Samples]
    streams: int

    def run(self, seconds: float) -> Repetition:
        """Run one batch after the other, or keep all streams busy."""
        batches = itertools.cycle(self.batches)
        size = len(self.batches[0])
        if self.streams == 1:
            return repeat_call(lambda: self._compute(next(batches)), size, seconds)
        self._compute(next(batches))
        return self.keep_busy(seconds)

    def keep_busy(self, seconds: float) -> Repetition:
        """Submit batches as a folder run does, without a first time that is not counted."""
        batches = _for_seconds(itertools.cycle(self.batches), self.streams, seconds)
        start = clock.now()
        n_clips = len(self.batches[0]) * sum(1 for _ in self._through(batches))
        return Repetition(n_clips, clock.now() - start)

    def _compute(self, batch: Samples) -> None:
        self.backend.collect(self.backend.submit(batch))

    def _through(self, batches: Iterable[Samples]) -> Iterator[None]:
        """One step for each batch collected."""
        in_flight: deque[Ticket] = deque()
        for batch in batches:
            in_flight.append(self.backend.submit(batch))
            while len(in_flight) > self.backend.n_in_flight:
                self.backend.collect(in_flight.popleft())
                yield
        for ticket in in_flight:
            self.backend.collect(ticket)
            yield


@dataclass(slots=True, eq=False)
class EndToEnd:
    """Files to scores, by the code of `osscl score`.

    Attributes
    ----------
    detector : Detector
        The model.
    clips : Clips
        The files.
    group : int
        Clips that the detector computes side by side: files come in multiples of it, so that all streams
        end together.
    """

    detector: Detector
    clips: Clips
    group: int

    def run(self, seconds: float) -> Repetition:
        """Score files in turn, from the first one opened to the last score."""
        machine_of = known_machine(self.detector.machines)
        candidates = map(Candidate, _for_seconds(itertools.cycle(self.clips.paths), self.group, seconds))
        start = clock.now()
        n_clips = 0
        for record in self.detector.score_candidates(candidates, machine_of, self.clips.fit):
            if record.score is None:
                raise BenchmarkError(
                    f"{printable(record.path)} got no score: {record.reason}; take it out of the recordings"
                )
            n_clips += 1
        return Repetition(n_clips, clock.now() - start)


@dataclass(slots=True, eq=False)
class SingleClip:
    """One clip in memory to its score.

    Attributes
    ----------
    detector : Detector
        The model.
    samples : list of ndarray
        The clips.
    """

    detector: Detector
    samples: list[Samples]

    def run(self, seconds: float) -> Repetition:
        """Score clips in turn, each alone."""
        clips = itertools.cycle(self.samples)
        machine = self.detector.machines[0]
        return repeat_call(lambda: self.detector.score(next(clips), machine), 1, seconds)


def known_machine(machines: tuple[str, ...]) -> MachineOf:
    """Machines of files by their paths; the model's first one where a path names none that it knows.

    Parameters
    ----------
    machines : tuple of str
        Machines that the model knows.

    Returns
    -------
    callable
        Never raises: speed does not depend on the machine.
    """
    by_path = MachineFromPath(machines)

    def machine_of(path: str | os.PathLike[str]) -> str:
        try:
            return by_path(path)
        except MachineError:
            return machines[0]

    return machine_of


def _for_seconds(endless: Iterator[Item], group: int, seconds: float) -> Iterator[Item]:
    """Items in whole groups, at least one, until the time is over."""
    deadline = clock.now() + seconds
    while True:
        yield from itertools.islice(endless, group)
        if clock.now() >= deadline:
            return
