"""``osscl enroll`` as users type it."""

import json
from pathlib import Path

import pytest
import soundfile

import osscl
from osscl.model_file.bundle import read_bundle, write_bundle
from support import once
from support.console import osscl_each
from support.model_files import tiny_graph, tiny_manifest
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
    assert "4.762 %" in enrolled.stdout
    assert "left out, said to be anomalous: " in enrolled.stderr
    assert "1 memory -> press.onnx (background: 40 synthetic machines" in enrolled.stderr
    assert enrolled.stderr.endswith("next: osscl score press.onnx NEW_RECORDINGS --output scores.csv\n")
    assert "next: " not in as_json.stderr
    assert scored.stderr.endswith("1 of 2 flagged at 5 %: press/id_09 (1)\n")
    report = json.loads(as_json.stdout)
    assert report["output"] == "press2.onnx"
    assert report["n_bytes"] == (tmp_path / "press2.onnx").stat().st_size
    (machine,) = report["enrolment"]["machines"]
    assert (machine["machine"], machine["n_clips"], machine["rate"]) == ("press/id_09", 20, 0.05)
    assert into_model.returncode == 0, into_model.stderr
    no_part = "it decides by memory, and the network takes no part"
    assert no_part in into_model.stderr
    assert no_part not in enrolled.stderr, "there is no network"
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


def test_embeddings_are_enrolled_and_decide(recordings: Path, tmp_path: Path) -> None:
    graph = tiny_graph().SerializeToString()
    write_bundle(tmp_path / "tiny.onnx", graph, tiny_manifest(graph))
    faults = tmp_path / "new" / "press" / "test"
    faults.mkdir(parents=True)
    soundfile.write(faults / "normal_id_09_0.wav", clip(72), RATE_HZ)
    soundfile.write(faults / "anomaly_id_09_1.wav", clip(71, pitch=1.5), RATE_HZ)
    enrolled, scored, inspected, evaluated, explained, limits, calibrated = osscl_each(
        [
            ("enroll", "tiny.onnx", recordings, "--rule", "embedding", "--device", "cpu", "-o", "e.onnx"),
            ("score", "e.onnx", "new", "--json"),
            ("inspect", "e.onnx"),
            ("evaluate", "e.onnx", "new", "--rule", "all", "--json"),
            ("explain", "e.onnx", "new/press/test/anomaly_id_09_1.wav"),
            ("sensitivity", "e.onnx", recordings),
            ("calibrate", "e.onnx", recordings, "--rule", "embedding", "-o", "c.onnx"),
        ],
        tmp_path,
    )
    assert enrolled.returncode == 0, enrolled.stderr
    assert "there is no background of embeddings" in enrolled.stderr
    assert "takes no part" not in enrolled.stderr
    assert "1 memory of embeddings -> e.onnx (background: none)\n" in enrolled.stderr
    lines = [json.loads(line) for line in scored.stdout.splitlines()]
    assert [line["rule"] for line in lines] == ["embedding"] * 2
    assert [line["is_anomaly"] for line in lines] == [True, False]
    assert "press/id_09: 20 clips, 20 recordings, smallest rate 4.762 %" in " ".join(inspected.stdout.split())
    report = json.loads(evaluated.stdout)
    assert list(report["by_rule"]) == ["embedding"]
    assert report["by_rule"]["embedding"]["machines"][0]["auc"]["value"] == 1.0
    assert "by embedding: flagged at 5 %" in explained.stdout
    for ended, code, sentence in (
        (limits, 1, "no detection limits are measured by the rule embedding"),
        (calibrated, 2, "a memory, of features or of embeddings, is calibrated by its own recordings"),
    ):
        assert (ended.returncode, len(ended.stderr.splitlines())) == (code, 1), ended.stderr
        assert sentence in ended.stderr


DEMO = Path(osscl.__file__).parent / "models" / "demo.onnx"
WRONG = [
    ("demo -o m.onnx", 2, "demo is no folder of recordings"),
    ("nothing -o m.onnx", 2, "there is no folder nothing"),
    ("demo RECORDINGS", 2, "Missing option '--output'"),
    ("RECORDINGS -o m.onnx --add", 2, "--add and --forget change memories of a model file"),
    ("demo RECORDINGS -o m.onnx --add", 2, "no memory of press/id_09"),
    (f"demo --forget {'0' * 16} -o m.onnx", 1, "no memory holds the clip 0000000000000000"),
    ("RECORDINGS -o m.onnx --false-alarm-rate 0.01", 1, "79 more are needed"),
    ("RECORDINGS -o m.onnx --false-alarm-rate 0.04761", 1, "1 more is needed, or a rate of 0.04762\n"),
    (
        "RECORDINGS -o m.onnx --false-alarm-rate 5",
        2,
        "--false-alarm-rate is 5.0; it must lie between 0 and 1",
    ),
    ("RECORDINGS -o m.onnx --machine=", 2, "expected a name such as press/id_09"),
    ("RECORDINGS -o m.onnx --recording (", 2, "is no regular expression"),
    ("RECORDINGS -o m.onnx --rule embedding", 2, "needs a network; name its model file"),
    (f"RECORDINGS {DEMO} -o m.onnx", 2, "demo.onnx is a model file: name it first"),
    ("demo RECORDINGS -o m.onnx --rule network", 2, "are enrolled for one of: memory, embedding"),
    ("demo RECORDINGS -o m.onnx --device cpu --threads 1", 2, "are for --rule embedding"),
    ("demo RECORDINGS -o m.onnx --rule embedding --limits", 2, "with memories of features"),
    ("demo RECORDINGS -o m.onnx --rule embedding --add", 2, "no memory of embeddings of press/id_09"),
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
