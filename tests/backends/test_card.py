"""A model on one GPU: real calls of the driver, to a stand-in for it, with an engine on the host."""

import logging
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from osscl.audio.samples import Samples
from osscl.backends.onnxruntime_cuda import OnnxRuntimeEngine
from osscl.errors import BackendError, ConfigError
from osscl.model_file.bundle import Bundle
from osscl.model_file.golden import golden_clips
from support.card_outputs import joined, outputs_on_the_cpu
from support.model_files import tiny_bundle
from support.standin_gpu import (
    ENGINE_S,
    HostEngine,
    StandInDriver,
    cards_that_get_all_back,
    open_card,
    open_timed_card,
)
from support.waiting import wait_until

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
    return outputs_on_the_cpu(bundle, CLIPS)


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

        def lend() -> Samples | None:
            return card.lend_batch(1)

        answers = []
        for number in range(24):
            batch: Any = wait_until(lend)
            batch[:] = CLIPS[number % len(CLIPS)]
            answers.append(card.submit(batch))
        del batch
        got = joined([card.collect(answer) for answer in answers])
        alone = joined([card.collect(card.submit(clip[np.newaxis])) for clip in CLIPS])
    assert np.array_equal(got, np.tile(alone, (3, 1)))


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
    with closing(open_timed_card(bundle, batch_size=4)) as card:
        assert card.busy_s == 0.0
        for _ in range(5):
            card.collect(card.submit(CLIPS[:4]))
            driver.pass_time(0.3)  # of which the engine knows nothing
        assert card.busy_s == pytest.approx(5 * ENGINE_S)


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


def test_a_closed_card_says_so(driver: StandInDriver, bundle: Bundle) -> None:
    with closing(open_card(bundle, batch_size=4)) as card:
        card.collect(card.submit(CLIPS[:1]))
    with pytest.raises(BackendError, match="the detector was closed before the batch was computed"):
        card.submit(CLIPS[:1])
