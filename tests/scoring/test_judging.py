"""Scores and decisions by rule: whatever batch, thread or process computes them, however they are written."""

import multiprocessing
import pickle
from pathlib import Path

import msgspec
import numpy as np
import pytest

import osscl
from osscl.decisions import p_values, threshold
from osscl.scoring.judge import Judge, NormalScores, separating
from support.remembering import (
    calibration,
    faulty_clips,
    network_scores,
    normal_clips,
    stored_memory,
    write_clips,
    write_model,
)

MACHINES = ["fan/id_00", "press/id_09", "pump/id_02"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("judging")
    of_fan = network_scores(write_model(root / "plain.onnx"), "fan/id_00", normal_clips(3, 24))
    write_model(
        root / "model.onnx",
        [stored_memory("fan/id_00", normal_clips(1, 20)), stored_memory("press/id_09", normal_clips(2, 20))],
        [calibration("fan/id_00", "both", np.linspace(-2, 2, 24), of_fan)],
        {"fan/id_00": "both", "press/id_09": "memory"},
    )
    for machine, of in (("fan", "id_00"), ("press", "id_09"), ("pump", "id_02")):
        write_clips(root / "sound" / machine, f"normal_{of}_", normal_clips(4, 2))
        write_clips(root / "sound" / machine, f"anomaly_{of}_", faulty_clips(5, 1))
    return root


@pytest.mark.parametrize(("batch_size", "threads"), [(1, 2), (2, 1), (4, 2), (9, 2)])
def test_records_depend_on_neither_batch_nor_threads(home: Path, batch_size: int, threads: int) -> None:
    files = sorted((home / "sound").rglob("*.wav"))

    def records(batch_size: int, threads: int) -> list[bytes]:
        with osscl.load(home / "model.onnx", "cpu", threads=threads, batch_size=batch_size) as detector:
            return [msgspec.json.encode(record) for record in detector.score_files(files)]

    found = records(batch_size, threads)
    assert found == records(1, 1)
    assert [msgspec.json.decode(line)["rule"] for line in found] == (
        ["both"] * 3 + ["memory"] * 3 + ["network"] * 3
    )


def test_a_detector_keeps_its_rule_and_rate_in_a_pickle_and_in_a_child(home: Path) -> None:
    clips = np.concatenate([normal_clips(4, 1), faulty_clips(5, 1)])
    with osscl.load(home / "model.onnx", "cpu", threads=1, rule="memory", false_alarm_rate=0.25) as detector:
        expected = detector.score(clips, "fan/id_00")
        assert expected.rule == ["memory"] * 2
        assert expected.is_anomaly.tolist() == [False, True]
        with pickle.loads(pickle.dumps(detector)) as again:
            _assert_same(again.score(clips, "fan/id_00"), expected)
        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe()
        child = context.Process(target=lambda: theirs.send(detector.score(clips, "fan/id_00")))
        child.start()
        assert ours.poll(60)
        _assert_same(ours.recv(), expected)
        child.join()


def _assert_same(found: osscl.Scores, expected: osscl.Scores) -> None:
    for name in ("score", "p_value", "threshold", "z"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    assert found.is_anomaly.tolist() == expected.is_anomaly.tolist()


@pytest.mark.parametrize("rate", [0.05, 0.1, 0.5])
def test_decisions_agree_on_the_score_however_it_is_written(rate: float) -> None:
    rng = np.random.default_rng(0)
    normal = np.concatenate([rng.normal(size=30), rng.normal(size=30).astype(np.float32), [0.1, 0.2, 0.3]])
    near = normal.astype(np.float32)
    scores = np.concatenate([near, np.nextafter(near, np.float32(9)), np.nextafter(near, np.float32(-9))])
    judge = Judge(
        "fan/id_00", "network", (0,), normal=NormalScores(normal, [*map(str, range(63))]), asked_rate=rate
    )
    judged = judge.decide(scores)
    assert judged.is_anomaly is not None
    as_digits = np.array([float(str(score)) for score in scores])
    np.testing.assert_array_equal(judged.is_anomaly, judged.p_value <= rate)
    for written in (scores, scores.astype(np.float64), as_digits):
        np.testing.assert_array_equal(judged.is_anomaly, written >= judged.threshold)
    np.testing.assert_array_equal(judged.p_value, p_values(normal, scores))
    assert judged.threshold == separating(threshold(normal, rate))
    assert 0 < judged.is_anomaly.sum() < len(scores)
    assert np.isnan(separating(np.nan))
