"""A GPU whose memory runs out, that is lost, or whose engine fails; the stand-in for the driver does it."""

import logging
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from osscl.errors import (
    BackendError,
    DeviceError,
    DeviceLostError,
    DeviceMemoryError,
)
from osscl.model_file.bundle import Bundle
from osscl.model_file.golden import golden_clips
from support.card_outputs import joined, outputs_on_the_cpu
from support.model_files import tiny_bundle
from support.standin_gpu import (
    GIB,
    StandInDriver,
    cards_that_get_all_back,
    open_card,
)

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


def test_the_batch_is_halved_until_it_fits_and_that_is_said(
    driver: StandInDriver, bundle: Bundle, expected: npt.NDArray[np.float32], caplog: pytest.LogCaptureFixture
) -> None:
    driver.reset(memory=GIB // 64)  # 16 MiB: three slots of 2 clips, but not of 4
    with caplog.at_level(logging.WARNING, "osscl"), closing(open_card(bundle, batch_size=8)) as card:
        assert card.preferred_batch == card.max_batch == 2
        assert card.facts["max_batch"] == 2
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
