"""Processors shared out among streams; results that do not depend on how."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import osscl
from osscl.backends import Backend, ComputeOptions, Streams, open_backend
from osscl.backends.choice import _CPU
from osscl.errors import BackendError, ConfigError
from osscl.model_file.bundle import read_bundle
from osscl.model_file.golden import golden_clips

CLIPS = golden_clips(6)
# Bit for bit the same where this was written; a runtime may choose other kernels for other thread counts.
MAX_DIFFERENCE = 1e-6


@pytest.fixture(params=_CPU)
def backend_name(request: pytest.FixtureRequest) -> str:
    name = str(request.param)
    if find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    return name


@pytest.fixture
def opened(model_file: Path, backend_name: str) -> Callable[[int, int | None], Any]:
    bundle = read_bundle(model_file)
    return lambda threads, streams: closing(
        open_backend(bundle, ComputeOptions("cpu", backend_name, threads, streams))
    )


def clip_by_clip(backend: Backend) -> npt.NDArray[np.float32]:
    """Submit all before the first is collected; [clips, 128 + K]."""
    tickets = [backend.submit(CLIPS[i : i + 1]) for i in range(len(CLIPS))]
    outputs = [backend.collect(ticket) for ticket in tickets]
    return np.concatenate([np.hstack([output.embedding, output.cosine]) for output in outputs])


@pytest.mark.parametrize(
    ("processors", "count", "expected"),
    [
        (8, None, Streams(8, 1)),
        (8, 1, Streams(1, 8)),
        (8, 2, Streams(2, 4)),
        (8, 8, Streams(8, 1)),
        (1, None, Streams(1, 1)),
        (6, 3, Streams(3, 2)),
    ],
)
def test_processors_are_shared_out_evenly(processors: int, count: int | None, expected: Streams) -> None:
    assert Streams.share(processors, count) == expected
    assert expected.n_threads == processors


@pytest.mark.parametrize(("processors", "count"), [(8, 3), (8, 0), (8, -2), (8, 9), (2, 4), (1, 2)])
def test_numbers_that_cannot_be_shared_out_are_named(processors: int, count: int) -> None:
    with pytest.raises(ConfigError, match=f"streams is {count} for {processors} threads?; it must divide"):
        Streams.share(processors, count)


def test_a_detector_names_streams_that_do_not_divide_its_threads(model_file: Path) -> None:
    with pytest.raises(ConfigError, match="streams is 2 for 3 threads"):
        osscl.load(model_file, threads=3, streams=2)


def test_results_depend_neither_on_threads_nor_on_streams(opened: Callable[..., Any]) -> None:
    with opened(1, 1) as backend:
        alone = clip_by_clip(backend)
    for threads, streams in [(2, 1), (2, 2), (4, 2), (4, None)]:
        with opened(threads, streams) as backend:
            assert np.abs(clip_by_clip(backend) - alone).max() <= MAX_DIFFERENCE, (threads, streams)
            assert backend.facts["threads"] == threads
            assert backend.facts["streams"] == (streams or threads)
    # clips differ from each other by far more: in another order they would be found out
    assert np.abs(np.diff(alone, axis=0)).max(axis=1).min() > 1e-2


def test_results_do_not_depend_on_the_batch(opened: Callable[..., Any]) -> None:
    with opened(2, 2) as backend:
        alone = clip_by_clip(backend)
        output = backend.collect(backend.submit(CLIPS))
        assert np.abs(np.hstack([output.embedding, output.cosine]) - alone).max() <= MAX_DIFFERENCE


def test_outputs_collected_earlier_are_not_overwritten_by_later_batches(opened: Callable[..., Any]) -> None:
    with opened(1, 1) as backend:
        first = backend.collect(backend.submit(CLIPS[:1]))
        kept = first.embedding.copy(), first.cosine.copy()
        backend.collect(backend.submit(CLIPS[1:2]))
        assert np.array_equal(first.embedding, kept[0])
        assert np.array_equal(first.cosine, kept[1])


@pytest.mark.parametrize(("threads", "streams"), [(1, 1), (2, 1), (2, 2)])
def test_many_callers_at_once_get_each_their_own(
    opened: Callable[..., Any], threads: int, streams: int
) -> None:
    with opened(threads, streams) as backend:
        expected = clip_by_clip(backend)

        def call(number: int) -> npt.NDArray[np.float32]:
            clip = number % len(CLIPS)
            output = backend.collect(backend.submit(CLIPS[clip : clip + 1]))
            row: npt.NDArray[np.float32] = np.hstack([output.embedding, output.cosine])[0]
            return row

        with ThreadPoolExecutor(12) as pool:
            got = np.stack(list(pool.map(call, range(36))))
    assert np.abs(got - np.tile(expected, (6, 1))).max() <= MAX_DIFFERENCE


def stream_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("osscl-stream")]


def test_one_thread_in_all_computes_in_the_callers(opened: Callable[..., Any]) -> None:
    with opened(1, 1) as backend:
        before = stream_threads()
        ticket = backend.submit(CLIPS[:1])
        assert ticket.done()
        assert stream_threads() == before
        assert backend.n_in_flight == 1
    with opened(2, 2) as backend:
        assert backend.n_in_flight == 3
        backend.collect(backend.submit(CLIPS[:1]))
        assert len(stream_threads()) > len(before)


@pytest.mark.parametrize(("threads", "streams"), [(1, 1), (2, 1), (2, 2)])
def test_a_closed_backend_says_so(opened: Callable[..., Any], threads: int, streams: int) -> None:
    with opened(threads, streams) as backend:
        tickets = [backend.submit(CLIPS[:1]) for _ in range(20)]
    for ticket in tickets:  # each computed, or refused in the same words as those that come later
        try:
            backend.collect(ticket)
        except BackendError as error:
            assert str(error).startswith("the detector was closed before the batch was computed")  # noqa: PT017
    with pytest.raises(BackendError, match="the detector was closed before the batch was computed"):
        backend.submit(CLIPS[:1])


def test_batches_that_wait_when_it_is_closed_are_refused(opened: Callable[..., Any]) -> None:
    with opened(2, 1) as backend:
        (runner,) = [backend._idle.get()]  # the one stream waits for it
        tickets = [backend.submit(CLIPS[:1]) for _ in range(3)]
        backend.close()
        backend._idle.put(runner)
        with pytest.raises(BackendError, match="the detector was closed before the batch was computed"):
            backend.collect(tickets[-1])


@pytest.mark.parametrize("threads", [1, 2])
def test_closing_while_others_score_is_one_error(model_file: Path, backend_name: str, threads: int) -> None:
    detector = osscl.load(model_file, "cpu", backend_name, threads=threads)
    scored = threading.Semaphore(0)

    def score() -> Exception:
        try:
            while True:
                detector.score(CLIPS, "fan/id_00")
                scored.release()
        except Exception as error:  # noqa: BLE001 - which one it is is the question
            return error

    with ThreadPoolExecutor(6) as pool:
        ends = [pool.submit(score) for _ in range(6)]
        for _ in range(6):
            scored.acquire()
        detector.close()
        assert {type(end.result()) for end in ends} == {BackendError}
