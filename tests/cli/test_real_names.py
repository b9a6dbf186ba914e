"""Recordings that are called as recorders and people call them: patterns and tables name their machines."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from support.console import osscl_each, started_osscl
from support.waiting import wait_until
from support.watching import ended, rows_of

PATTERN = ("--machine-pattern", "{machine}_{time}.wav")
RATE_HZ = 16_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four normal recordings of each of two presses, called by press and time."""
    noise = np.random.default_rng(0).normal(0, 0.1, (8, 10 * RATE_HZ)).cumsum(axis=1)
    noise -= noise.mean(axis=1, keepdims=True)
    (tmp_path / "in").mkdir()
    for number, clip in enumerate(0.3 * noise / np.abs(noise).max(axis=1, keepdims=True)):
        name = f"Press_{number % 2}_2026-01-05T04-0{number}.wav"
        soundfile.write(tmp_path / "in" / name, clip, RATE_HZ)
    return tmp_path


def lines(table: Path) -> dict[str, dict[str, str]]:
    with table.open(newline="") as file:
        return {Path(row["path"]).name: row for row in csv.DictReader(file)}


def test_a_pattern_names_machines_from_enrolment_to_the_table(folder: Path) -> None:
    shutil.copy(folder / "in" / "Press_0_2026-01-05T04-00.wav", folder / "in" / "copy of Press_0.wav")
    score = ("score", "m.onnx", "in/")
    enrolled, scored, again, other, both, named = osscl_each(
        [
            ("enroll", "in", *PATTERN, "-o", "m.onnx", "--json"),
            (*score, *PATTERN, "-o", "s.csv"),
            (*score, *PATTERN, "-o", "s.csv"),
            (*score, "--machine-pattern", r"(?P<machine>Press_\d).*", "-o", "s.csv"),
            (*score, *PATTERN, "--machine", "Press_0"),
            ("enroll", "in", *PATTERN, "-o", "n.onnx"),
        ],
        folder,
    )
    assert (enrolled.returncode, scored.returncode) == (3, 3), (enrolled, scored)
    assert named.stderr.splitlines()[-1] == (
        "next: osscl score n.onnx NEW_RECORDINGS --machine-pattern '{machine}_{time}.wav' --output scores.csv"
    )
    made = json.loads(enrolled.stdout)["enrolment"]
    assert [(each["machine"], each["n_clips"]) for each in made["machines"]] == [
        ("Press_0", 4),
        ("Press_1", 4),
    ]
    rows = lines(folder / "s.csv")
    refused = rows.pop("copy of Press_0.wav")
    reason = (
        "its path below the folder that was named does not fit the pattern {machine}_{time}.wav: its name: "
    )
    assert refused["status"] == "unknown_machine"
    assert refused["reason"].startswith(reason)
    assert made["unusable"][0]["reason"] == refused["reason"]
    assert {name: row["machine"] for name, row in rows.items()} == {name: name[:7] for name in rows}
    assert {row["status"] for row in rows.values()} == {"ok"}
    assert rows["Press_1_2026-01-05T04-03.wav"]["recorded_at"] == "2026-01-05T04:03"
    record = json.loads((folder / "s.csv.run.json").read_text())
    assert record["options"]["machine_pattern"] == PATTERN[1]
    assert "nothing to do" in again.stderr
    assert other.returncode == 1
    assert (
        r"--machine-pattern was {machine}_{time}.wav and is (?P<machine>Press_\d).*; ask for the same"
        in other.stderr
    )
    assert (both.returncode, both.stderr) == (
        2,
        "error: --machine and --machine-pattern exclude each other; give one of them\n",
    )


