"""Recordings with several problems, and many of them: all is told at once, and what looks them over."""

import json
from pathlib import Path

import numpy as np
import soundfile

from osscl.cli.advice import MANY
from support.console import osscl_each


def test_all_problems_of_a_recording_are_told_at_once(tmp_path: Path) -> None:
    """Its status is that of the file, and no machine is said where none is known."""
    noise = np.random.default_rng(0).normal(0, 0.1, (4800, 2))
    for number in range(MANY):
        soundfile.write(tmp_path / f"{number}.wav", noise, 48_000)
    unknown, known, alone = osscl_each(
        [
            ("score", "demo", ".", "--json"),
            ("score", "demo", ".", "--json", "--machine", "blower/id_00"),
            ("score", "demo", "0.wav", "--json"),
        ],
        tmp_path,
        packages=["onnxruntime"],
    )
    row, named = (json.loads(each.stdout.splitlines()[0]) for each in (unknown, known))
    assert (row["status"], row["machine"]) == ("unfit", None)
    assert (named["status"], named["machine"]) == ("unfit", "blower/id_00")
    of_sound = ("--resample", "--channel", "--pad")
    assert [option for option in (*of_sound, "--machine") if option not in row["reason"]] == []
    assert [option for option in of_sound if option not in named["reason"]] == []
    assert "--machine" not in named["reason"]
    assert unknown.stderr.splitlines()[-1] == (
        f"{MANY} recordings do not fit or are of no known machine: osscl doctor --recordings . sums up what "
        "they are and which options mend it"
    )
    of_all, of_one = unknown.stderr.splitlines()[-2], alone.stderr.splitlines()[-1]
    assert of_all.startswith("unfit: ./0.wav: sample rate is 48000 Hz, expected 16000 Hz")
    assert of_one.startswith("unfit: 0.wav: sample rate is 48000 Hz, expected 16000 Hz")
    assert of_all.endswith(f"; and {MANY - 1} more files")
    assert not of_one.endswith("more files")
    assert "doctor" not in alone.stderr


def test_enroll_tells_them_at_once_too(tmp_path: Path) -> None:
    """In the very words of `osscl score`; of a file that no option mends that alone."""
    noise = np.random.default_rng(0).normal(0, 0.1, (160_000, 2))
    soundfile.write(tmp_path / "stereo.wav", noise[:4800], 48_000)
    soundfile.write(tmp_path / "fits.wav", noise[:, 0], 16_000)
    (tmp_path / "torn.wav").write_bytes((tmp_path / "fits.wav").read_bytes()[:1000])
    (tmp_path / "fan").mkdir()
    for number in range(3):
        sound = np.roll(noise[:, 0], number + 1)
        soundfile.write(tmp_path / "fan" / f"normal_id_00_{number}.wav", sound, 16_000)
    pattern = ("--machine-pattern", "{machine}/{name}_id_{number}.wav")
    calls = [
        ("enroll", ".", *pattern, "--output", f"{len(windows)}.onnx", "--json", *windows)
        for windows in ((), ("--hop", "10"))
    ]
    *enrolled, scored = osscl_each(
        [*calls, ("score", "demo", ".", *pattern, "--json")], tmp_path, packages=["onnxruntime"]
    )
    rows = {row["path"]: row for row in map(json.loads, scored.stdout.splitlines())}
    for done in enrolled:
        assert done.returncode == 3, done.stderr
        unusable = {each["path"]: each for each in json.loads(done.stdout)["enrolment"]["unusable"]}
        assert sorted(unusable) == ["./fits.wav", "./stereo.wav", "./torn.wav"]
        for path, each in unusable.items():
            assert (each["status"], each["reason"]) == (rows[path]["status"], rows[path]["reason"])
    assert rows["./stereo.wav"]["status"] == "unfit"
    named = ("--resample", "--channel", "--pad", "does not fit the pattern {machine}/")
    assert [each for each in named if each not in rows["./stereo.wav"]["reason"]] == []
    assert [rows[f"./{name}.wav"]["status"] for name in ("fits", "torn")] == ["unknown_machine", "corrupt"]
    assert "pattern" not in rows["./torn.wav"]["reason"]


def test_enroll_names_what_looks_a_folder_over(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 160_000 * 4)
    (tmp_path / "fan").mkdir()
    for number in range(3):
        soundfile.write(tmp_path / "fan" / f"normal_id_00_{number}.wav", noise[number:][:160_000], 16_000)
    for number in range(MANY):
        soundfile.write(tmp_path / f"{number}.wav", noise[number:][:160_000], 16_000)
    (done,) = osscl_each([("enroll", ".", "--output", "m.onnx")], tmp_path)
    assert done.returncode == 3, done.stderr
    assert done.stderr.splitlines()[-1].startswith(
        f"{MANY} recordings do not fit or are of no known machine: "
    )
