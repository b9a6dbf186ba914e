"""What is made of a table of windows: figures, drift, a page, explanations, labels; and of long normals."""

import csv
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

import osscl
from osscl.model_file.bundle import read_bundle
from support.console import osscl as run
from support.remembering import faulty_clips, normal_clips, stored_memory, write_model

FAN = "fan/id_00"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, and two labelled recordings of 50 s, of which one has a fault from 20 to 40 s; scored."""
    root = tmp_path_factory.mktemp("tables")
    write_model(root / "model.onnx", [stored_memory(FAN, normal_clips(1, 40))], rules={FAN: "memory"})
    test = root / "fan" / "test"
    test.mkdir(parents=True)
    faulty = np.concatenate([*normal_clips(2, 2), *faulty_clips(3, 2), *normal_clips(4, 1)])
    soundfile.write(test / "anomaly_id_00_20261103_142000.wav", faulty, 16_000)
    soundfile.write(test / "normal_id_00_20261103_143000.wav", np.concatenate(normal_clips(5, 5)), 16_000)
    done = run(
        *("score", root / "model.onnx", root / "fan", "--hop", 5, "--explain", "-o", root / "windows.csv"),
        *("--audacity", root / "audacity", "--raven", root / "raven"),
    )
    assert done.returncode == 0, done.stderr
    return root


def rows(home: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((home / "windows.csv").read_text(encoding="utf-8").splitlines()))


def test_a_flagged_window_is_explained_by_its_own_sound(home: Path) -> None:
    flagged = [row for row in rows(home) if row["is_anomaly"] == "true" and "anomaly_" in row["path"]]
    assert {row["start_s"] for row in flagged} >= {"20.0", "25.0", "30.0"}
    said = {row["start_s"]: row["explanation"] for row in flagged}
    assert "Hz" in said["25.0"]
    path = home / "fan" / "test" / "anomaly_id_00_20261103_142000.wav"
    done = run("explain", home / "model.onnx", path, "--start", 25, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    [row] = [row for row in flagged if row["start_s"] == "25.0"]
    assert (told["explanation"], told["start_s"]) == (row["explanation"], 25.0)
    assert told["score"] == float(row["score"])
    beginning = run("explain", home / "model.onnx", path)
    assert "its first 10 s are explained; --start SECONDS explains any others" in beginning.stderr
    beyond = run("explain", home / "model.onnx", path, "--start", 45)
    assert beyond.returncode == 1
    assert "it lasts 50 s: no window of 10 s begins at 45 s" in beyond.stderr


def test_recordings_are_evaluated_one_by_one(home: Path, tmp_path: Path) -> None:
    done = run("evaluate", home / "windows.csv", "--json", "--bootstrap", 0)
    assert done.returncode == 0, done.stderr
    [machine] = json.loads(done.stdout)["evaluation"]["machines"]
    assert (machine["n_normal"], machine["n_anomalous"], machine["auc"]["value"]) == (1, 1, 1.0)
    mean = run("evaluate", home / "windows.csv", "--scope", "file_mean", "--json", "--bootstrap", 0)
    assert json.loads(mean.stdout)["evaluation"]["machines"][0]["n_normal"] == 1
    refused = run("evaluate", home / "windows.csv", "--scope", "window")
    assert "--scope is 'window'; expected one of: file_max, file_mean, file_q95" in refused.stderr
    without_table = run("evaluate", home / "model.onnx", home / "fan", "--scope", "file_max")
    assert "--scope goes with a TABLE" in without_table.stderr


def test_windows_are_watched_in_their_own_time(home: Path) -> None:
    done = run("monitor", home / "windows.csv", "--model", home / "model.onnx", "--json", "--alarm", "2/3")
    assert done.returncode in (0, 4), done.stderr
    [machine] = json.loads(done.stdout)["machines"]
    assert machine["n_clips"] == 18
    times = [row["recorded_at"] for row in rows(home) if row["scope"] == "window"]
    assert times[:3] == ["2026-11-03T14:20:00", "2026-11-03T14:20:05", "2026-11-03T14:20:10"]


def test_a_recording_without_a_time_does_not_take_it_from_the_others(home: Path, tmp_path: Path) -> None:
    (tmp_path / "fan").mkdir()
    soundfile.write(tmp_path / "fan" / "id_00.wav", np.concatenate(normal_clips(9, 2)), 16_000)
    table = tmp_path / "mixed.csv"
    run("score", home / "model.onnx", tmp_path / "fan", home / "fan", "--hop", 5, "-o", table)
    done = run("monitor", table, "--model", home / "model.onnx", "--json", "--alarm", "2/3")
    assert done.returncode in (0, 4), done.stderr
    [machine] = json.loads(done.stdout)["machines"]
    assert machine["n_clips"] == 18
    assert machine["alarms"][0]["raised"].startswith("2026-11-03T14:20:")
    assert "3 of 21 windows are left out: 1 recording has no time" in done.stderr


def test_a_page_shows_the_window_and_not_the_beginning(home: Path, tmp_path: Path) -> None:
    pytest.importorskip("jinja2")
    done = run("report", home / "windows.csv", "-o", tmp_path / "page.html", "--worst", 1)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    [worst] = sorted(rows(home), key=lambda row: -float(row["score"]) if row["scope"] == "window" else 0)[:1]
    start = float(worst["start_s"])
    assert f"anomaly_id_00_20261103_142000.wav from {start:g} s" in page
    assert f"#t={start:g},{start + 10:g}" in page
    assert "2 files in 18 windows -> " in done.stderr


def test_a_page_does_not_call_windows_that_come_together_chance(home: Path, tmp_path: Path) -> None:
    pytest.importorskip("jinja2")
    done = run(
        *("report", home / "windows.csv", "--model", home / "model.onnx", "-o", tmp_path / "page.html"),
    )
    assert done.returncode == 0, done.stderr
    assert "of 18 clips are flagged; whether chance explains that cannot be told of windows" in done.stderr
    assert "no more than chance explains" not in done.stderr


def test_flagged_windows_become_labels_that_do_not_overlap(home: Path, tmp_path: Path) -> None:
    [track] = [path for path in (home / "audacity").iterdir() if path.name.startswith("anomaly")]
    assert track.name == "anomaly_id_00_20261103_142000.wav.txt"
    labels = [line.split("\t") for line in track.read_text(encoding="utf-8").splitlines()]
    flagged = [
        float(row["start_s"])
        for row in rows(home)
        if row["is_anomaly"] == "true" and "anomaly_" in row["path"]
    ]
    covered = {start + offset for start in flagged for offset in (0.0, 5.0)}
    told = {begin for label in labels for begin in np.arange(float(label[0]), float(label[1]), 5.0)}
    assert told == covered
    assert all(float(a[1]) < float(b[0]) for a, b in pairwise(labels))
    assert all(label[2].startswith("fan/id_00 score ") for label in labels)
    table = (home / "raven" / "anomaly_id_00_20261103_142000.wav.Table.1.selections.txt").read_text("utf-8")
    header, *lines = [line.split("\t") for line in table.splitlines()]
    assert header[3:5] == ["Begin Time (s)", "End Time (s)"]
    assert [line[3:5] for line in lines] == [label[:2] for label in labels]
    again = run(
        *("score", home / "model.onnx", home / "fan", "--hop", 5, "-o", tmp_path / "x.csv"),
        *("--audacity", home / "audacity"),
    )
    assert again.returncode == 1
    assert "holds something already; name another folder, or use --overwrite" in again.stderr
    nowhere = run("score", home / "model.onnx", home / "fan", "--hop", 5, "--raven", tmp_path / "raven")
    assert "--audacity and --raven need --output, on this machine, and --hop" in nowhere.stderr


def test_labels_of_a_run_that_goes_on_are_left_or_written_and_never_replaced(
    home: Path, tmp_path: Path
) -> None:
    labels = tmp_path / "labels"
    command = (
        *("score", home / "model.onnx", home / "fan", "--hop", 5, "-o", tmp_path / "x.csv"),
        *("--audacity", labels),
    )
    assert run(*command).returncode == 0
    [track] = [path for path in labels.iterdir() if path.name.startswith("anomaly")]
    content = track.read_bytes()
    track.unlink()
    again = run(*command)
    assert again.returncode == 0, again.stderr
    assert "nothing to do" in again.stderr
    assert track.read_bytes() == content
    track.write_bytes(b"0.0\t1.0\tlooked at\n")
    edited = run(*command)
    assert edited.returncode == 1
    assert f"{track} holds other labels than the table, and is left so" in edited.stderr
    assert track.read_bytes() == b"0.0\t1.0\tlooked at\n"


def test_windows_of_a_normal_recording_are_one_recording_of_the_memory(tmp_path: Path) -> None:
    folder = tmp_path / "press" / "id_09"
    folder.mkdir(parents=True)
    for number in range(4):
        soundfile.write(folder / f"{number}.flac", np.concatenate(normal_clips(number, 3)), 16_000)
    done = run("enroll", tmp_path / "press", "--hop", 10, "-o", tmp_path / "made.onnx")
    assert done.returncode == 0, done.stderr
    decisions = read_bundle(tmp_path / "made.onnx").manifest.decisions
    assert decisions is not None
    [memory] = decisions.memories
    recordings = [clip.recording for clip in memory.clips]
    assert len(recordings) == 12
    assert len(set(recordings)) == 4
    assert recordings[0] == memory.clips[0].sha256
    with osscl.load(tmp_path / "made.onnx", "cpu") as detector:
        assert detector.judges.of(memory.machine).rate == pytest.approx(
            1 / 5
        )  # of four recordings, not of 12


def test_a_damaged_normal_recording_is_not_enrolled_in_part(tmp_path: Path) -> None:
    folder = tmp_path / "press" / "id_09"
    folder.mkdir(parents=True)
    for number in range(4):
        soundfile.write(folder / f"{number}.wav", np.concatenate(normal_clips(number, 2)), 16_000)
    (folder / "0.wav").write_bytes((folder / "0.wav").read_bytes()[:-100])
    done = run("enroll", tmp_path / "press", "--hop", 10, "-o", tmp_path / "made.onnx", "--json")
    assert done.returncode == 3, done.stderr
    assert "the file is cut short" in done.stderr
    [machine] = json.loads(done.stdout)["enrolment"]["machines"]
    assert (machine["n_clips"], machine["n_recordings"]) == (6, 3)
