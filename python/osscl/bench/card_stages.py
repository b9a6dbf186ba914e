"""The stages of a scoring run on a GPU, each as something that works for so many seconds."""

import itertools
import math
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from osscl.audio.samples import Samples, stack_clips
from osscl.backends.gpu.card import Card
from osscl.bench import clock
from osscl.bench.rounds import Repetition
from osscl.bench.stages import Network, batches_of
from osscl.config import FrontendConfig
from osscl.cuda.device import Device, Event, Memory, PinnedMemory, Stream
from osscl.cuda.front_end import CudaFrontEnd, front_end_code

_FLOAT_BYTES = 4
_N_IN_GRAPH = 20
_GROUP_S = 0.02  # work that a card is given at once: long beside the moments in which events are recorded


class CardBatch:
    """A batch of clips that lies on a card, and the card's front end.

    Parameters
    ----------
    batch : ndarray of int16 or float32, [B, n_samples]
        The clips.
    settings : FrontendConfig
        Settings of the transform.
    opened : ExitStack
        Gives the card's memory back; the card is active for so long.

    Attributes
    ----------
    stream : Stream
        Where the work is queued.
    """

    def __init__(self, batch: Samples, settings: FrontendConfig, opened: ExitStack) -> None:
        code = front_end_code()
        assert code is not None, "the card has a front end"
        n_clips, n_samples = batch.shape
        self._dtype = batch.dtype
        self._shape = n_clips, settings.n_mels, settings.n_frames(n_samples)
        self.stream = opened.enter_context(closing(Stream()))
        self._front_end = opened.enter_context(closing(CudaFrontEnd(code, settings, n_samples)))
        self._samples, self._waveform, self._log_mel = (
            opened.enter_context(closing(Memory(n_bytes))).address
            for n_bytes in (batch.nbytes, batch.size * _FLOAT_BYTES, math.prod(self._shape) * _FLOAT_BYTES)
        )
        self.stream.copy_in(self._samples, batch)

    def transform(self) -> None:
        """Queue the work of the front end."""
        self._front_end.enqueue(
            self._samples,
            self._dtype,
            self._shape[0],
            waveform=self._waveform,
            log_mel=self._log_mel,
            stream=self.stream,
        )

    def fetch(self) -> npt.NDArray[np.float32]:
        """Log-mel [B, 128, n_frames] that was computed, dB."""
        with closing(PinnedMemory(math.prod(self._shape) * _FLOAT_BYTES)) as pinned:
            log_mel = pinned.array(np.float32, *self._shape)
            self.stream.copy_out(log_mel, self._log_mel)
            self.stream.synchronize()
            return log_mel.copy()


@dataclass(slots=True, eq=False)
class CardFrontEnd:
    """Log-mel and waveform of clips that lie on the card, by its own front end and nothing else.

    Attributes
    ----------
    device : Device
        The card.
    samples : list of ndarray
        The clips.
    settings : FrontendConfig
        Settings of the transform.
    batch_size : int
        Clips at once.
    """

    device: Device
    samples: list[Samples]
    settings: FrontendConfig
    batch_size: int

    def run(self, seconds: float) -> Repetition:
        """Transform one batch again and again."""
        with self.device.active(), ExitStack() as opened:
            batch = CardBatch(batches_of(self.samples, self.batch_size)[0], self.settings, opened)
            return _time_on_card(batch.stream, batch.transform, self.batch_size, seconds)


@dataclass(slots=True, eq=False)
class CardCopies:
    """Samples of clips from pinned memory to the card, and nothing else.

    Attributes
    ----------
    device : Device
        The card.
    n_clips, n_samples : int
        Clips copied at once, and samples of each.
    """

    device: Device
    n_clips: int
    n_samples: int

    @property
    def n_bytes(self) -> int:
        """Bytes of a copy: samples are int16."""
        return self.n_clips * self.n_samples * np.dtype(np.int16).itemsize

    def run(self, seconds: float) -> Repetition:
        """Copy the same memory again and again."""
        with (
            self.device.active(),
            closing(Stream()) as stream,
            closing(PinnedMemory(self.n_bytes)) as pinned,
            closing(Memory(self.n_bytes)) as memory,
        ):
            samples = pinned.array(np.int16, self.n_clips, self.n_samples)
            samples[:] = 0  # written once, so that it is there
            return _time_on_card(
                stream, lambda: stream.copy_in(memory.address, samples), self.n_clips, seconds
            )


