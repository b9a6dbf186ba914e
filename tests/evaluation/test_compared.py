"""Two models on the same clips: ranks, flips, AUC and its change."""

import json
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from osscl.errors import ConfigError, EvaluationError
from osscl.evaluation.compared import Scored, compare
from osscl.evaluation.compared_tables import MAX_FLIPS, flips_of
from osscl.evaluation.comparison import Compared
from osscl.evaluation.labelled import label_in_name
from osscl.model_file.decisions import Rule
from osscl.scoring.record import Record
from support.console import osscl_each
from support.remembering import (
    calibration,
    faulty_clips,
    network_scores,
    normal_clips,
    stored_memory,
    write_clips,
    write_model,
)


def lines(machine: str, scores: np.ndarray, threshold: float | None, rule: str = "network") -> list[Record]:
    """A line a score, the first half of them normal; decided where there is a threshold."""
    return [
        Record(
            path=f"{machine}/test/{'normal' if 2 * i < len(scores) else 'anomaly'}_{i:04}.wav",
            machine=machine,
            score=float(score),
            threshold=threshold,
            is_anomaly=None if threshold is None else bool(score >= threshold),
            rule=rule,
        )
        for i, score in enumerate(scores)
    ]


def truth_of(record: Record) -> bool | None:
    return label_in_name(record.path)


def check_change(row: Compared) -> None:
    assert row.auc_change is not None
    assert row.a.auc is not None
    assert row.b.auc is not None
    assert row.auc_change.value == pytest.approx(row.b.auc - row.a.auc)


def test_figures_are_those_of_the_references() -> None:
    rng = np.random.default_rng(0)
    scores = {
        machine: (first := np.round(rng.normal(np.arange(60) >= 30), 1), first + rng.normal(0, 0.5, 60))
        for machine in ("fan/id_00", "fan/id_02")
    }
    a = [line for name, (first, _) in scores.items() for line in lines(name, first, 1.0)]
    b = [line for name, (_, second) in scores.items() for line in lines(name, second, 1.5, "memory")]
    found = compare(Scored(a, {"fan/id_00": 0.05}), Scored(b), truth_of, n_resamples=200)
    is_anomaly = np.arange(60) >= 30
    for machine in found.machines:
        first, second = scores[machine.machine]
        assert machine.rank_correlation == pytest.approx(spearmanr(first, second).statistic)
        assert machine.a.auc == pytest.approx(roc_auc_score(is_anomaly, first))
        assert machine.b.auc == pytest.approx(roc_auc_score(is_anomaly, second))
        check_change(machine)
        assert machine.auc_change is not None
        assert machine.auc_change.low is not None
        assert machine.auc_change.high is not None
        assert machine.auc_change.low < machine.auc_change.value < machine.auc_change.high
        assert machine.n_newly_flagged == ((first < 1) & (second >= 1.5)).sum()
        assert machine.n_no_longer_flagged == ((first >= 1) & (second < 1.5)).sum()
        assert machine.a.n_false_alarms == ((first >= 1) & ~is_anomaly).sum()
        assert machine.b.n_detected == ((second >= 1.5) & is_anomaly).sum()
        assert (machine.a.rule, machine.b.rule) == ("network", "memory")
    one, other = found.machines
    total = found.total
    assert (one.a.rate, one.b.rate, total.a.rate) == (0.05, None, None)
    assert (total.n_clips, total.n_normal, total.n_decided) == (120, 60, 120)
    assert total.a.auc == pytest.approx(np.mean([one.a.auc, other.a.auc]))
    assert total.rank_correlation == pytest.approx(np.mean([one.rank_correlation, other.rank_correlation]))
    check_change(total)
    flipped = [
        first.path for first, second in zip(a, b, strict=True) if first.is_anomaly != second.is_anomaly
    ]
    assert [flip.path for flip in found.flips] == flipped
    assert {flip.flagged_by for flip in found.flips} == {"a", "b"}
    assert compare(Scored(a), Scored(b), truth_of, n_resamples=200).total.auc_change == total.auc_change


