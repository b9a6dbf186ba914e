"""Which stages are run in which ways on a GPU: one line of the result each."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from osscl.backends.gpu.card import Card
from osscl.bench.card_stages import CardEngine, CardFrontEnd, CardNetwork, watched
from osscl.bench.clips import Clips
from osscl.bench.figures import HostMemory
from osscl.bench.lines import Line, decoding_lines, front_end_lines, without_doubles
from osscl.bench.rounds import Repetition
from osscl.bench.stages import EndToEnd, SingleClip, batches_of
from osscl.detector import Detector

BATCHES = (1, 8, 64)
CARD_FRONT_END_BATCHES = (*BATCHES, 256)


def card_lines(detector: Detector, card: Card, clips: Clips, threads: int) -> list[Line]:
    """Everything that is measured of a model on a GPU.

    Parameters
    ----------
    detector : Detector
        The model, opened on the GPU.
    card : Card
        What computes it.
    clips : Clips
        What it is measured on.
    threads : int
        Processors of the host that may be used.

    Returns
    -------
    list of Line
        In the order in which they are shown.
    """
    has_front_end = card.facts["front_end"] == "cuda"
    used = None if has_front_end else threads
    end_to_end = EndToEnd(detector, clips, card.max_batch)
    return [
        *(_front_end(card, clips) if has_front_end else front_end_lines(clips, detector.bundle, threads)),
        *decoding_lines(clips, detector.bundle, threads),
        *_engine(card, clips),
        *_network(card, clips, has_front_end, used),
        Line("end_to_end", partial(_watched, card, end_to_end), threads, batch_size=card.max_batch),
        Line("latency", SingleClip(detector, clips.samples).run, used),
    ]


def _front_end(card: Card, clips: Clips) -> Iterator[Line]:
    settings = card.bundle.manifest.front_end.settings
    for size in without_doubles(*CARD_FRONT_END_BATCHES, card.max_batch):
        front_end = CardFrontEnd(card.device, clips.samples, settings, size)
        yield Line("front_end", front_end.run, None, batch_size=size)


def _engine(card: Card, clips: Clips) -> Iterator[Line]:
    for size in _batch_sizes(card):
        engine = CardEngine(card, batches_of(clips.samples, size)[0])
        yield Line("engine", engine.run, None, batch_size=size)


def _network(card: Card, clips: Clips, has_front_end: bool, threads: int | None) -> Iterator[Line]:
    # only int16 is lent; and what the host's front end makes of samples lies in memory of its own
    can_pin = has_front_end and all(clip.dtype == np.int16 for clip in clips.samples)
    memories: tuple[HostMemory, ...] = ("pinned", "pageable") if can_pin else ("pageable",)
    for memory in memories:
        for size in _batch_sizes(card):
            network = CardNetwork(card, clips.samples, size, is_pinned=memory == "pinned")
            yield Line("network", network.run, threads, batch_size=size, memory=memory)


def _batch_sizes(card: Card) -> tuple[int, ...]:
    return without_doubles(*(size for size in BATCHES if size < card.max_batch), card.max_batch)


def _watched(card: Card, end_to_end: EndToEnd, seconds: float) -> Repetition:
    return watched(card, partial(end_to_end.run, seconds))