def test_a_watch_names_machines_by_a_pattern(folder: Path) -> None:
    shutil.move(folder / "in", folder / "normal")
    [enrolled] = osscl_each([("enroll", "normal", *PATTERN, "-o", "m.onnx")], folder)
    assert enrolled.returncode == 0, enrolled.stderr
    (folder / "in" / "day").mkdir(parents=True)
    shutil.copy(folder / "normal" / "Press_0_2026-01-05T04-00.wav", folder / "in")
    shutil.copy(folder / "normal" / "Press_1_2026-01-05T04-01.wav", folder / "in" / "day")
    events = folder / "events.jsonl"
    with started_osscl(
        *("watch", folder / "m.onnx", f"{folder}/in/", "-o", folder / "w.csv", *PATTERN),
        *("--event", events, "--events", "all", "--settle", "0.1"),
    ) as process:
        wait_until(lambda: events.exists() and len(events.read_text().splitlines()) == 2, process)
        code, said = ended(process)
    assert code == 0, said
    rows = {Path(row["path"]).name: row for row in rows_of(folder / "w.csv")}
    assert rows["Press_0_2026-01-05T04-00.wav"]["machine"] == "Press_0"
    assert rows["Press_1_2026-01-05T04-01.wav"]["status"] == "unknown_machine"  # below a folder more


def test_a_table_of_globs_says_which_rows_it_met_no_recording_for(folder: Path) -> None:
    """Recordings that are done already count too."""
    (folder / "labels.csv").write_text(
        "path,machine\nin/**/Press_0_*.wav,press/id_00\nin/Press_1_*.wav,press/id_01\n"
        "in/Press_1_2026-01-05T04-05.wav,press/id_00\nin/Press_9_*.wav,press/id_00\ngone.wav,press/id_01\n"
    )
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "names.csv").write_text(
        "file,machine\nPress_0_*.wav,press/id_00\nPress_?_*-05T04-0[0-5].wav,press/id_01\n"
        "Press_0_2026-01-05T04-00.wav,press/id_00\n"
    )
    table, names = ("--labels", "labels.csv"), ("--labels", "elsewhere/names.csv")
    by_type, enrolled, scored, again, to_stdout, by_name, inside = osscl_each(
        [
            ("enroll", "in", "--machine-pattern", r"(?P<type>Press)_(?P<id>\d).*", "-o", "o.onnx", "--json"),
            ("enroll", "in", *table, "-o", "m.onnx", "--json"),
            ("score", "m.onnx", "in", *table, "-o", "s.csv"),
            ("score", "m.onnx", "in", *table, "-o", "s.csv"),
            ("score", "m.onnx", "in", *table, "--json"),
            ("score", "m.onnx", "in", *names, "--json"),
            ("score", "m.onnx", "in", "--labels", "in/Press.csv", "--json"),
        ],
        folder,
    )
    assert [each["machine"] for each in json.loads(by_type.stdout)["enrolment"]["machines"]] == [
        "Press/0",
        "Press/1",
    ]
    said = "no recording was met for 2 of 5 rows of labels.csv: gone.wav, in/Press_9_*.wav"
    made = json.loads(enrolled.stdout)["enrolment"]
    assert [(each["machine"], each["n_clips"]) for each in made["machines"]] == [
        ("press/id_00", 5),
        ("press/id_01", 3),
    ]
    assert f"warning: {said}" in enrolled.stderr.splitlines()
    for done in (scored, again, to_stdout):
        assert done.returncode == 0, done.stderr
        assert said in done.stderr.splitlines()
    assert "nothing to do" in again.stderr
    rows = lines(folder / "s.csv")
    assert {name: row["machine"] for name, row in rows.items()} == {
        name: "press/id_00" if name.startswith("Press_0") or "04-05" in name else "press/id_01"
        for name in rows
    }
    found = {Path(row["path"]).name: row for row in map(json.loads, by_name.stdout.splitlines())}
    refused = {name: row["reason"] for name, row in found.items() if row["status"] != "ok"}
    assert sorted(name[-6:-4] for name in refused) == ["02", "04", "07"]
    assert refused["Press_0_2026-01-05T04-02.wav"] == (
        "it fits two rows of the table of labels, Press_0_*.wav and Press_?_*-05T04-0[0-5].wav, and was "
        "given the machine press/id_00 above and press/id_01 here; add a row for it alone"
    )
    assert refused["Press_1_2026-01-05T04-07.wav"].startswith(
        "the table of labels has no row for it; add one"
    )
    assert "no recording was met" not in by_name.stderr
    assert inside.stderr.splitlines()[-1] == "error: there is no table in/Press.csv"
