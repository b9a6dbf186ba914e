"""``osscl demo``, and the model that the word demo stands for."""

import csv
import json
import re
import signal
from pathlib import Path

import msgspec
import pytest

import osscl as library
from conftest import REPOSITORY
from osscl import synth
from osscl.cli.demo import print_demonstration
from osscl.demo import Demonstration
from osscl.evaluation import Evaluation
from support.console import osscl, started_osscl
from support.demonstration import EARLIER, FOLDER, SAID, demonstration, write_earlier


def test_demo_enrolls_decides_and_evaluates_without_torch_and_onnx(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_earlier(tmp_path / FOLDER)
    refused = osscl("demo", cwd=tmp_path)
    assert refused.returncode == 1
    assert refused.stderr == (  # before anything is begun
        f"error: {FOLDER}/recordings is not empty; name another folder, or use --overwrite\n"
    )
    assert {(tmp_path / FOLDER / name).read_text() for name in EARLIER} == {"earlier"}
    folder = demonstration() / FOLDER
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
    document = json.loads((demonstration() / SAID).read_text())
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
    page = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    begin = "machine           found"
    quoted = begin + re.split(r"\n\n|```", page.partition(begin)[2])[0]
    assert shown.partition("\n\n")[0].split() == quoted.split()
    facts = page.partition("mean of IDs\n\n")[2].partition("```")[0]
    assert [line.split()[0] for line in facts.splitlines()] == [
        line.split()[0] for line in shown.partition("mean of IDs\n\n")[2].splitlines()
    ]


def test_a_demo_that_is_interrupted_says_what_there_is(tmp_path: Path) -> None:
    with started_osscl("demo", "--output", tmp_path / "dd") as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("228 normal recordings")
        process.send_signal(signal.SIGINT)  # mostly before the model is open, and nothing is written yet
        said = process.stderr.read()
        assert process.wait(timeout=120) == 130, said
    is_kept = f"what was done is kept in {tmp_path / 'dd'}" in said
    assert is_kept == (tmp_path / "dd").exists(), said
    assert is_kept or "interrupted; nothing was written" in said


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
