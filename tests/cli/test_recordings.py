"""``osscl doctor --recordings`` and the options of times, on a folder of good, odd and broken files."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from support.forked_console import Call, Ended, run_all
from support.remembering import normal_clips

FOLDER = "site/pump/id_00"
NAMES = ("--machine", "blower/id_00")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("recordings")
    folder = root / FOLDER
    folder.mkdir(parents=True)
    clips = normal_clips(1, 6).astype(np.float64)

    def write(name: str, samples: object, rate_hz: int = 16_000) -> None:
        soundfile.write(folder / name, samples, rate_hz, subtype="PCM_16")

    for second, clip in enumerate(clips[:4]):
        write(f"20261103_14200{second}.wav", clip.astype(np.int16))
    write("20261103_142009.wav", np.clip(clips[4] * 30, -32768, 32767).astype(np.int16))
    write("again_20261103_141000.wav", clips[0].astype(np.int16))
    write("stereo.wav", np.stack([clips[5], clips[5]], axis=1).astype(np.int16))
    write("rate.flac", clips[5].astype(np.int16), 8_000)
    write("short\x1b[2J.wav", clips[5][:48_000].astype(np.int16))
    write("dead.wav", np.zeros(160_000, np.int16))
    write("anomaly_x.wav", clips[5].astype(np.int16))
    (folder / "broken.wav").write_bytes(b"RIFF")
    rotors = root / "rotors"
    rotors.mkdir()
    for number in range(4):
        name = f"Rotor-{number % 2}_2026-11-20T06-1{number}-00.wav"
        soundfile.write(rotors / name, clips[number].astype(np.int16), 16_000, subtype="PCM_16")
    soundfile.write(rotors / "Rotor-0_2026-11-20T07-00-00.wav", clips[4].astype(np.int16), 8_000)
    (rotors / "Rotor-1_2026-11-20T07-00-00.wav").write_bytes(b"RIFF")
    good = root / "good" / "fan" / "id_01"
    good.mkdir(parents=True)
    for number in range(3):
        soundfile.write(good / f"{number}.wav", clips[number].astype(np.int16), 16_000, subtype="PCM_16")
    return root


@pytest.fixture(scope="module")
def ended(home: Path) -> dict[str, Ended]:
    calls = {
        "lines": ["doctor", "--recordings", "site"],
        "json": ["doctor", "--recordings", "site", "--json"],
        "good": ["doctor", "--recordings", "good"],
        "nameless": ["doctor", "--recordings", "rotors"],
        "named": ["doctor", "--recordings", "rotors", "--machine-pattern", "{machine}_{time}.wav"],
        "names alone": ["doctor", "--machine", "blower/id_00"],
        "nothing": ["doctor", "--recordings", "absent"],
        "several": ["score", "demo", "good", *NAMES, "--start-time", "2026-11-03"],
        "every": [
            "score",
            "demo",
            "good",
            *NAMES,
            "--start-time",
            "2026-11-03T06:00:00+01:00",
            "--every",
            "0.5",
        ],
        "every, with a unit": [
            *("score", "demo", "good", *NAMES, "--start-time", "2026-11-03T06:00:00+01:00", "--every", "0.5s")
        ],
        "no every": ["score", "demo", "good", *NAMES, "--start-time", "2026-11-03T06:00", "--every", "often"],
        "one": [
            *("score", "demo", "good/fan/id_01/1.wav", *NAMES, "--start-time", "2026-11-03T06:00"),
            *("--run-record", "one.json"),
        ],
        "no time": ["score", "demo", "good", *NAMES, "--start-time", "noon"],
        "no start": ["score", "demo", "good", *NAMES, "--every", "5"],
    }
    folder = str(home)
    return dict(zip(calls, run_all([Call(each, folder) for each in calls.values()]), strict=True))


def test_recordings_of_no_known_machine_are_heard_all_the_same(ended: dict[str, Ended]) -> None:
    nameless = ended["nameless"]
    assert nameless.code == 3
    said = nameless.stdout
    assert said.startswith("of no known machine: 6 recordings\n  rotors/Rotor-0_2026-11-20T06-10-00.wav, ")
    assert said.count("--machine-pattern '{machine}_{time}'") == 1, said
    assert "machine=" not in said
    assert "16000 Hz (4), 8000 Hz (1)" in said
    assert "osscl enroll would not take 2:" in said
    assert "--resample would mend 1" in said
    assert "recorded  2026-11-20T06:10:00 to 2026-11-20T07:00:00" in said


def test_the_machines_of_a_folder_may_be_said(ended: dict[str, Ended]) -> None:
    said = ended["named"].stdout
    assert "Rotor-0: 3 recordings" in said
    assert "Rotor-1: 3 recordings" in said
    assert "of no known machine" not in said
    assert ended["names alone"].code == 2
    assert "give --recordings FOLDER" in ended["names alone"].stderr


def test_a_folder_is_summed_up_by_machine(ended: dict[str, Ended]) -> None:
    assert ended["json"].code == 3
    (machine,) = json.loads(ended["json"].stdout)["machines"]
    assert machine["machine"] == "pump/id_00"
    assert machine["n_recordings"] == 11
    assert machine["sample_rates_hz"] == {"16000": 9, "8000": 1}
    assert machine["n_channels"] == {"1": 9, "2": 1}
    assert machine["formats"] == {"WAV PCM_16": 9, "FLAC PCM_16": 1}
    assert machine["duration_s"] == [3.0, 20.0]
    assert machine["recorded_at"] == ["2026-11-03T14:10:00", "2026-11-03T14:20:09"]
    assert machine["n_untimed"] == 5
    assert machine["options"] == {"--resample": 1, "--pad repeat|zero": 1, "--channel N|mean": 1}
    (again,) = machine["equal"]
    assert again["what"].endswith("20261103_142000.wav")
    (back,) = machine["earlier"]
    assert back["what"] == "2026-11-03T14:10:00, after 2026-11-03T14:20:09"
    clipped = next(each for each in machine["to_doubt"] if "clipped" in each["what"])
    assert clipped["path"].endswith("20261103_142009.wav")
    assert clipped["what"].startswith("clipped, ")
    assert sorted(Path(each["path"]).name for each in machine["refused"]) == [
        "broken.wav", "dead.wav", "rate.flac", "short\x1b[2J.wav", "stereo.wav",
    ]  # fmt: skip
    assert [Path(path).name for path in json.loads(ended["json"].stdout)["left_out"]] == ["anomaly_x.wav"]


def test_lines_say_what_mends_it_and_carry_no_control_character_to_a_terminal(
    ended: dict[str, Ended],
) -> None:
    said = ended["lines"].stdout
    assert ended["lines"].code == 3
    assert "osscl enroll would not take 5:" in said
    assert "--resample would mend 1" in said
    assert "said to be anomalous and never enrolled: 1" in said
    assert ended["lines"].stderr == ""


def test_a_good_folder_is_well(ended: dict[str, Ended]) -> None:
    assert ended["good"].code == 0
    assert "takes all of them as they are" in ended["good"].stdout
    assert "quality   all well" in ended["good"].stdout


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("nothing", "there is no folder absent"),
        ("several", "add --every SECONDS"),
        ("no time", "--start-time is 'noon'; expected ISO 8601"),
        ("no start", "add --start-time"),
        ("no every", "--every is 'often'; expected a number and s, min, h or d"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(ended: dict[str, Ended], call: str, said: str) -> None:
    assert ended[call].code in (1, 2)
    assert said in ended[call].stderr
    assert ended[call].stderr.count("\n") == 1
    assert ended[call].stdout == ""


def test_times_that_are_told_stand_in_the_table(ended: dict[str, Ended], home: Path) -> None:
    times = [row["recorded_at"] for row in csv.DictReader(ended["every"].stdout.splitlines())]
    assert times == [
        "2026-11-03T06:00:00+01:00", "2026-11-03T06:00:00.500000+01:00", "2026-11-03T06:00:01+01:00",
    ]  # fmt: skip
    assert ended["every, with a unit"].stdout == ended["every"].stdout
    (line,) = ended["one"].stdout.splitlines()[1:]
    assert line.split(",")[-4] == "2026-11-03T06:00:00"
    assert ended["one"].stderr == "1 file: 1 ok\n"
    assert json.loads((home / "one.json").read_text())["options"]["start_time"] == "2026-11-03T06:00:00"
