"""``--device cuda`` where there is no GPU: one sentence, and never a score of the CPU."""

import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from osscl.model_file.golden import golden_clips
from support.console import osscl, osscl_each


@pytest.fixture(autouse=True, scope="module")
def _without_gpu() -> None:
    code = "from osscl.cuda.devices import count_devices; count_devices()"
    if subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0:
        pytest.skip("this machine has a GPU")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "fan" / "test" / "normal_id_00_00000000.wav"
    path.parent.mkdir(parents=True)
    soundfile.write(path, golden_clips(1)[0], 16_000)
    return tmp_path / "fan"


def test_a_gpu_that_is_not_there_fails_in_one_sentence(folder: Path, tmp_path: Path) -> None:
    named = [
        (command, device)
        for command in ("score", "evaluate")
        for device in ("cuda", "cuda:0", "cuda:0,1", "cuda:all")
    ]
    output = tmp_path / "scores.csv"
    results = osscl_each(
        [(command, "demo", folder, "--device", device, "--output", output) for command, device in named]
    )
    for (_, device), result in zip(named, results, strict=True):
        assert result.returncode == 1
        assert result.stdout == ""
        (line,) = result.stderr.splitlines()
        assert line.startswith(f"error: device '{device}' was asked for, but ")
        assert line.endswith("; or choose device 'cpu'")
    assert [path.name for path in tmp_path.iterdir()] == ["fan"]


def test_auto_uses_the_cpu_there_and_the_record_says_so(folder: Path, tmp_path: Path) -> None:
    result = osscl("score", "demo", folder, "--machine", "blower/id_00", "--output", tmp_path / "scores.csv")
    assert result.returncode == 0, result.stderr
    assert '"device": "cpu"' in (tmp_path / "scores.csv.run.json").read_text(encoding="utf-8")


def test_names_that_are_none_are_refused(folder: Path) -> None:
    devices = ("gpu", "cuda:x", "cuda:0,0")
    results = osscl_each([("score", "demo", folder, "--device", device) for device in devices])
    for device, result in zip(devices, results, strict=True):
        assert result.returncode == 2
        (line,) = result.stderr.splitlines()
        assert f"--device '{device}'" in line
