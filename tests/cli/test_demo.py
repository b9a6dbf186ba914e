"""``osscl demo``, and the model that the word demo stands for."""

import csv
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

import osscl as library
from conftest import REPOSITORY
from osscl import synth
from osscl.cli.demo import print_demonstration
from osscl.demo import Demonstration
from osscl.evaluation import Evaluation
from support.console import osscl

EARLIER = (
    "recordings/blower/train/normal_id_00_00000000.wav",
    "enrolled.onnx",
    "scores.csv",
    "scores.csv.run.json",
    "report.md",
)
"""What an earlier demonstration left, in part."""


def test_demo_enrolls_decides_and_evaluates_without_torch_and_onnx(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "osscl-demo"
    for name in EARLIER:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("earlier")
    refused = osscl("demo", cwd=tmp_path)
    assert refused.returncode == 1
    assert "is not empty; name another folder, or use --overwrite" in refused.stderr
    assert {(folder / name).read_text() for name in EARLIER} == {"earlier"}
    code = (
        "import sys; sys.modules.update(torch=None, onnx=None, safetensors=None, sklearn=None, scipy=None);"
        "from osscl.cli import main; main()"
    )
    command = [sys.executable, "-c", code, "demo", "--overwrite", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not [name for name in EARLIER if (folder / name).read_bytes() == b"earlier"]
    assert len(list(folder.glob("recordings/*/train/normal_*.wav"))) == 228
    lines = list(csv.DictReader((folder / "scores.csv").read_text().splitlines()))
    assert len(lines) == 48
    assert {line["rule"] for line in lines} == {"memory"}
    n_found = sum(line["is_anomaly"] == "true" for line in lines if "anomaly_" in line["path"])
    n_false = sum(line["is_anomaly"] == "true" for line in lines if "normal_" in line["path"])
    assert n_found >= 18
    assert "Each rule, %" in (folder / "report.md").read_text()
    run = json.loads((folder / "scores.csv.run.json").read_text())
    assert run["counts"] == {"ok": 48}
    assert run["n_decided"] == 48
    document = json.loads(done.stdout)
    assert document["total"]["mean_auc"]["value"] >= 0.95
    assert document["by_rule"]["network"]["total"]["pooled_auc"]["value"] >= 0.8
    assert document["decisions"]["total"]["n_detected"] == n_found
    by_network = document.pop("by_rule")["network"]
    found = Demonstration(*(msgspec.convert(each, Evaluation) for each in (document, by_network)))
    print_demonstration(found, folder, 1.0)
    shown = capsys.readouterr().out
    assert "AUC % network" in shown
    [total] = [line for line in shown.splitlines() if line.startswith("all ")]
    assert total.split()[1:4] == [str(n_found), str(24 - n_found), str(n_false)]
    first_page = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert shown.partition("\n\n")[0].split() == quoted(first_page, "machine           found").split()
    check_that_its_commands_work(first_page, tmp_path)


def quoted(page: str, begin: str) -> str:
    """What a page shows from some words on, to the next empty line or the end of the block."""
    return begin + re.split(r"\n\n|```", page.partition(begin)[2])[0]


def check_that_its_commands_work(first_page: str, folder: Path) -> None:
    """Run what the first page says of the demonstration's recordings, word for word."""
    [code] = re.findall(r"```python\n(.*?)```", first_page, re.DOTALL)
    [told] = re.findall(r"```python\n.*?```\n\n```\n(.*?)```", first_page, re.DOTALL)
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=folder).stdout == told
    [nightly] = [
        block for block in re.findall(r"```sh\n(.*?)```", first_page, re.DOTALL) if "site.onnx" in block
    ]
    for words in (shlex.split(line, comments=True) for line in nightly.splitlines()):
        if words[1] != "watch":  # which would not end
            done = osscl(*words[1:], cwd=folder)
            assert done.returncode == 0, (words, done.stderr)
    assert (folder / "report.html").exists()


def test_the_word_demo_is_a_model_everywhere(tmp_path: Path) -> None:
    key = synth.ClipKey("blower/id_00", seed=5)
    with library.load("demo") as detector:
        assert detector.machines[:2] == ("blower/id_00", "blower/id_01")
        assert "demonstration" in detector.manifest.training_data
        healthy, faulty = (synth.make_clip(key, fault) for fault in (None, synth.fault("leak", "severe")))
        assert detector.score([healthy, faulty], key.machine).score.argmax() == 1
    shown = osscl("inspect", "demo", "--json", cwd=tmp_path)
    assert shown.returncode == 0
    assert json.loads(shown.stdout)["manifest"]["model"]["inputs"] == "three_maps"


def test_the_demonstration_model_is_small() -> None:
    from osscl.model_file.bundle import read_bundle

    assert len(read_bundle("demo").model) <= 6_000_000
