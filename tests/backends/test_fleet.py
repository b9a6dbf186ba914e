"""Several GPUs as one: order kept, work shared, and a card that is lost costs no clip."""

import gc
import logging
import os
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import rankdata

import osscl
from osscl.backends import choice
from osscl.backends.gpu.fleet import Fleet
from osscl.errors import BackendError, DeviceError, DeviceLostError
from osscl.model_file.bundle import Bundle, write_bundle
from osscl.model_file.golden import golden_clips
from osscl.scoring.record import Record
from support.audio_files import encoded
from support.model_files import tiny_bundle
from support.reference import Reference
from support.standin_gpu import HostCard, StandInDriver, open_card, standin_driver

CLIPS = golden_clips(6)


@pytest.fixture
def driver() -> StandInDriver:
    loaded = standin_driver()
    loaded.reset(devices=3)
    return loaded


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return tiny_bundle()


@pytest.fixture(autouse=True)
def _standin_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    """On GPUs models are computed by the stand-in."""
    entry = choice._Entry("gpu.card", "Card", lambda: True)
    load = choice._Entry.load
    monkeypatch.setattr(choice._Entry, "load", lambda self: HostCard if self == entry else load(self))
    monkeypatch.setitem(choice._CUDA, "tensorrt", entry)


@pytest.fixture
def model(bundle: Bundle, tmp_path: Path) -> Path:
    path = tmp_path / "tiny.onnx"
    write_bundle(path, bundle.model, bundle.manifest)
    return path


