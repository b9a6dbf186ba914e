"""Batches that come again are recorded as CUDA graphs, on the stand-in for the driver."""

import logging
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from osscl.cuda.device import Stream
from osscl.cuda.devices import count_devices, open_device
from osscl.errors import (
    DeviceError,
)
from osscl.model_file.bundle import Bundle
from osscl.model_file.golden import golden_clips
from support.card_outputs import joined, outputs_on_the_cpu
from support.model_files import tiny_bundle
from support.standin_gpu import (
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
