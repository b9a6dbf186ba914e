"""``osscl score`` on long recordings: windows on request, and never in silence without."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from support.console import osscl
from support.remembering import faulty_clips, normal_clips, stored_memory, write_model

FAN = "fan/id_00"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, and a shift of 34 s in whose second window something is wrong, beside a short clip."""
    root = tmp_path_factory.mktemp("long")
    write_model(root / "model.onnx", [stored_memory(FAN, normal_clips(1, 40))], rules={FAN: "memory"})
    shift = np.concatenate([*normal_clips(2, 1), *faulty_clips(3, 1), *normal_clips(4, 2)])[:544_000]
    (root / "sound").mkdir()
    soundfile.write(root / "sound" / "a.flac", shift, 16_000)
    soundfile.write(root / "sound" / "b.wav", shift[:160_000], 16_000)
    return root


def lines(table: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))


def test_windows_are_rows_and_decided_one_by_one(home: Path, tmp_path: Path) -> None:
    table = tmp_path / "windows.csv"
    done = osscl("score", home / "model.onnx", home / "sound", "--machine", FAN, "--hop", 10, "-o", table)
    assert done.returncode == 0, done.stderr
    assert "2 files in 4 windows: 2 ok" in done.stderr
    assert "1 of 4 flagged at 5 %: fan/id_00 (1)" in done.stderr
    assert "1 recording ends with a part shorter than 10 s, left out (4 s)" in done.stderr
    rows = lines(table)
    assert list(rows[0])[-1] == "scope"
    assert [(row["scope"], row["start_s"], row["duration_s"], row["is_anomaly"]) for row in rows] == [
        ("window", "0.0", "10.0", "false"),
        ("window", "10.0", "10.0", "true"),
        ("window", "20.0", "10.0", "false"),
        ("file_max", "", "34.0", ""),
        ("file_mean", "", "34.0", ""),
        ("file_q95", "", "34.0", ""),
        ("window", "0.0", "10.0", "false"),
        ("file_max", "", "10.0", ""),
        ("file_mean", "", "10.0", ""),
        ("file_q95", "", "10.0", ""),
    ]
    run = json.loads(table.with_name("windows.csv.run.json").read_text())
    assert (run["n_files"], run["n_windows"], run["options"]["hop"]) == (2, 4, 10.0)
    assert run["counts"] == {"ok": 2}


def test_only_windows_with_a_score_are_counted(home: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "stereo.wav", np.full((320_000, 2), 0.1), 16_000)
    soundfile.write(tmp_path / "nan.wav", np.where(np.arange(320_000) == 9, np.nan, 0.1), 16_000, "FLOAT")
    (tmp_path / "empty.wav").write_bytes(b"")
    done = osscl("score", home / "model.onnx", home / "sound", tmp_path, "--machine", FAN, "--hop", 10)
    assert done.returncode == 3, done.stderr
    assert "5 files in 5 windows: 2 corrupt, 2 ok, 1 unfit" in done.stderr


def test_without_hop_a_run_says_what_it_did_not_hear(home: Path) -> None:
    done = osscl("score", home / "model.onnx", home / "sound", "--machine", FAN)
    assert done.returncode == 0, done.stderr
    assert (
        "1 recording is longer than 10 s: of it the first 10 s are scored, and 24 s behind them are not; "
        "--hop 10 scores all of it, a row a window"
    ) in done.stderr
    assert [row["scope"] for row in csv.DictReader(done.stdout.splitlines())] == ["", ""]


def test_windows_decided_anew_are_decided_as_they_were(home: Path, tmp_path: Path) -> None:
    table, anew = tmp_path / "windows.csv", tmp_path / "anew.csv"
    how = ("--machine", FAN, "--hop", 5, "--pad", "zero", "-o", table)
    osscl("score", home / "model.onnx", home / "sound", *how)
    done = osscl("decide", table, "--model", home / "model.onnx", "--output", anew)
    assert done.returncode == 0, done.stderr
    assert table.read_text() == anew.read_text()


@pytest.mark.parametrize("hop", ["0", "-3", "nan", "0.001"])
def test_a_hop_that_is_none_is_refused(home: Path, hop: str) -> None:
    done = osscl("score", home / "model.onnx", home / "sound", "--hop", hop)
    assert done.returncode != 0
    assert "expected seconds from one window's beginning to the next" in done.stderr
