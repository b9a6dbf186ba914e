"""``osscl monitor`` as its users run it."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from support.console import osscl_each
from support.remembering import write_model
from support.score_streams import MACHINE, normal_scores, records, write_calibrated, write_table


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A calibrated model, tables of a machine that stays as it is and of one that does not."""
    root = tmp_path_factory.mktemp("monitor")
    write_calibrated(root / "model.onnx")
    write_model(root / "plain.onnx")
    write_table(root / "steady.csv", records(normal_scores(2, 200)))
    scores = normal_scores(1, 300)
    scores[200:] += 2
    changed = records(scores)
    write_table(root / "changed.csv", changed)
    write_table(root / "changed.parquet", changed)
    write_table(root / "back.jsonl", changed[::-1])
    write_table(root / "some.csv", [*changed, replace(changed[0], machine="valve/id_09")])
    write_table(root / "undecided.csv", records(scores, every_s=None, rate=None))
    return root


def test_what_became_of_machines_is_printed(home: Path) -> None:
    steady, changed, failing, undecided = osscl_each(
        [
            ("monitor", "steady.csv", "--model", "model.onnx", "--alarm", "5/5"),
            ("monitor", "changed.csv", "--model", "model.onnx"),
            ("monitor", "changed.parquet", "--model", "model.onnx", "--fail-on-alarm"),
            ("monitor", "undecided.csv", "--model", "model.onnx"),
        ],
        cwd=home,
    )
    assert (steady.returncode, changed.returncode, failing.returncode) == (0, 0, 4), changed.stderr
    assert "no longer like" not in steady.stdout
    [line] = [line for line in steady.stdout.splitlines() if line.startswith(MACHINE)]
    assert re.split(r"\s{2,}|\s(?=\d)", line)[1:4] == ["200", "200", "1"]
    assert " no " in line
    assert (
        "clips of fan/id_00 are no longer like its calibration, since about 2026-11-03 00:3" in changed.stdout
    )
    assert "alarm of fan/id_00: 2026-11-03T00:" in changed.stdout
    assert "steady.csv has no record of its run beside it" in steady.stderr
    assert undecided.returncode == 0
    assert "osscl decide makes them" in undecided.stderr
    assert "since about clip 20" in undecided.stdout


def test_the_same_stands_in_json(home: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    printed, written, again, back = osscl_each(
        [
            ("monitor", "changed.csv", "--model", "model.onnx", "--json"),
            ("monitor", "changed.csv", "--model", "model.onnx", "-o", report),
            ("monitor", "changed.csv", "--model", "model.onnx", "-o", report),
            ("monitor", "back.jsonl", "--model", "model.onnx", "--json"),
        ],
        cwd=home,
    )
    found = json.loads(printed.stdout)
    assert (written.returncode, json.loads(report.read_text())) == (0, found)
    assert (again.returncode, again.stderr.count("\n")) == (1, 1)
    assert "report.json exists" in again.stderr
    assert found["format"] == "osscl.monitor/1"
    [machine] = found["machines"]
    assert (machine["n_clips"], machine["first"], machine["distance"]) == (300, "2026-11-03T00:00:00", 1)
    assert len(machine["used"]) == len(machine["log10_martingale"]) == 300
    assert machine["drift"]["sentence"].startswith("clips of fan/id_00 are no longer")
    assert (machine["alarm_rule"]["n"], machine["alarm_rule"]["m"]) == (3, 5)
    assert machine["alarms"][0]["raised_at"] >= 200
    assert "times go back at 299 places" in back.stderr
    assert json.loads(back.stdout)["machines"][0]["drift"] == machine["drift"]


def test_false_alarms_that_are_asked_for_are_explained(home: Path) -> None:
    asked, never, every = osscl_each(
        [
            ("monitor", "changed.csv", "--model", "model.onnx", "--false-alarms", "1/week"),
            (
                "monitor",
                "changed.csv",
                "--model",
                "model.onnx",
                "--false-alarms",
                "0.1/year",
                "--every",
                "1s",
            ),
            ("monitor", "undecided.csv", "--model", "model.onnx", "--false-alarms", "1/week"),
        ],
        cwd=home,
    )
    assert (
        "fan/id_00: 1/week at a clip every 10 s is one alarm in 60,480 clips; 200 normal recordings can speak of "
        "0.498 % of single clips or more, and at the table's 4.98 % an alarm from 6 of the last 9 is raised "
        "0.12/week without a fault; however clips depend on one another, it stands at 7.5 % of them at most"
    ) in asked.stdout
    assert "one alarm in 315,569,520 clips" in never.stdout
    assert "no alarms" in every.stderr


def test_machines_that_cannot_be_watched_are_named(home: Path) -> None:
    some, none = osscl_each(
        [
            ("monitor", "some.csv", "--model", "model.onnx"),
            ("monitor", "changed.csv", "--model", "plain.onnx", "--json"),
        ],
        cwd=home,
    )
    assert (some.returncode, none.returncode) == (3, 3)
    assert "not watched: valve/id_09: the model file does not know it" in some.stderr
    assert "not watched: fan/id_00: it is not calibrated" in none.stderr
    assert json.loads(none.stdout)["machines"][0]["note"].startswith("it is not calibrated")


def test_what_cannot_be_asked_for_is_one_sentence(home: Path) -> None:
    wrong = {
        ("--alarm", "5/3"): (1, "an alarm from 5 of 3 clips cannot be"),
        ("--alarm", "often"): (2, "--alarm is 'often'; expected N/M, such as 3/5"),
        ("--false-alarms", "rarely"): (1, "false alarms are 'rarely'"),
        ("--every", "now"): (1, "a time is 'now'; expected a number and s, min, h or d"),
        ("--hold", "-1"): (1, "hold is -1"),
        ("--distance", "0"): (1, "distance is 0"),
        ("--drift-rate", "2"): (1, "must lie between 0 and 1"),
        ("--alarm", "2/3", "--false-alarms", "1/day"): (2, "choose one"),
    }
    done = osscl_each(
        [("monitor", "changed.csv", "--model", "model.onnx", *options) for options in wrong], cwd=home
    )
    for options, ended, (code, said) in zip(wrong, done, wrong.values(), strict=True):
        assert (ended.returncode, ended.stdout) == (code, ""), (options, ended.stderr)
        assert said in ended.stderr
        assert len(ended.stderr.splitlines()) == 1


def test_scores_of_another_model_are_refused(home: Path, tmp_path: Path) -> None:
    table = write_table(tmp_path / "s.csv", records(np.ones(5)))
    (tmp_path / "s.csv.run.json").write_text(json.dumps({"scored_by": {MACHINE: "0" * 16}}))
    [ended] = osscl_each([("monitor", table, "--model", home / "model.onnx")])
    assert ended.returncode == 1
    assert ended.stderr == (
        "error: fan/id_00: it was scored by another network or memory than the model file holds now: score the "
        "recordings again\n"
    )
