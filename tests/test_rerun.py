"""The rerun of the paper: one year from end to end on a made-up copy, the others as far as their commands."""

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from conftest import REPOSITORY

SCRIPT = REPOSITORY / "benchmarks" / "paper.py"


def paper(*arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    one_thread = os.environ | {"OMP_NUM_THREADS": "1"}  # others' threads spin where processors are busy
    return subprocess.run(command, capture_output=True, text=True, timeout=590, env=one_thread)


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module beside the script."""
    monkeypatch.syspath_prepend(str(REPOSITORY / "benchmarks"))
    return import_module("rerunning.plan")


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The other one."""
    monkeypatch.syspath_prepend(str(REPOSITORY / "benchmarks"))
    return import_module("rerunning.table")


def test_a_rehearsal_trains_evaluates_writes_the_table_and_is_not_run_twice(tmp_path: Path) -> None:
    first = paper(2020, "--output", tmp_path / "rerun", "--dry-run")
    assert first.returncode == 0, first.stderr
    table = json.loads((tmp_path / "rerun" / "table.json").read_text())
    assert list(table["rows"]) == ["fan", "ToyCar", "mean of types"]
    fan = table["rows"]["fan"]
    assert 0 <= fan["mAUC"]["mean"] <= 100
    assert fan["mAUC"] == fan["AUC"] == fan["AUC, ID mean"]  # it has one ID
    lines = (tmp_path / "rerun" / "table.md").read_text().splitlines()
    assert lines[0] == "# DCASE 2020, made-up recordings: a rehearsal, %"
    assert "| OS-SCL, TFgram (paper) | 95.71 | 90.23 | 91.23 |  |  |" in lines
    assert "| OS-SCL, log-mel only (paper) | 94.64 | 88.42 | 89.24 |  |  |" in lines
    assert "| OS-SCL, TFgram (independent rerun, one seed) | 94.95 | 89.67 | 89.22 |  |  |" in lines
    assert "| official baseline (one run) |  |  |  | 73.66 | 59.67 |" in lines
    assert first.stderr.count("\n$ osscl ") + first.stderr.startswith("$ osscl ") == 3

    again = paper(2020, "--output", tmp_path / "rerun", "--dry-run")
    assert again.returncode == 0
    assert again.stdout == first.stdout
    assert again.stderr.count("done already: ") == 3
    assert "$ osscl" not in again.stderr

    other = paper(2020, "--output", tmp_path / "rerun", "--dry-run", "--seeds", "1")
    assert other.returncode == 1
    assert "holds another rerun: seeds was [0], is [1]; choose another --output" in other.stderr


@pytest.mark.parametrize("year", range(2020, 2026))
def test_every_year_is_planned_from_training_to_the_figures_of_that_year(
    plan: Any, tmp_path: Path, year: int
) -> None:
    (tmp_path / "data" / "dev_data").mkdir(parents=True)
    settings = plan.Settings(
        year, str(tmp_path / "data"), (0, 1), "recipe.toml", ("--precision", "bf16"), "cuda"
    )
    planned = list(plan.steps(settings, tmp_path / "out"))
    assert [step.command[0] for step in planned] == ["train", "export", "evaluate"] * 2
    train, export, evaluate = (step.command for step in planned[3:])
    assert train[1] == str(tmp_path / "data")
    assert train[train.index("--seeds") :][:2] == ("--seeds", "1")
    assert train[train.index("--config") :][:2] == ("--config", "recipe.toml")
    assert train[-2:] == ("--precision", "bf16")
    assert export[1].startswith(train[train.index("--output") + 1])
    assert evaluate[1] == export[export.index("--output") + 1]
    assert evaluate[2] == str(tmp_path / "data" / "dev_data")
    assert ("--challenge", str(year)) == evaluate[evaluate.index("--challenge") :][:2]
    assert ("--pad" in train) == ("--pad" in evaluate) == (year >= 2023)
    # a training that was stopped goes on
    run = tmp_path / "out" / "seed_1" / "run"
    run.mkdir(parents=True)
    (run / "last.safetensors").touch()
    assert [step.command[-1] == "--resume" for step in plan.steps(settings, tmp_path / "out")] == [
        False,
        False,
        False,
        True,
        False,
        False,
    ]


def figure(value: float | None) -> dict[str, float] | None:
    return None if value is None else {"value": value}


def test_the_table_holds_mean_and_spread_over_seeds_of_the_years_own_figures(tables: Any) -> None:
    def domains(source: float, target: float, name: str) -> dict[str, Any]:
        return {
            "name": name,
            "source": {"auc": figure(source), "pauc": None},
            "target": {"auc": figure(target), "pauc": None},
            "pauc": figure(0.5),
            "harmonic_mean": figure(None),
        }

    reports = [
        {"domains": {**domains(source, 0.6, "total"), "types": [domains(source, 0.6, "fan")]}, "unscored": []}
        for source in (0.7, 0.9)
    ]
    settings = {"seeds": [0, 1], "config": None, "training": [], "rehearsal": False}
    table = tables.table_of(2023, reports, settings)
    assert table["rows"]["fan"]["AUC source"] == pytest.approx({"mean": 80.0, "spread": 200**0.5})
    assert table["rows"]["fan"]["AUC target"] == pytest.approx({"mean": 60.0, "spread": 0.0}, abs=1e-9)
    lines = tables.to_markdown(table).splitlines()
    assert "| machine type | AUC source | AUC target | pAUC | official |" in lines
    assert "| mean of types | 80.00 ± 14.14 | 60.00 ± 0.00 | 50.00 ± 0.00 | - |" in lines
    assert "- no published figures are kept here" in lines
    of_2021 = tables.table_of(2021, reports[:1], settings)
    assert of_2021["rows"]["fan"]["pAUC source"] == {"mean": None, "spread": None}


def test_nothing_is_begun_without_data(tmp_path: Path) -> None:
    done = paper(2023, tmp_path / "nothing", "--output", tmp_path / "rerun")
    assert done.returncode == 2
    assert "osscl data dcase2023 prints the commands that make it" in done.stderr
    assert not (tmp_path / "rerun").exists()
