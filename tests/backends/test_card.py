"""A model on one GPU: real calls of the driver, to a stand-in for it, with an engine on the host."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from osscl.backends import Outputs
from osscl.backends.onnxruntime_cuda import OnnxRuntimeEngine
from osscl.cuda.device import Stream
from osscl.cuda.devices import count_devices, open_device
from osscl.errors import (
    BackendError,
    ConfigError,
    DeviceError,
    DeviceLostError,
    DeviceMemoryError,
)
from osscl.model_file.bundle import Bundle
from osscl.model_file.golden import golden_clips
from support.model_files import tiny_bundle
from support.standin_gpu import GIB, HostEngine, StandInDriver, cards_that_get_all_back, open_card

CLIPS = golden_clips(8)
MAX_DIFFERENCE = 2e-6  # of the tiny model's cosines: the stand-in's front end is compiled anew


@pytest.fixture
def driver() -> Iterator[StandInDriver]:
    with cards_that_get_all_back(2) as loaded:
        yield loaded


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return tiny_bundle()


@pytest.fixture(scope="module")
def expected(bundle: Bundle) -> npt.NDArray[np.float32]:
    from osscl.backends import ComputeOptions, open_backend

    with closing(open_backend(bundle, ComputeOptions("cpu", "onnxruntime", threads=1))) as backend:
        return joined([backend.collect(backend.submit(CLIPS[i : i + 1])) for i in range(len(CLIPS))])


def joined(outputs: list[Outputs]) -> npt.NDArray[np.float32]:
    """[clips, 128 + K]"""
    return np.concatenate([np.hstack([output.embedding, output.cosine]) for output in outputs])


def test_batches_come_back_in_order_whatever_takes_long(
    driver: StandInDriver, bundle: Bundle, expected: npt.NDArray[np.float32]
) -> None:
    driver.dawdle(3000)
    sizes = [3, 1, 4, 2, 4, 4, 1, 3, 4, 4, 4, 4]
    with closing(open_card(bundle, batch_size=4)) as card:
        tickets = [card.submit(CLIPS[:size]) for size in sizes]
        got = [joined([card.collect(ticket)]) for ticket in tickets]
        assert driver.count("graph_launches") > 0
    for size, outputs in zip(sizes, got, strict=True):
        assert np.abs(outputs - expected[:size]).max() <= MAX_DIFFERENCE


def test_float_samples_give_what_int16_samples_give(
    driver: StandInDriver, bundle: Bundle, expected: npt.NDArray[np.float32]
) -> None:
    with closing(open_card(bundle, batch_size=8)) as card:
        got = joined([card.collect(card.submit((CLIPS / np.float32(32768)).astype(np.float32)))])
    assert np.abs(got - expected).max() <= MAX_DIFFERENCE


def test_only_samples_cross_the_bus_and_no_pinned_batch_is_staged(
    driver: StandInDriver, bundle: Bundle, expected: npt.NDArray[np.float32]
) -> None:
    with closing(open_card(bundle, batch_size=4)) as card:
        batch = card.lend_batch(4)
        assert batch is not None
        assert batch.dtype == np.int16
        assert batch.shape == (4, 160_000)
        batch[:] = CLIPS[4:]
        before = driver.count("pinned_copies"), driver.count("staged_copies")
        got = joined([card.collect(card.submit(batch))])
        assert (driver.count("pinned_copies"), driver.count("staged_copies")) == (before[0] + 1, before[1])
        assert card.facts["front_end"] == "cuda"
        del batch
    assert np.abs(got - expected[4:]).max() <= MAX_DIFFERENCE


def test_a_lent_batch_comes_back_when_its_last_row_is_forgotten(
    driver: StandInDriver, bundle: Bundle
) -> None:
    with closing(open_card(bundle, batch_size=2)) as card:
        lent = [card.lend_batch(2) for _ in range(6)]
        assert all(batch is not None for batch in lent)
        assert card.lend_batch(2) is None  # and does not wait
        first = lent[0]
        assert first is not None
        row = first[1]
        lent[0] = first = None
        assert card.lend_batch(2) is None
        del row
        assert card.lend_batch(2) is not None
        lent.clear()


def test_where_pinned_memory_is_scarce_less_is_lent_and_that_is_said(
    driver: StandInDriver, bundle: Bundle, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(open_card(bundle, batch_size=2)) as card:
        driver.limit_pinned(driver.count("pinned") + 2)
        with caplog.at_level(logging.WARNING, "osscl"):
            lent = [card.lend_batch(2) for _ in range(4)]
        assert [batch is None for batch in lent] == [False, False, True, True]
        assert (
            "only 2 of 6 batches lie in pinned memory: memory that the GPU can copy from is used up"
            in caplog.text
        )
        lent.clear()


def test_a_batch_in_flight_is_not_lent_again(driver: StandInDriver, bundle: Bundle) -> None:
    driver.dawdle(20_000)
    with closing(open_card(bundle, batch_size=1)) as card:
        answers = []
        for number in range(24):
            batch = card.lend_batch(1)
            while batch is None:
                time.sleep(0.001)
                batch = card.lend_batch(1)
            batch[:] = CLIPS[number % len(CLIPS)]
            answers.append(card.submit(batch))
        del batch
        got = joined([card.collect(answer) for answer in answers])
        alone = joined([card.collect(card.submit(clip[np.newaxis])) for clip in CLIPS])
    assert np.array_equal(got, np.tile(alone, (3, 1)))


def test_the_batch_is_halved_until_it_fits_and_that_is_said(
    driver: StandInDriver, bundle: Bundle, expected: npt.NDArray[np.float32], caplog: pytest.LogCaptureFixture
) -> None:
    driver.reset(memory=GIB // 64)  # 16 MiB: three slots of 2 clips, but not of 4
    with caplog.at_level(logging.WARNING, "osscl"), closing(open_card(bundle, batch_size=8)) as card:
        assert card.preferred_batch == card.max_batch == 2
        assert card.facts["max_batch"] == "2"
        got = joined([card.collect(card.submit(CLIPS[:2]))])
    assert [record.getMessage().split(":")[1] for record in caplog.records] == [
        "0",
        "0",
    ]
    assert "batches of 8 clips do not fit, going on with 4: the memory of the GPU is used up" in caplog.text
    assert "batches of 4 clips do not fit, going on with 2" in caplog.text
    assert np.abs(got - expected[:2]).max() <= MAX_DIFFERENCE


def test_a_card_that_does_not_hold_one_clip_is_refused(driver: StandInDriver, bundle: Bundle) -> None:
    driver.reset(memory=GIB // 1024)
    with pytest.raises(DeviceMemoryError, match="the memory of the GPU is used up"):
        open_card(bundle, batch_size=4)


def test_memory_that_runs_out_later_halves_the_parts(
    driver: StandInDriver,
    bundle: Bundle,
    expected: npt.NDArray[np.float32],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with closing(open_card(bundle, batch_size=8)) as card:
        engine: Any = card._engine
        engine.part_limit = 3
        with caplog.at_level(logging.WARNING, "osscl"):
            got = [joined([card.collect(card.submit(CLIPS))]) for _ in range(4)]
        assert max(engine.sizes[-12:]) == 2
    assert [record.getMessage() for record in caplog.records] == [
        "cuda:0: going on in parts of 4 clips: 8 clips do not fit",
        "cuda:0: going on in parts of 2 clips: 4 clips do not fit",
    ]
    assert all(np.abs(each - expected).max() <= MAX_DIFFERENCE for each in got)


@pytest.mark.parametrize("part_limit", [None, 3])
def test_an_engine_of_few_batch_sizes_computes_more_clips_but_never_beyond_the_batch(
    driver: StandInDriver,
    bundle: Bundle,
    expected: npt.NDArray[np.float32],
    monkeypatch: pytest.MonkeyPatch,
    part_limit: int | None,
) -> None:
    monkeypatch.setattr(HostEngine, "computed_batch", OnnxRuntimeEngine.computed_batch)
    with closing(open_card(bundle, batch_size=7)) as card:
        engine: Any = card._engine
        engine.part_limit = part_limit
        sizes = range(1, 8)
        got = [joined([card.collect(card.submit(CLIPS[:size]))]) for size in sizes]
        computed = engine.sizes[len(engine.sizes) - 7 :]
    if part_limit is None:
        assert computed == [1, 2, 4, 4, 7, 7, 7]
    for size, each in zip(sizes, got, strict=True):
        assert np.abs(each - expected[:size]).max() <= MAX_DIFFERENCE


def test_a_card_lost_in_mid_run_says_so_for_each_batch_and_closes(
    driver: StandInDriver, bundle: Bundle
) -> None:
    card = open_card(bundle, batch_size=2)
    card.collect(card.submit(CLIPS[:2]))
    driver.dawdle(5000)
    tickets = [card.submit(CLIPS[:2]) for _ in range(5)]
    driver.lose(0)
    for ticket in tickets:
        with pytest.raises(DeviceLostError, match="CUDA_ERROR_ILLEGAL_ADDRESS"):
            card.collect(ticket)
    card.close()  # nothing can be given back to a card that is lost, and no error hides the first one
    driver.reset(devices=2)


def test_an_engine_that_fails_fails_its_batch_alone(
    driver: StandInDriver, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(open_card(bundle, batch_size=2)) as card:
        good = card.collect(card.submit(CLIPS[:2]))
        engine: Any = card._engine
        enqueue = engine.enqueue

        def refuse(*_: Any) -> None:
            raise BackendError("the engine refuses")

        engine.enqueue = refuse
        tickets = [card.submit(CLIPS[:1]) for _ in range(5)]
        for ticket in tickets:
            with pytest.raises(BackendError, match="the engine refuses"):
                card.collect(ticket)
        engine.enqueue = enqueue
        again = card.collect(card.submit(CLIPS[:2]))
    assert np.array_equal(again.cosine, good.cosine)


def test_closing_waits_for_the_card_and_answers_every_batch(driver: StandInDriver, bundle: Bundle) -> None:
    driver.dawdle(20_000)
    card = open_card(bundle, batch_size=1)
    tickets = [card.submit(CLIPS[:1]) for _ in range(12)]
    card.close()
    assert all(ticket.done() for ticket in tickets)
    assert isinstance(tickets[-1].exception(), BackendError)
    names = [thread.name for thread in threading.enumerate()]
    assert not any(name.startswith("osscl-cuda") for name in names)


def test_many_threads_may_use_a_card_at_once(
    driver: StandInDriver, bundle: Bundle, expected: npt.NDArray[np.float32]
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    driver.dawdle(2000)
    with closing(open_card(bundle, batch_size=2)) as card, ThreadPoolExecutor(8) as pool:

        def one(number: int) -> npt.NDArray[np.float32]:
            row: npt.NDArray[np.float32] = joined([card.collect(card.submit(CLIPS[number % 8 :][:1]))])[0]
            return row

        got = np.stack(list(pool.map(one, range(32))))
    assert np.abs(got - np.tile(expected, (4, 1))).max() <= MAX_DIFFERENCE


def test_the_engines_own_time_is_counted(driver: StandInDriver, bundle: Bundle) -> None:
    with closing(open_card(bundle, batch_size=4)) as card:
        assert card.busy_s == 0.0
        before = time.perf_counter()
        for _ in range(5):
            card.collect(card.submit(CLIPS[:4]))
        assert 0.0 < card.busy_s <= time.perf_counter() - before


def test_without_the_cards_front_end_the_hosts_is_used_and_the_record_says_why(
    driver: StandInDriver,
    bundle: Bundle,
    expected: npt.NDArray[np.float32],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OSSCL_CUDA", "off")
    with closing(open_card(bundle, batch_size=4)) as card:
        assert card.facts["front_end"] == "native, OSSCL_CUDA is off"
        tickets = [card.submit(CLIPS[i : i + 4]) for i in (0, 4)]
        got = joined([card.collect(ticket) for ticket in tickets])
        assert driver.count("launches") == 0
    assert np.abs(got - expected).max() <= MAX_DIFFERENCE
    monkeypatch.setenv("OSSCL_CUDA", "maybe")
    with pytest.raises(ConfigError, match="OSSCL_CUDA is 'maybe'; it must be on or off"):
        open_card(bundle, batch_size=4)


def test_a_batch_that_comes_again_is_recorded_and_then_replayed(
    driver: StandInDriver, bundle: Bundle
) -> None:
    with closing(open_card(bundle, batch_size=2)) as card:
        engine: Any = card._engine
        engine.sizes.clear()
        outputs = [joined([card.collect(card.submit(CLIPS[:2]))]) for _ in range(9)]
        # each of three slots: computed, recorded (and computed before that), replayed
        assert len(engine.sizes) == 3 * (1 + 2)
        assert driver.count("graph_launches") == 3
    assert all(np.array_equal(each, outputs[0]) for each in outputs)


def test_ever_new_sizes_are_not_all_recorded(driver: StandInDriver, bundle: Bundle) -> None:
    with closing(open_card(bundle, batch_size=8)) as card:
        for _ in range(9):
            for size in range(1, 9):
                card.collect(card.submit(CLIPS[:size]))
        assert driver.count("graphs") <= 3 * 4


def test_an_engine_whose_work_cannot_be_recorded_computes_without(
    driver: StandInDriver,
    bundle: Bundle,
    expected: npt.NDArray[np.float32],
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: Any) -> Any:
        raise DeviceError("not to be recorded")

    with closing(open_card(bundle, batch_size=8)) as card:
        engine: Any = card._engine
        engine.recordable = lambda *_: fail
        with caplog.at_level(logging.WARNING, "osscl"):
            got = [joined([card.collect(card.submit(CLIPS))]) for _ in range(8)]
        assert driver.count("graph_launches") == 0
    assert [record.getMessage() for record in caplog.records] == [
        "cuda:0: batches are computed without CUDA graphs: not to be recorded"
    ]
    assert all(np.abs(each - expected).max() <= MAX_DIFFERENCE for each in got)


def test_a_recording_that_fails_leaves_the_stream_usable(driver: StandInDriver) -> None:
    def fail() -> None:
        raise ValueError("in the middle")

    count_devices()
    device = open_device(0)
    with device.active():
        stream = Stream()
        with pytest.raises(ValueError, match="in the middle"):
            stream.record_graph(fail)
        stream.record_graph(lambda: None).close()
        stream.close()
    device.close()


def test_a_loss_that_the_engine_meets_first_is_told_as_a_loss(driver: StandInDriver, bundle: Bundle) -> None:
    card = open_card(bundle, batch_size=2)
    engine: Any = card._engine

    def fail(*_: Any) -> None:
        driver.lose(0)
        raise DeviceError("something is wrong")  # all that a library may have to say

    engine.enqueue = fail
    with pytest.raises(DeviceLostError, match="CUDA_ERROR_ILLEGAL_ADDRESS"):
        card.collect(card.submit(CLIPS[:1]))
    card.close()
    driver.reset(devices=2)


def test_batches_that_nobody_can_wait_for_are_answered_all_the_same(
    driver: StandInDriver, bundle: Bundle
) -> None:
    """As at the end of the interpreter, when no thread takes work any more."""
    with closing(open_card(bundle, batch_size=1)) as card:
        card._waiting_thread.shutdown()
        tickets = [card.submit(CLIPS[:1]) for _ in range(6)]
        for ticket in tickets:
            with pytest.raises(RuntimeError, match="cannot schedule new futures"):
                card.collect(ticket)


def test_memory_that_is_lent_at_the_end_is_given_back_when_it_comes(
    driver: StandInDriver, bundle: Bundle
) -> None:
    card = open_card(bundle, batch_size=2)
    batch = card.lend_batch(2)
    assert batch is not None
    card.close()
    batch[:] = 1  # still there
    assert driver.count("pinned") == 1
    assert driver.count("contexts") == 1
    del batch
    assert driver.count("pinned") == 0
    assert driver.count("contexts") == 0
