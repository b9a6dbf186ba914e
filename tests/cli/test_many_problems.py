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
