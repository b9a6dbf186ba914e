"""``osscl enroll`` as users type it."""

import json
from pathlib import Path

import pytest
import soundfile

from osscl.model_file.bundle import read_bundle
from support import once
from support.console import osscl_each
from support.normal_recordings import RATE_HZ, clip, write_normals


@pytest.fixture(scope="session")
def recordings() -> Path:
    """20 normal recordings of one machine, and one that is called anomalous."""

    def make(folder: Path) -> None:
        write_normals(folder / "press" / "train", 20, name="normal_id_09")
        write_normals(folder / "press" / "train", 1, first=50, machine=3, name="anomaly_id_09")

    return once.made_once("normals-of-the-console", make)


def test_a_folder_is_enrolled_and_a_fault_is_found(recordings: Path, tmp_path: Path) -> None:
    faults = tmp_path / "new" / "press"
    faults.mkdir(parents=True)
    soundfile.write(faults / "id_09_fine.wav", clip(70), RATE_HZ)
    soundfile.write(faults / "id_09_strange.wav", clip(71, pitch=1.5), RATE_HZ)
    enrolled, scored, as_json, into_model, alone = osscl_each(
        [
            ("enroll", recordings, "-o", "press.onnx"),
            ("score", "press.onnx", "new"),
            ("enroll", recordings, "-o", "press2.onnx", "--json"),
            ("enroll", "demo", recordings, "-o", "both.onnx"),
            ("score", "press.onnx", "new", "--rule", "network"),
        ],
        tmp_path,
    )
    assert enrolled.returncode == 0, enrolled.stderr
    assert "press/id_09" in enrolled.stdout
    assert "4.76 %" in enrolled.stdout
    assert "left out, said to be anomalous: " in enrolled.stderr
    assert "1 memory -> press.onnx (background: 40 synthetic machines" in enrolled.stderr
    assert scored.stderr.endswith("1 of 2 flagged at 5 %: press/id_09 (1)\n")
    report = json.loads(as_json.stdout)
    assert report["output"] == "press2.onnx"
    assert report["n_bytes"] == (tmp_path / "press2.onnx").stat().st_size
    (machine,) = report["enrolment"]["machines"]
    assert (machine["machine"], machine["n_clips"], machine["rate"]) == ("press/id_09", 20, 0.05)
    assert into_model.returncode == 0, into_model.stderr
    assert read_bundle(tmp_path / "both.onnx").manifest.has_network
    assert alone.returncode == 1
    assert "memories of machines and no network" in alone.stderr


def test_files_that_cannot_be_used_give_code_3(recordings: Path, tmp_path: Path) -> None:
    write_normals(tmp_path / "fan", 3)
    (tmp_path / "fan" / "normal_id_00_text.wav").write_text("no sound")
    (ended,) = osscl_each([("enroll", "fan", "-o", "m.onnx")], tmp_path)
    assert ended.returncode == 3
    assert "not enrolled: fan/normal_id_00_text.wav: " in ended.stderr
    assert (tmp_path / "m.onnx").is_file()


WRONG = [
    ("demo -o m.onnx", 2, "demo is no folder of recordings"),
    ("nothing -o m.onnx", 2, "there is no file or folder nothing"),
    ("demo RECORDINGS", 2, "Missing option '--output'"),
    ("RECORDINGS -o m.onnx --add", 1, "--add and --forget change memories of a model file"),
    ("demo RECORDINGS -o m.onnx --add", 1, "no memory of press/id_09"),
    (f"demo --forget {'0' * 16} -o m.onnx", 1, "no memory holds the clip 0000000000000000"),
    ("RECORDINGS -o m.onnx --false-alarm-rate 0.01", 1, "79 more are needed"),
    ("RECORDINGS -o m.onnx --false-alarm-rate 5", 1, "must lie between 0 and 1"),
    ("RECORDINGS -o m.onnx --machine=", 1, "expected a name such as press/id_09"),
    ("RECORDINGS -o m.onnx --recording (", 1, "is no regular expression"),
]


WHAT_WAS_READ = "machines of your own, laid out as DCASE 2020: "


def test_what_is_wrong_is_one_sentence(recordings: Path, tmp_path: Path) -> None:
    asked = [arguments.replace("RECORDINGS", str(recordings)).split() for arguments, _, _ in WRONG]
    all_ended = osscl_each([("enroll", *arguments) for arguments in asked], tmp_path)
    for (arguments, code, sentence), ended in zip(WRONG, all_ended, strict=True):
        said = [line for line in ended.stderr.splitlines() if not line.startswith(WHAT_WAS_READ)]
        assert (ended.returncode, len(said)) == (code, 1), (arguments, ended.stderr)
        assert sentence in ended.stderr
    assert list(tmp_path.iterdir()) == []