@dataclass(slots=True, eq=False)
class CardEngine:
    """The network alone, on inputs that lie on the card.

    Attributes
    ----------
    card : Card
        What computes.
    batch : ndarray, [B, n_samples]
        Clips whose inputs are computed on.
    """

    card: Card
    batch: Samples

    def run(self, seconds: float) -> Repetition:
        """Compute one batch again and again, in groups that take the card a while."""
        for ticket in [self.card.submit(self.batch) for _ in range(self.card.n_in_flight)]:
            self.card.collect(ticket)  # now it is these clips that lie there
        size = len(self.batch)
        n_times = max(1, round(_GROUP_S / self.card.time_engine(size, 1)))
        elapsed_s, n_calls = 0.0, 0
        deadline = clock.now() + seconds
        while n_calls == 0 or clock.now() < deadline:
            elapsed_s += self.card.time_engine(size, n_times)
            n_calls += n_times
        return Repetition(n_calls * size, elapsed_s)


@dataclass(slots=True, eq=False)
class CardNetwork:
    """Samples in the host's memory through the card, the front end included, the batches overlapping.

    Attributes
    ----------
    card : Card
        What computes.
    samples : list of ndarray
        The clips.
    batch_size : int
        Clips in a batch.
    is_pinned : bool
        Whether they lie in memory that the card lends.
    """

    card: Card
    samples: list[Samples]
    batch_size: int
    is_pinned: bool

    def run(self, seconds: float) -> Repetition:
        """Keep the card busy."""
        batches = self._pinned() if self.is_pinned else batches_of(self.samples, self.batch_size)
        network = Network(self.card, batches, self.card.n_in_flight)
        network.keep_busy(0.0)  # kernels are chosen and work is recorded meanwhile
        return watched(self.card, lambda: network.keep_busy(seconds))

    def _pinned(self) -> list[Samples]:
        """As many as are in flight; lent for the time of a run, since reading files needs them too."""
        clips = itertools.cycle(self.samples)
        batches: list[Samples] = []
        for _ in range(self.card.n_in_flight):
            lent = self.card.lend_batch(self.batch_size)
            assert lent is not None, "nobody else borrows meanwhile"
            lent[:] = stack_clips(list(itertools.islice(clips, self.batch_size)))
            batches.append(lent)
        return batches


def watched(card: Card, work: Callable[[], Repetition]) -> Repetition:
    """Do some work, and note how long the card's engine computed meanwhile.

    Parameters
    ----------
    card : Card
        Nothing else uses it.
    work : callable
        Collects all that it submits.

    Returns
    -------
    Repetition
        The work's, with `busy_s`.
    """
    before = card.busy_s
    done = work()
    return replace(done, busy_s=card.busy_s - before)


def _time_on_card(stream: Stream, queue: Callable[[], None], n_clips: int, seconds: float) -> Repetition:
    """Time work by the card's own clock; recorded many times over, so that it never waits for the host."""
    queue()
    stream.synchronize()

    def queue_many() -> None:
        for _ in range(_N_IN_GRAPH):
            queue()

    elapsed_s, n_calls = 0.0, 0
    with (
        closing(stream.record_graph(queue_many)) as graph,
        closing(Event()) as begun,
        closing(Event()) as ended,
    ):
        stream.replay(graph)
        deadline = clock.now() + seconds
        while n_calls == 0 or clock.now() < deadline:
            stream.record(begun)
            stream.replay(graph)
            stream.record(ended)
            ended.synchronize()
            elapsed_s += ended.ms_since(begun) / 1000.0
            n_calls += _N_IN_GRAPH
    return Repetition(n_calls * n_clips, elapsed_s)
