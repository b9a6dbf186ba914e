"""``osscl monitor`` as its users run it."""

import json
import re
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from msgspec.structs import replace

from support.console import osscl_each
from support.remembering import write_model
from support.score_streams import MACHINE, normal_scores, records, write_calibrated, write_table

RUNS = {
    "steady": "steady.csv --alarm 5/5",
    "changed": "changed.csv",
    "failing": "changed.parquet --fail-on-alarm",
    "undecided": "undecided.csv",
    "printed": "changed.csv --json",
    "written": "changed.csv -o report.json",
    "written again": "changed.csv -o report.json",
    "back": "back.jsonl --json",
    "asked": "changed.csv --false-alarms 1/week",
    "every": "changed.csv --false-alarms 0.1/year --every 1s",
    "every in seconds": "changed.csv --false-alarms 0.1/year --every 1",
    "no times": "undecided.csv --false-alarms 1/week",
    "some": "some.csv",
    "none": "changed.csv --model plain.onnx --json",
    "of another model": "other.csv",
}
WRONG = {
    "--alarm 5/3": (2, "--alarm is '5/3'; expected N from 1 to M"),
    "--alarm often": (2, "--alarm is 'often'; expected N/M, such as 3/5"),
    "--false-alarms rarely": (2, "--false-alarms is 'rarely'"),
    "--every now": (2, "--every is 'now'; expected a number and s, min, h or d"),
    "--hold -1": (2, "--hold is -1"),
    "--distance 0": (2, "--distance is 0"),
    "--drift-rate 2": (2, "--drift-rate is 2.0; it must lie between 0 and 1"),
    "--alarm 2/3 --false-alarms 1/day": (2, "choose one"),
}
Done = dict[str, "CompletedProcess[str]"]


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
    write_table(root / "other.csv", records(np.ones(5)))
    (root / "other.csv.run.json").write_text(json.dumps({"scored_by": {MACHINE: "0" * 16}}))
    return root


@pytest.fixture(scope="module")
def done(home: Path) -> Done:
    """All runs of these tests, by one process."""
    asked = {**RUNS, **{options: f"changed.csv {options}" for options in WRONG}}
    calls = [
        ["monitor", *(f"{each}" if "--model" in each else f"{each} --model model.onnx").split()]
        for each in asked.values()
    ]
    return dict(zip(asked, osscl_each(calls, cwd=home), strict=True))


def test_what_became_of_machines_is_printed(done: Done) -> None:
    steady, changed, failing, undecided = (
        done[name] for name in ("steady", "changed", "failing", "undecided")
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


def test_the_same_stands_in_json(done: Done, home: Path) -> None:
    found = json.loads(done["printed"].stdout)
    assert done["written"].returncode == 0
    assert json.loads((home / "report.json").read_text()) == found
    assert (done["written again"].returncode, done["written again"].stderr.count("\n")) == (1, 1)
    assert "report.json exists" in done["written again"].stderr
    assert found["format"] == "osscl.monitor/1"
    [machine] = found["machines"]
    assert (machine["n_clips"], machine["first"], machine["distance"]) == (300, "2026-11-03T00:00:00", 1)
    assert len(machine["used"]) == len(machine["log10_martingale"]) == 300
    assert machine["drift"]["sentence"].startswith("clips of fan/id_00 are no longer")
    assert (machine["alarm_rule"]["n"], machine["alarm_rule"]["m"]) == (3, 5)
    assert machine["alarms"][0]["raised_at"] >= 200
    assert "times go back at 299 places" in done["back"].stderr
    assert json.loads(done["back"].stdout)["machines"][0]["drift"] == machine["drift"]


def test_false_alarms_that_are_asked_for_are_explained(done: Done) -> None:
    assert (
        "fan/id_00: 1/week at a clip every 10 s is one alarm in 60,480 clips; 200 normal recordings can "
        "speak of 0.498 % of single clips or more, and at the table's 4.98 % an alarm from 6 of the last 9 "
        "is raised 0.12/week without a fault; however clips depend on one another, it stands at 7.5 % of "
        "them at most"
    ) in done["asked"].stdout
    assert "one alarm in 315,569,520 clips" in done["every"].stdout
    assert done["every in seconds"].stdout == done["every"].stdout
    assert "no alarms" in done["no times"].stderr


def test_machines_that_cannot_be_watched_are_named(done: Done) -> None:
    assert (done["some"].returncode, done["none"].returncode) == (3, 3)
    assert "not watched: valve/id_09: the model file does not know it" in done["some"].stderr
    assert "not watched: fan/id_00: it is not calibrated" in done["none"].stderr
    assert json.loads(done["none"].stdout)["machines"][0]["note"].startswith("it is not calibrated")


@pytest.mark.parametrize("options", WRONG)
def test_what_cannot_be_asked_for_is_one_sentence(options: str, done: Done) -> None:
    code, said = WRONG[options]
    assert (done[options].returncode, done[options].stdout) == (code, ""), done[options].stderr
    assert said in done[options].stderr
    assert len(done[options].stderr.splitlines()) == 1


def test_scores_of_another_model_are_refused(done: Done) -> None:
    assert done["of another model"].returncode == 1
    assert done["of another model"].stderr == (
        "error: fan/id_00: it was scored by another network or memory than the model file holds now: score "
        "the recordings again\n"
    )
