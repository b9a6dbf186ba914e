"""A file of memories alone on the console: what needs a network says so in one sentence."""

import json
from pathlib import Path

import pytest

from osscl.enrolment import enroll
from support import once
from support.console import osscl_each
from support.normal_recordings import write_normals


@pytest.fixture(scope="session")
def memories() -> Path:
    """A model file with one memory and no network, beside the recordings that it was made from."""

    def make(folder: Path) -> None:
        write_normals(folder / "press" / "train", 4, name="normal_id_09")
        enroll(folder / "press", folder / "memories.onnx")

    return once.made_once("without_network", make)


def test_what_needs_a_network_says_so(memories: Path, tmp_path: Path) -> None:
    model, recordings = memories / "memories.onnx", memories / "press"
    commands = (
        ("bench", model),
        ("bench", model, recordings),
        ("engine", "build", model),
        ("export", model, "--output", tmp_path / "x.onnx"),
        ("export", model, "--output", tmp_path / "x.onnx", "--precision", "bf16"),
        ("calibrate", model, recordings, "--output", tmp_path / "x.onnx"),
        ("score", model, recordings, "--rule", "network"),
        ("score", model, recordings, "--rule", "network", "--output", tmp_path / "x.csv"),
    )
    for command, ended in zip(commands, osscl_each(commands), strict=True):
        assert ended.returncode == 1, command
        assert ended.stdout == "", command
        last = ended.stderr.splitlines()[-1]
        assert "memories of machines and no network" in last, (command, ended.stderr)
        assert ended.stderr.count("error: ") == 1, (command, ended.stderr)
    assert list(tmp_path.iterdir()) == []


def test_it_is_shown_and_scored_by(memories: Path) -> None:
    model, recordings = memories / "memories.onnx", memories / "press"
    shown, as_json, scored = osscl_each(
        [("inspect", model), ("inspect", model, "--json"), ("score", model, recordings, "--json")]
    )
    assert shown.returncode == 0, shown.stderr
    words = " ".join(shown.stdout.split())
    for part in (
        "network none: memories of machines alone",
        "memories press/id_09: 4 clips, 4 recordings, smallest rate 20 %",
        "synthetic machines",
        "1 Identity",
    ):
        assert part in words
    assert json.loads(as_json.stdout)["manifest"]["model"] is None
    assert scored.returncode == 0, scored.stderr
    assert {json.loads(line)["rule"] for line in scored.stdout.splitlines()} == {"memory"}