def test_the_interval_is_of_the_difference() -> None:
    """Both models err on the same clips: their AUCs are uncertain, what they differ by is not."""
    noise = np.random.default_rng(1).normal(0, 1, 60) + (np.arange(60) >= 30)
    first, second = lines("fan/id_00", noise, None), lines("fan/id_00", 3 * noise + 7, None)
    total = compare(Scored(first), Scored(second), truth_of, n_resamples=100).total
    assert total.auc_change is not None
    assert (total.auc_change.low, total.auc_change.value, total.auc_change.high) == (0, 0, 0)
    assert total.rank_correlation == 1
    assert total.n_decided == 0


def test_clips_without_a_pair_of_scores_are_in_no_figure() -> None:
    scored = lines("fan/id_00", np.arange(4.0), 2.0)
    lost = Record(path="x.wav", machine="fan/id_00", status="corrupt", reason="the file is empty")
    elsewhere = Record(path="normal_y.wav", machine="pump/id_00", score=9.0)
    a = [*scored, lost, elsewhere]
    b = [*scored, lost, Record(path="normal_y.wav", machine="pump/id_02", score=9.0)]
    found = compare(Scored(a), Scored(b), truth_of, n_resamples=10)
    assert [machine.machine for machine in found.machines] == ["fan/id_00"]
    assert [(clip.path, clip.a, clip.b) for clip in found.apart] == [
        ("x.wav", "corrupt: the file is empty", "corrupt: the file is empty"),
        ("normal_y.wav", "ok, scored as pump/id_00", "ok, scored as pump/id_02"),
    ]
    with pytest.raises(
        EvaluationError, match=r"none of 2 clips was scored by both .* x\.wav, A says corrupt"
    ):
        compare(Scored(a[4:]), Scored(b[4:]), truth_of)


def test_what_is_not_defined_is_none() -> None:
    same = lines("fan/id_00", np.ones(2), None)
    alone = lines("pump/id_00", np.ones(1), None)
    unnamed = [Record(path="clip.wav", machine="saw/id_00", score=score) for score in (1.0, 2.0)]
    both = Scored([*same, *alone, *unnamed], fingerprints={"fan/id_00": "f"})
    found = compare(both, both, truth_of, n_resamples=10)
    fan, pump, saw = found.machines
    assert [machine.rank_correlation for machine in (fan, pump, saw)] == [None, None, pytest.approx(1)]
    assert fan.auc_change is not None
    assert [(machine.auc_change, machine.a.auc) for machine in (pump, saw)] == [(None, None)] * 2
    assert found.n_unlabelled == 2
    assert [machine.same_scorer for machine in (fan, pump)] == [True, False]
    assert found.total.rank_correlation == pytest.approx(1)


def test_what_cannot_be_compared_is_refused() -> None:
    scored = lines("fan/id_00", np.arange(4.0), None)
    with pytest.raises(EvaluationError, match="A has 4 lines and B 3, not of the same clips"):
        compare(Scored(scored), Scored(scored[:3]), truth_of)
    with pytest.raises(ConfigError, match="resamples is -1"):
        compare(Scored(scored), Scored(scored), truth_of, n_resamples=-1)
    change = compare(Scored(scored), Scored(scored), truth_of, n_resamples=0).total.auc_change
    assert change is not None
    assert (change.value, change.low) == (0, None)