@pytest.fixture
def recordings(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "fan" / "test"
    folder.mkdir(parents=True)
    paths = []
    for number in range(30):
        path = folder / f"normal_id_00_{number:08d}.wav"
        path.write_bytes(encoded(CLIPS[number % len(CLIPS)]))
        paths.append(path)
    paths.insert(7, tmp_path / "fan" / "missing_id_00.wav")
    return paths


def scores(model: Path, recordings: list[Path], device: str, **options: Any) -> list[Record]:
    with osscl.load(model, device, threads=2, **options) as detector:
        return list(detector.score_files(recordings))


def score_into(
    got: list[Record],
    detector: osscl.Detector,
    recordings: list[Path],
    after: Mapping[int, Callable[[], None]],
) -> None:
    """Score recordings one by one; after some of them something happens."""
    for number, record in enumerate(detector.score_files(recordings)):
        got.append(record)
        after.get(number, lambda: None)()


def same(records: list[Record], others: list[Record]) -> bool:
    return all(
        (a.path, a.status) == (b.path, b.status)
        and (a.score is None) == (b.score is None)
        and (a.score is None or b.score is None or abs(a.score - b.score) <= 1e-4)
        for a, b in zip(records, others, strict=True)
    )


@pytest.mark.parametrize("device", ["cuda", "cuda:2", "cuda:0,1", "cuda:all"])
@pytest.mark.parametrize("batch_size", [1, 4, None])
def test_a_folder_on_cards_gives_what_it_gives_on_the_cpu(
    driver: StandInDriver, model: Path, recordings: list[Path], device: str, batch_size: int | None
) -> None:
    driver.dawdle(1000)
    got = scores(model, recordings, device, batch_size=batch_size)
    assert same(got, scores(model, recordings, "cpu", backend="onnxruntime"))
    assert [record.status for record in got].count("unreadable") == 1


def test_the_reference_scores_come_out_of_everything_but_the_card_itself(
    driver: StandInDriver, reference: Reference, reference_model: Path
) -> None:
    """Driver's calls, kernels and streams are real; ONNX Runtime stands in for the engine."""
    with osscl.load(reference_model, "cuda:0,1", threads=2, batch_size=8) as detector:
        assert detector.facts["front_end"] == "cuda"
        got = np.array([record.score for record in detector.score_files(reference.clips)])
        assert driver.count("pinned_copies") > 0
    assert np.abs(got - reference.outputs["score"]).max() <= 5e-4
    assert np.array_equal(rankdata(got), rankdata(reference.outputs["score"]))


def test_a_card_that_is_lost_leaves_its_batches_to_the_others(
    driver: StandInDriver, model: Path, recordings: list[Path], caplog: pytest.LogCaptureFixture
) -> None:
    expected = scores(model, recordings, "cpu", backend="onnxruntime")
    driver.dawdle(2000)
    lose = {5: partial(driver.lose, 1), 15: partial(driver.lose, 0)}
    got: list[Record] = []
    with (
        caplog.at_level(logging.WARNING, "osscl"),
        osscl.load(model, "cuda:0,1,2", threads=2, batch_size=2) as detector,
    ):
        score_into(got, detector, recordings, lose)
        facts = detector.facts
    assert same(got, expected)
    assert facts["device"] == "cuda:0 | cuda:1 | cuda:2"
    assert {"lost_cuda:0", "lost_cuda:1"} <= facts.keys()
    assert "lost_cuda:2" not in facts
    assert "cuda:1 is lost, its batches go to other cards: the NVIDIA driver reports" in caplog.text


def test_the_last_card_lost_ends_the_run_with_what_was_scored(
    driver: StandInDriver, model: Path, recordings: list[Path]
) -> None:
    def lose_both() -> None:
        driver.lose(0)
        driver.lose(1)

    expected = scores(model, recordings, "cpu", backend="onnxruntime")
    got: list[Record] = []
    with (
        osscl.load(model, "cuda:0,1", threads=2, batch_size=2) as detector,
        pytest.raises(DeviceLostError, match="all GPUs are lost: the NVIDIA driver reports CUDA_ERROR_ILL"),
    ):
        score_into(got, detector, recordings, {7: lose_both})
    assert same(got, expected[: len(got)])
    assert len(got) >= 8


def test_a_lost_card_alone_ends_the_run_with_what_was_scored(
    driver: StandInDriver, model: Path, recordings: list[Path]
) -> None:
    got: list[Record] = []
    with osscl.load(model, "cuda:1", threads=1, batch_size=2) as detector, pytest.raises(DeviceLostError):
        score_into(got, detector, recordings, {7: partial(driver.lose, 1)})
    assert len(got) >= 8


def test_batches_go_to_the_card_with_the_least_work(driver: StandInDriver, bundle: Bundle) -> None:
    cards = [open_card(bundle, index, batch_size=2) for index in range(3)]
    with closing(Fleet(cards)) as fleet:
        assert fleet.n_in_flight == sum(card.n_in_flight for card in cards)
        driver.dawdle(5000)
        tickets = [fleet.submit(CLIPS[:2]) for _ in range(9)]
        in_work = [sum(given.card is card for given in fleet._given.values()) for card in cards]
        assert sum(in_work) == 9
        assert min(in_work) >= 2
        for ticket in tickets:
            fleet.collect(ticket)
        assert len(fleet._given) == 0
        assert fleet.collect(tickets[0]) is tickets[0].result()
        fleet.submit(CLIPS[:2])  # a ticket that nobody keeps
        gc.collect()
        assert len(fleet._given) <= 1


def test_cards_of_different_memory_share_batches_that_fit_both(driver: StandInDriver, bundle: Bundle) -> None:
    driver.set_memory(1, 16 * 2**20)
    with closing(Fleet([open_card(bundle, index, batch_size=8) for index in (0, 1)])) as fleet:
        assert fleet.max_batch == fleet.preferred_batch == 2
        batch = fleet.lend_batch(2)
        assert batch is not None
        batch[:] = CLIPS[:2]
        assert np.isfinite(fleet.collect(fleet.submit(batch)).cosine).all()
        del batch


def test_memory_is_lent_by_a_card_that_is_not_lost(driver: StandInDriver, bundle: Bundle) -> None:
    with closing(Fleet([open_card(bundle, index, batch_size=2) for index in (0, 1)])) as fleet:
        driver.lose(0)
        batch = fleet.lend_batch(2)
        assert batch is not None
        batch[:] = CLIPS[:2]
        ticket = fleet.submit(batch)
        del batch
        assert np.isfinite(fleet.collect(ticket).cosine).all()


def test_a_second_card_that_cannot_be_opened_gives_the_first_one_back(
    driver: StandInDriver, model: Path
) -> None:
    driver.set_memory(1, 1000)
    with pytest.raises(DeviceError, match="the memory of the GPU is used up"):
        osscl.load(model, "cuda:0,1")
    assert driver.memory_used(0) == 0
    assert driver.count("contexts") == 0


def test_auto_takes_a_usable_card_and_says_so(driver: StandInDriver, model: Path) -> None:
    with osscl.load(model) as detector:
        assert detector.facts["device"] == "cuda:0"
    driver.reset(devices=0)
    with osscl.load(model) as detector:
        assert detector.facts["device"] == "cpu"
    driver.reset(capability=(6, 1))
    with osscl.load(model, threads=1) as detector:
        assert detector.facts["device"] == "cpu"
    with pytest.raises(DeviceError, match=r"compute capability 6\.1"):
        osscl.load(model, "cuda")


def test_arrays_larger_than_a_batch_are_scored_in_parts(driver: StandInDriver, model: Path) -> None:
    with osscl.load(model, "cuda", batch_size=4) as detector, osscl.load(model, "cpu") as reference:
        got, expected = (each.score(CLIPS, "fan/id_00").score for each in (detector, reference))
    assert np.abs(got - expected).max() <= 1e-4


def test_a_forked_child_is_told_to_spawn(
    driver: StandInDriver, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with osscl.load(model, "cuda") as detector:
        process = os.getpid()
        monkeypatch.setattr("osscl.detector.computing.os.getpid", lambda: process + 1)
        with pytest.raises(BackendError, match=r"GPU cannot be used in a forked process.*'spawn'"):
            detector.score(CLIPS[:1], "fan/id_00")
        monkeypatch.undo()


def test_openvino_does_not_compute_on_cards(driver: StandInDriver, model: Path) -> None:
    with pytest.raises(
        BackendError, match="backend 'openvino' does not compute on GPUs; choose tensorrt or onn"
    ):
        osscl.load(model, "cuda", backend="openvino")
    with pytest.raises(
        BackendError, match="backend 'tensorrt' does not compute on the CPU; choose onnxruntime"
    ):
        osscl.load(model, "cpu", backend="tensorrt")
