"""``osscl inspect``, ``export``, ``doctor`` and the help of all commands."""

import json
from pathlib import Path

import numpy as np
import onnx

from osscl.model_file.bundle import read_bundle
from support.console import osscl, osscl_each


def test_inspect_shows_manifest_and_graph(model_file: Path) -> None:
    shown = osscl("inspect", model_file)
    assert shown.returncode == 0
    for part in ("41: fan/id_00", "arcface_cross_entropy", "64 Conv", "waveform float32 [batch, 160000]"):
        assert part in shown.stdout
    document = json.loads(osscl("inspect", model_file, "--json").stdout)
    assert document["manifest"]["model"]["margin"] == 0.4
    graph = onnx.load(model_file).graph
    assert document["graph"]["n_nodes"] == len(graph.node)
    assert document["graph"]["n_parameters"] == sum(int(np.prod(t.dims)) for t in graph.initializer)


def test_export_command_writes_and_certifies(checkpoint: Path, tmp_path: Path) -> None:
    result = osscl("export", checkpoint, "-o", tmp_path / "m.onnx", "--front-end", "graph", "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["measured"]["cosine"] <= 2e-5
    assert read_bundle(tmp_path / "m.onnx").manifest.front_end.where == "graph"
    failed = osscl("export", tmp_path / "m.onnx", "-o", tmp_path / "n.onnx", "--margin", "0.4")
    assert failed.returncode == 2
    assert "drop --margin" in failed.stderr
    assert failed.stderr.splitlines()[-1].startswith("error: ")


def test_doctor_and_version_answer() -> None:
    lines = osscl("doctor").stdout.splitlines()
    assert any("instruction set" in line for line in lines)
    findings = json.loads(osscl("doctor", "--json").stdout)
    assert {finding["what"] for finding in findings} >= {"osscl", "front end", "onnxruntime", "torch"}
    assert osscl("--version").stdout.startswith("osscl 0.")


def test_help_shows_examples() -> None:
    commands = ("score", "evaluate", "train", "export", "inspect", "doctor")
    results = osscl_each([(command, "--help") for command in commands])
    for command, result in zip(commands, results, strict=True):
        assert result.returncode == 0
        assert f"osscl {command}" in result.stdout.partition("Examples")[2]