def test_many_flips_are_counted_where_they_are_not_shown() -> None:
    first, second = (lines("fan/id_00", np.full(MAX_FLIPS + 2, 1.0), threshold) for threshold in (0.0, 2.0))
    *shown, last = flips_of(compare(Scored(first), Scored(second), truth_of, n_resamples=1))
    assert len(shown) == MAX_FLIPS
    assert shown[0] == (
        "no longer flagged: fan/id_00/test/normal_0000.wav (fan/id_00, normal): "
        "A 1 (flags from 0), B 1 (from 2)"
    )
    assert last == "and 2 more decisions that flip; --json lists them all"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models: the second lost a machine, and was calibrated so that it flags nearly everything."""
    root = tmp_path_factory.mktemp("compare")
    memories = [
        stored_memory("fan/id_00", normal_clips(1, 24)),
        stored_memory("saw/id_09", normal_clips(2, 24)),
    ]
    of_fan = network_scores(write_model(root / "plain.onnx"), "fan/id_00", normal_clips(3, 24))
    rules: dict[str, Rule] = {"fan/id_00": "network"}
    write_model(root / "a.onnx", memories, [calibration("fan/id_00", "network", of_fan + 99)], rules)
    write_model(root / "b.onnx", memories[:1], [calibration("fan/id_00", "network", of_fan - 99)], rules)
    for folder, name, clips in (
        ("fan/test", "normal_id_00_", normal_clips(4, 3)),
        ("fan/test", "anomaly_id_00_", faulty_clips(5, 2)),
        ("fan/train", "normal_id_00_", normal_clips(6, 1)),
        ("saw/test", "normal_id_09_", normal_clips(7, 1)),
    ):
        write_clips(root / "sound" / folder, name, clips)
    (root / "truth.csv").write_text(
        "fan\nnormal_id_00_00000000.wav,anomaly_id_00_00000003.wav,1\n"
        "normal_id_00_00000001.wav,normal_id_00_00000001.wav,0\nnormal_id_00_9.wav,normal_id_00_9.wav,0\n"
    )
    return root


@pytest.fixture(scope="module")
def ended(home: Path) -> dict[str, "CompletedProcess[str]"]:
    """The command, run on several folders."""
    write_clips(home / "training" / "fan" / "train", "normal_id_00_", normal_clips(6, 1))
    asked: dict[str, tuple[object, ...]] = {
        "shown": (home / "sound",),
        "as JSON": (home / "sound", "--json"),
        "listed": (home / "sound" / "fan", "--ground-truth", home / "truth.csv", "--json"),
        "of a machine that B lacks": (home / "sound" / "saw",),
        "to train on": (home / "training",),
        "to train on, itself": (home / "training" / "fan" / "train",),
    }
    runs = osscl_each([("compare", home / "a.onnx", home / "b.onnx", *rest) for rest in asked.values()])
    return dict(zip(asked, runs, strict=True))


def test_two_model_files_are_compared_on_a_folder(ended: dict[str, "CompletedProcess[str]"]) -> None:
    shown, as_json = ended["shown"], ended["as JSON"]
    assert (shown.returncode, as_json.returncode) == (3, 3)
    assert "left out: 1 in folders named train" in shown.stderr
    assert "normal_id_09_00000000.wav: A: ok, scored as saw/id_09; B: unknown_machine" in shown.stderr
    assert shown.stdout.count("newly flagged: ") == 5
    assert "so that decisions alone can differ: fan/id_00." in shown.stdout
    document = json.loads(as_json.stdout)
    (fan,) = document["machines"]
    assert (fan["n_clips"], fan["rank_correlation"], fan["n_newly_flagged"]) == (5, 1, 5)
    assert fan["a"]["auc"] == fan["b"]["auc"]
    assert (fan["a"]["n_false_alarms"], fan["b"]["n_false_alarms"], fan["b"]["n_detected"]) == (0, 3, 2)
    assert document["source"]["a"]["backend"] == "onnxruntime"
    assert [Path(clip["path"]).name for clip in document["apart"]] == ["normal_id_09_00000000.wav"]


def test_a_list_of_labels_tells_the_truth(ended: dict[str, "CompletedProcess[str]"]) -> None:
    assert ended["listed"].returncode == 0, ended["listed"].stderr
    document = json.loads(ended["listed"].stdout)
    assert [(fan["n_normal"], fan["n_anomalous"]) for fan in document["machines"]] == [(1, 1)]
    assert document["n_unlabelled"] == 3


def test_folders_with_nothing_to_compare_are_refused(ended: dict[str, "CompletedProcess[str]"]) -> None:
    strange = ended["of a machine that B lacks"]
    assert strange.returncode == 1
    assert strange.stderr.splitlines()[-1].startswith("error: none of 1 clip was scored by both models")
    training = ended["to train on"]
    assert training.returncode == 1
    assert "outside folders named train, below" in training.stderr
    assert "it holds 1 recording elsewhere" in training.stderr
    assert ended["to train on, itself"].returncode == 0
