"""``osscl calibrate``: what it prints, writes and exits with, and what ``osscl inspect`` shows of it."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from osscl.model_file.bundle import write_bundle
from osscl.model_file.decisions import StoredDecisions
from support import once
from support.console import osscl_each
from support.model_files import tiny_graph, tiny_manifest
from support.normal_recordings import write_normals


@pytest.fixture(scope="session")
def work() -> Path:
    """The tiny model, and normal recordings of one of its machines in four folders of two clips."""

    def make(folder: Path) -> None:
        graph = tiny_graph().SerializeToString()
        decisions = StoredDecisions(training_clips=())
        write_bundle(folder / "model.onnx", graph, replace(tiny_manifest(graph), decisions=decisions))
        for day in range(4):
            write_normals(folder / "normals" / "fan" / "train" / f"day_{day}", 2, first=2 * day)
        write_normals(folder / "normals" / "fan" / "train" / "day_0", 1, first=40, name="anomaly_id_00")
        (folder / "broken" / "fan" / "train").mkdir(parents=True)
        (folder / "broken" / "fan" / "train" / "normal_id_00_9.wav").write_bytes(b"RIFF")
        write_normals(folder / "strange" / "press" / "train", 1)

    return once.made_once("calibrate_command", make)


def test_it_tells_rates_recordings_and_what_they_are_worth(work: Path, tmp_path: Path) -> None:
    model, normals = work / "model.onnx", work / "normals"
    output, again = tmp_path / "c.onnx", tmp_path / "d.onnx"
    told, as_json, shown = osscl_each(
        [
            ("calibrate", model, normals, "--output", output, "--recording", "folder", "--device", "cpu"),
            ("calibrate", model, normals, "--output", again, "--json", "--device", "cpu"),
            ("inspect", output),
        ]
    )
    assert told.returncode == 0, told.stderr
    assert told.stdout.splitlines()[1].split()[:7] == ["fan/id_00", "8", "4", "20", "%", "20", "%"]
    assert "Recordings judged by a threshold from all others" in told.stdout
    assert told.stdout.count("fan/train/day_") == 4
    assert "fan/id_00: the false-alarm rate is guaranteed if recordings are exchangeable" in told.stderr
    assert "left out, said to be anomalous: " in told.stderr
    assert told.stderr.splitlines()[-1] == f"1 calibrated for the rule network in fp32 -> {output}"
    document = json.loads(as_json.stdout)
    (machine,) = document["calibration"]["machines"]
    assert (machine["machine"], machine["n_recordings"], len(machine["left_out"])) == ("fan/id_00", 8, 8)
    assert document["n_bytes"] == again.stat().st_size
    words = " ".join(shown.stdout.split())
    assert "calibrations fan/id_00 (network): 8 clips, 4 recordings, smallest rate 20 %" in words
    assert "rules network: all machines" in words
    assert "training clips 0 known by their hashes" in words


def test_what_could_not_be_used_is_told_by_the_exit_code(work: Path, tmp_path: Path) -> None:
    places = [work / "normals", work / "broken", work / "strange"]
    output = tmp_path / "c.onnx"
    some, none, rate, pattern, taken, swapped = osscl_each(
        [
            ("calibrate", work / "model.onnx", *places, "--output", output, "--device", "cpu"),
            ("calibrate", work / "model.onnx", work / "broken", "--output", tmp_path / "n.onnx"),
            (
                *("calibrate", work / "model.onnx", work / "normals", "--output", tmp_path / "n.onnx"),
                *("--false-alarm-rate", "0.01"),
            ),
            (
                *("calibrate", work / "model.onnx", work / "normals", "--output", tmp_path / "n.onnx"),
                *("--recording", "session"),
            ),
            ("calibrate", work / "model.onnx", work / "normals", "--output", output, "--device", "cpu"),
            ("calibrate", work / "normals", work / "model.onnx", "--output", tmp_path / "n.onnx"),
        ]
    )
    assert some.returncode == 3
    assert "not used: " in some.stderr
    assert "not calibrated: press/id_00: the network does not know it" in some.stderr
    assert output.exists()
    for ended, code, says in (
        (none, 1, "1 give no clip, first "),
        (rate, 1, "8 normal recordings are too few for a false-alarm rate of 0.01: 91 more are needed"),
        (pattern, 2, "has 0 groups"),
        (swapped, 2, "the two seem to be swapped; name the model file first"),
        (taken, 1, "exists; name another file, or use --overwrite"),
    ):
        assert ended.returncode == code
        *_, line = ended.stderr.splitlines()  # what was read comes first
        assert line.startswith("error: ")
        assert says in line
    assert not (tmp_path / "n.onnx").exists()
