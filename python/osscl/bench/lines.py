"""Which stages are run in which ways: one line of the result each."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from osscl.backends import ComputeOptions, Streams, open_backend
from osscl.bench.clips import Clips
from osscl.bench.figures import HostMemory, Measurement, Stage
from osscl.bench.rounds import Repetition, Work
from osscl.bench.stages import Decoding, EndToEnd, FrontEnd, Network, SingleClip, batches_of
from osscl.detector import Detector
from osscl.model_file.bundle import Bundle
from osscl.scoring.task import readers_for

FRONT_END_BATCHES = (1, 8, 32)

Way = TypeVar("Way")


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A stage that is run in one way.

    Attributes
    ----------
    stage : str
        As in `Measurement`.
    run : callable
        Works for about so many seconds.
    threads, streams, batch_size, memory
        As in `Measurement`.
    """

    stage: Stage
    run: Callable[[float], Repetition]
    threads: int | None
    streams: int | None = None
    batch_size: int = 1
    memory: HostMemory | None = None

    def measured(self, work: Work, peak_share: float | None, copy_share: float | None = None) -> Measurement:
        """Sum up repetitions.

        Parameters
        ----------
        work : Work
            The repetitions.
        peak_share, copy_share : float or None
            Shares of the rates of matrix products and copies.

        Returns
        -------
        Measurement
            Medians and percentiles.
        """
        call_ms = 1000.0 * np.array(work.call_s)
        percentiles = np.percentile(call_ms, (50, 95, 99)).tolist() if len(call_ms) else (None, None, None)
        return Measurement(
            stage=self.stage,
            threads=self.threads,
            streams=self.streams,
            batch_size=self.batch_size,
            memory=self.memory,
            clips_per_s=work.clips_per_s,
            ms_per_clip=1000.0 / work.clips_per_s,
            p50_ms=percentiles[0],
            p95_ms=percentiles[1],
            p99_ms=percentiles[2],
            n_repetitions=len(work.done),
            n_calls=len(call_ms) or sum(repetition.n_clips for repetition in work.done),
            peak_share=peak_share,
            copy_share=copy_share,
            idle_share=work.idle_share,
        )


def processor_lines(
    detector: Detector, clips: Clips, streams: Streams, batch_size: int | None, opened: ExitStack
) -> list[Line]:
    """Everything that is measured of a model on the CPU.

    Parameters
    ----------
    detector : Detector
        The model, opened as it was asked for.
    clips : Clips
        What it is measured on.
    streams : Streams
        How the detector shares out the processors.
    batch_size : int or None
        Clips computed at once; None for what the backend prefers.
    opened : ExitStack
        Closes what is opened here.

    Returns
    -------
    list of Line
        In the order in which they are shown.
    """
    backend = detector.facts["backend"]
    lines = [
        *front_end_lines(clips, detector.bundle, streams.n_threads),
        *decoding_lines(clips, detector.bundle, streams.n_threads),
    ]
    size = 1
    for shared in without_doubles(Streams(1, 1), streams):
        alone = ComputeOptions("cpu", backend, shared.n_threads, shared.count)
        computing = opened.enter_context(closing(open_backend(detector.bundle, alone)))
        size = batch_size or computing.preferred_batch
        network = Network(computing, batches_of(clips.samples, size), shared.count)
        lines.append(Line("network", network.run, shared.n_threads, shared.count, size))
    end_to_end = EndToEnd(detector, clips, size * streams.count)
    lines.append(Line("end_to_end", end_to_end.run, streams.n_threads, streams.count, size))
    for shared in without_doubles(streams, Streams(1, streams.n_threads)):
        scoring = detector
        if shared != streams:
            how = ComputeOptions("auto", backend, shared.n_threads, shared.count)
            scoring = opened.enter_context(Detector(detector.bundle.path, how))
        single = SingleClip(scoring, clips.samples)
        lines.append(Line("latency", single.run, shared.n_threads, shared.count))
    return lines


def front_end_lines(clips: Clips, bundle: Bundle, threads: int) -> Iterator[Line]:
    """The native front end, on one thread and on all; nothing where the graph computes it."""
    if not any(spec.name == "log_mel" for spec in bundle.manifest.inputs):
        return
    for number in without_doubles(1, threads):
        for size in FRONT_END_BATCHES:
            front_end = FrontEnd(clips.samples, bundle.manifest, number, size)
            yield Line("front_end", front_end.run, number, batch_size=size)


def decoding_lines(clips: Clips, bundle: Bundle, threads: int) -> Iterator[Line]:
    """Files read one by one, and as a folder run reads them."""
    for readers in without_doubles(1, max(1, readers_for(threads, 1))):
        yield Line("decode", Decoding(clips, bundle.manifest, readers).run, readers)


def without_doubles(*ways: Way) -> tuple[Way, ...]:
    """Each way once, in order."""
    return tuple(dict.fromkeys(ways))
