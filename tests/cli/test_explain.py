"""``osscl explain``, ``osscl score --explain`` and `Detector.explain`: what they say, and refuse."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

import osscl
from osscl.audio.reading import AS_THEY_ARE
from osscl.errors import BackendError, InputError, MachineError
from osscl.runs.explaining import Explainer
from osscl.scoring.record import Record
from support.console import osscl_each
from support.remembering import faulty_clips, normal_clips, stored_memory, write_clips, write_model

TONE = "level +"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with the memory of a fan and one without a network, and recordings: sound, silent, wrong."""
    root = tmp_path_factory.mktemp("explain")
    fan = stored_memory("fan/id_00", normal_clips(1, 24))
    write_model(root / "model.onnx", [fan], rules={"fan/id_00": "memory"})
    write_model(root / "alone.onnx", [fan], network=False)
    write_clips(root / "fan" / "test", "normal_id_00_", normal_clips(4, 2))
    write_clips(root / "fan" / "test", "anomaly_id_00_", faulty_clips(5, 2))
    write_clips(root / "fan" / "test", "silent_id_00_", np.zeros((1, 160_000), np.int16))
    soundfile.write(root / "slow.wav", faulty_clips(5, 1)[0][:80_000], 8_000)
    soundfile.write(root / "strange.wav", faulty_clips(5, 1)[0], 16_000)
    return root


def named(home: Path, name: str) -> Path:
    return home / "fan" / "test" / f"{name}_id_00_00000000.wav"


def test_a_recording_is_explained_in_words_and_as_json(home: Path) -> None:
    flagged, normal, asked, network = osscl_each(
        [
            ("explain", home / "model.onnx", named(home, "anomaly")),
            ("explain", home / "alone.onnx", named(home, "normal")),
            ("explain", home / "model.onnx", named(home, "anomaly"), "--json"),
            ("explain", home / "model.onnx", named(home, "anomaly"), "--rule", "network", "--json"),
        ]
    )
    assert [done.returncode for done in (flagged, normal, asked, network)] == [0] * 4, flagged.stderr
    assert "flagged at 5 % (p 0.04)" in flagged.stdout
    assert TONE in flagged.stdout
    assert "nothing stands out" in normal.stdout
    document = json.loads(asked.stdout)
    first = document["findings"][0]
    assert (document["rule"], first["block"], document["occlusion"]) == ("memory", "level", None)
    assert first["low_hz"] < 900 < first["high_hz"]  # the tone's frequency
    assert document["explanation"].startswith(first["text"])
    occluded = json.loads(network.stdout)
    assert (occluded["rule"], len(occluded["occlusion"]["band_shares"])) == ("network", 16)
    assert TONE in occluded["explanation"]  # the memory is there, and has its say
    assert "the network's score rests on" in occluded["explanation"]


def test_what_cannot_be_explained_is_one_sentence(home: Path) -> None:
    model = home / "model.onnx"
    refused = {
        ("explain", model, home / "slow.wav", "--machine", "fan/id_00"): "8000 Hz",
        ("explain", model, named(home, "silent")): "all samples are zero",
        ("explain", model, home / "strange.wav"): "machine",
        ("explain", model, named(home, "anomaly"), "--machine", "fan/id_99"): "fan/id_99 is not known",
        ("explain", home / "alone.onnx", named(home, "anomaly"), "--rule", "network"): "network",
        ("explain", model, home / "fan"): "it is a directory",
    }
    for done, said in zip(osscl_each(list(refused)), refused.values(), strict=True):
        assert done.returncode == 1, done.stderr
        assert done.stdout == ""
        [line] = done.stderr.splitlines()
        assert line.startswith("error: ")
        assert said in line
    resampled, missing = osscl_each(
        [
            ("explain", model, home / "slow.wav", "--machine", "fan/id_00", "--resample"),
            ("explain", model, home / "none.wav"),
        ]
    )
    assert (resampled.returncode, missing.returncode) == (0, 2), resampled.stderr


def test_flagged_clips_of_a_folder_are_explained(home: Path, tmp_path: Path) -> None:
    output = tmp_path / "scores.csv"
    plain, done = osscl_each(
        [
            ("score", home / "model.onnx", home / "fan", "-o", tmp_path / "plain.csv"),
            ("score", home / "model.onnx", home / "fan", "-o", output, "--explain"),
        ]
    )
    assert (plain.returncode, done.returncode) == (0, 0), done.stderr
    assert [line for line in done.stderr.splitlines() if line.startswith("not explained")] == [
        f"not explained: {named(home, 'silent')}: all samples are zero: a dead microphone or channel? "
        "There is no sound to explain"
    ]
    rows = list(csv.DictReader(output.read_text().splitlines()))
    for row in rows:
        is_explained = row["is_anomaly"] == "true" and row["status"] == "ok"
        assert row["explanation"].startswith(TONE) == is_explained, row
    assert sum(row["explanation"] != "" for row in rows) == 2
    without = [{**row, "explanation": ""} for row in csv.DictReader(output.read_text().splitlines())]
    assert without == list(csv.DictReader((tmp_path / "plain.csv").read_text().splitlines()))


def test_a_file_that_is_gone_keeps_its_line(home: Path, tmp_path: Path) -> None:
    line = Record(path=str(tmp_path / "gone.wav"), machine="fan/id_00", score=9.0, is_anomaly=True)
    with osscl.load(home / "model.onnx", "cpu", threads=1) as detector:
        explainer = Explainer(detector, AS_THEY_ARE)
        assert explainer.explained(line) == line
        [(path, reason)] = explainer.unexplained
    assert path == line.path
    assert "gone.wav" in reason


def test_the_detector_explains_and_refuses(home: Path) -> None:
    clip = faulty_clips(5, 1)[0]
    with osscl.load(home / "model.onnx", "cpu", threads=1) as detector:
        found = detector.explain(clip, "fan/id_00")
        assert found.machine == "fan/id_00"
        assert found.sentence.startswith(TONE)
        assert detector.explain(clip.astype(np.float32) / 32768, "fan/id_00").sentence == found.sentence
        of_network = detector.explain(clip, "pump/id_02")  # no memory
        assert (of_network.findings, of_network.deviation) == ((), None)
        assert of_network.occlusion is not None
        with pytest.raises(InputError, match="sample_rate_hz is 8000, expected 16000"):
            detector.explain(clip, "fan/id_00", 8000)
        with pytest.raises(InputError, match="2 clips; explain one at a time"):
            detector.explain(np.stack([clip, clip]), "fan/id_00")
        with pytest.raises(InputError, match="all samples are zero"):
            detector.explain(np.zeros_like(clip), "fan/id_00")
        with pytest.raises(MachineError, match="fan/id_99 is not known"):
            detector.explain(clip, "fan/id_99")
    with pytest.raises(BackendError, match="closed"):
        detector.explain(clip, "fan/id_00")
    with (
        osscl.load(home / "model.onnx", "cpu", threads=1, rule="memory") as detector,
        pytest.raises(MachineError, match=r"pump/id_02: it has no memory.*osscl enroll"),
    ):
        detector.explain(clip, "pump/id_02")
