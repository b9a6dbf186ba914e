"""``osscl synth``: what it writes, prints and refuses."""

import json
import signal
from pathlib import Path

import soundfile

from support.console import osscl, osscl_each, started_osscl
from support.waiting import wait_until


def test_a_gate_set_is_written_and_summed_up(tmp_path: Path) -> None:
    arguments = ("--machines", 2, "--train", 2, "--normal", 3, "--anomalous", 3, "--seed", 7)
    result = osscl("synth", tmp_path / "gate", *arguments, "--json")
    assert result.returncode == 0, result.stderr
    summary = json.loads(result.stdout)
    assert summary["machines"] == ["blower/id_00", "waterpump/id_00"]
    assert summary["counts"] == {"train": 2, "normal": 3, "anomalous": 3}
    assert sum(summary["faults"].values()) == 3
    assert len(list((tmp_path / "gate").rglob("*.wav"))) == 8
    assert json.loads((tmp_path / "gate" / "synth.json").read_text())["seed"] == summary["seed"] == 7
    shown = osscl("synth", tmp_path / "gate", *arguments, "--overwrite")
    assert shown.returncode == 0
    assert "3 normal and 3 anomalous clips" in shown.stdout


def test_what_cannot_be_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused: dict[tuple[object, ...], str] = {
        (tmp_path / "new",): "no clip is asked for",
        (tmp_path / "new", "--normal", "-1"): "normal is -1",
        (tmp_path / "new", "--normal", "1", "--machines", "0"): "machines is 0",
        (tmp_path / "file", "--normal", "1"): "is a file",
        (tmp_path, "--normal", "1"): "is not empty",
    }
    results = osscl_each([("synth", *arguments) for arguments in refused])
    for sentence, result in zip(refused.values(), results, strict=True):
        assert result.returncode == 1
        assert result.stdout == ""
        assert result.stderr.startswith("error: ")
        assert sentence in result.stderr
    assert osscl("synth", tmp_path / "new", "--normal", "many").returncode == 2
    assert not (tmp_path / "new").exists()


def test_ctrl_c_leaves_whole_files(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    with started_osscl("synth", folder, "--train", "5000") as process:
        wait_until(lambda: len(list(folder.rglob("*.wav"))) >= 3, process)
        process.send_signal(signal.SIGINT)
        _, messages = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "interrupted after" in messages
    left = [path for path in folder.rglob("*") if path.is_file()]
    assert len(left) >= 3
    for path in left:
        assert path.suffix == ".wav"
        assert soundfile.info(path).frames == 160_000
