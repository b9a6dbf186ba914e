"""False alarms and detections of decisions, and the same clips by several rules."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from osscl.evaluation import evaluate
from osscl.evaluation.decided import wilson_interval
from osscl.evaluation.labelled import LabelledScore
from support.console import osscl, osscl_each
from support.remembering import (
    calibration,
    faulty_clips,
    network_scores,
    normal_clips,
    stored_memory,
    write_clips,
    write_model,
)


@pytest.mark.parametrize(("count", "n"), [(0, 1), (1, 1), (0, 20), (3, 20), (20, 20), (1, 1000), (48, 960)])
@pytest.mark.parametrize("confidence", [0.5, 0.95])
def test_intervals_are_wilsons(count: int, n: int, confidence: float) -> None:
    reference = binomtest(count, n).proportion_ci(confidence, "wilson")
    assert wilson_interval(count, n, confidence) == pytest.approx((reference.low, reference.high), abs=1e-12)


def test_false_alarms_and_detections_are_counted_of_what_was_decided() -> None:
    clips = [
        *(LabelledScore("fan/id_00", f"n{i}", i, False, i == 0) for i in range(4)),
        *(LabelledScore("fan/id_00", f"a{i}", i, True, i > 0) for i in range(3)),
        LabelledScore("fan/id_00", "undecided", 9.0, True),
        LabelledScore("fan/id_02", "a", 1.0, True, True),
        LabelledScore("pump/id_00", "b", 1.0, True),
    ]
    found = evaluate(clips, n_resamples=0).decisions
    assert found is not None
    assert [each.machine for each in found.machines] == ["fan/id_00", "fan/id_02"]
    fan, other = found.machines
    assert (fan.n_normal, fan.n_false_alarms, fan.n_anomalous, fan.n_detected) == (4, 1, 3, 2)
    assert fan.false_alarm_rate is not None
    assert fan.false_alarm_rate.value == 0.25
    assert (fan.false_alarm_rate.low, fan.false_alarm_rate.high) == wilson_interval(1, 4, 0.95)
    assert other.false_alarm_rate is None
    assert other.detection_rate is not None
    assert (found.total.n_normal, found.total.n_detected) == (4, 3)
    assert evaluate(clips[-1:], n_resamples=0).decisions is None


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose two machines decide by unlike rules, and recordings of both."""
    root = tmp_path_factory.mktemp("rules")
    plain = write_model(root / "plain.onnx")
    of_fan = network_scores(plain, "fan/id_00", normal_clips(3, 24))
    write_model(
        root / "model.onnx",
        [stored_memory("fan/id_00", normal_clips(1, 24)), stored_memory("press/id_09", normal_clips(2, 24))],
        [
            calibration("fan/id_00", "network", of_fan),
            calibration("fan/id_00", "both", np.linspace(-2, 2, 24), of_fan),
        ],
        {"fan/id_00": "network", "press/id_09": "memory"},
    )
    for machine, of in (("fan", "id_00"), ("press", "id_09")):
        write_clips(root / "sound" / machine / "test", f"normal_{of}_", normal_clips(4, 3))
        write_clips(root / "sound" / machine / "test", f"anomaly_{of}_", faulty_clips(5, 2))
    return root


def test_all_rules_stand_side_by_side(home: Path, tmp_path: Path) -> None:
    evaluate_all = ("evaluate", home / "model.onnx", home / "sound", "--bootstrap", "20")
    own, side_by_side, shown, plain = osscl_each(
        [
            (*evaluate_all, "--json"),
            (*evaluate_all, "--rule", "all", "--json", "-o", tmp_path / "report.csv"),
            (*evaluate_all, "--rule", "all"),
            ("evaluate", home / "plain.onnx", home / "sound" / "fan", "--rule", "all", "--json"),
        ]
    )
    assert [own.returncode, side_by_side.returncode, shown.returncode] == [0, 0, 0], side_by_side.stderr
    document = json.loads(side_by_side.stdout)
    assert document["evaluation"] == json.loads(own.stdout)["evaluation"]
    assert 0 <= document["evaluation"]["total"]["mean_auc"]["value"] <= 1
    assert document["evaluation"]["total"]["worst_auc"]["value"] <= 1
    by_rule = document["by_rule"]
    assert {rule: [m["machine"] for m in of["machines"]] for rule, of in by_rule.items()} == {
        "network": ["fan/id_00"],
        "memory": ["fan/id_00", "press/id_09"],
        "both": ["fan/id_00"],
    }
    fan, press = document["evaluation"]["machines"]
    assert fan == by_rule["network"]["machines"][0]
    assert press == by_rule["memory"]["machines"][1]
    memory = by_rule["memory"]
    assert memory["total"]["mean_auc"]["value"] == 1
    assert memory["decisions"]["total"]["n_detected"] == 4
    assert memory["decisions"]["machines"][0]["detection_rate"]["value"] == 1
    lines = list(csv.DictReader((tmp_path / "report.csv").read_text().splitlines()))
    detection = {(row["rule"], row["name"]): row["detection_rate"] for row in lines if row["level"] != "type"}
    assert detection["memory", "fan/id_00"] == detection["memory", "total"] == "1.0"
    assert {rule for rule, _ in detection} == {"", "network", "memory", "both"}
    for text in ("Each rule, %", "Decisions, rates in %, rule memory", "no score", "worst ID", "Wilson"):
        assert text in shown.stdout
    assert list(json.loads(plain.stdout)["by_rule"]) == ["network"]
    assert "by rule network: no decision for fan/id_00: it is not calibrated" in plain.stderr


def test_a_table_of_decisions_gives_the_same_rates(home: Path, tmp_path: Path) -> None:
    table = tmp_path / "s.csv"
    model, decided = ("model.onnx", home / "sound"), ("--rule", "memory", "--false-alarm-rate", "0.2")
    scored, by_table, by_model, wrong = osscl_each(
        [
            ("score", home / model[0], model[1], *decided, "-o", table),
            ("evaluate", table, "--json", "--bootstrap", "0"),
            ("evaluate", home / model[0], model[1], *decided, "--json", "--bootstrap", "0"),
            ("evaluate", table, *decided),
        ]
    )
    assert (scored.returncode, by_table.returncode, by_model.returncode) == (0, 0, 0)
    assert json.loads(by_table.stdout)["evaluation"] == json.loads(by_model.stdout)["evaluation"]
    assert json.loads(by_table.stdout)["evaluation"]["decisions"]["total"]["n_normal"] == 6
    assert wrong.returncode == 2
    assert "--rule, --domain and the like go with MODEL and DATA" in wrong.stderr


def test_a_rule_that_there_is_not_is_refused(home: Path) -> None:
    done = osscl("evaluate", home / "model.onnx", home / "sound", "--rule", "loudness")
    assert done.returncode == 2
    assert done.stderr == "error: --rule is 'loudness'; expected one of: network, memory, both, embedding\n"
