"""Checkpoints and folders of trainings where a model file is wanted: what makes one of them is said."""

import subprocess
import sys
from pathlib import Path

import pytest

from osscl.errors import CheckpointError, ModelFileError
from osscl.model_file.bundle import read_bundle
from osscl.model_file.unexported import BEST_FILE, LAST_FILE, checkpoint_at


def a_run(folder: Path, *files: str) -> Path:
    folder.mkdir(parents=True)
    for name in files:
        (folder / name).write_bytes(b"\x08\0\0\0\0\0\0\0{}")
    return folder


def test_a_checkpoint_is_no_model_file_yet_and_the_export_is_named(tmp_path: Path) -> None:
    run = a_run(tmp_path / "run", BEST_FILE, LAST_FILE)
    made = "osscl-export .*run/best.safetensors --output model.onnx makes the model file"
    with pytest.raises(ModelFileError, match=f"is a checkpoint: {made}"):
        read_bundle(run / BEST_FILE)
    with pytest.raises(ModelFileError, match=f"is the folder of a training: {made}"):
        read_bundle(run)
    assert checkpoint_at(run) == checkpoint_at(run / BEST_FILE) == run / BEST_FILE
    assert checkpoint_at(run / LAST_FILE) == run / LAST_FILE
    with pytest.raises(ModelFileError, match="a folder; expected a model file"):
        read_bundle(a_run(tmp_path / "empty"))


def test_before_the_first_epoch_ends_there_is_nothing_to_export(tmp_path: Path) -> None:
    run = a_run(tmp_path / "run", LAST_FILE)
    for path in (run, run / BEST_FILE):
        with pytest.raises(CheckpointError, match="written when the first epoch is complete; go on with"):
            checkpoint_at(path)
    with pytest.raises(ModelFileError, match="not there yet"):
        read_bundle(run)


def test_of_several_trainings_one_is_to_be_named(tmp_path: Path) -> None:
    for seed in (0, 1):
        a_run(tmp_path / "run" / f"seed_{seed}", BEST_FILE)
    with pytest.raises(CheckpointError, match=r"holds 2 trainings; name one: .*seed_0, .*seed_1"):
        checkpoint_at(tmp_path / "run")


def test_what_an_export_refuses_is_looked_at_without_torch() -> None:
    seen = "import sys, osscl.cli.export, osscl.export.asked; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", seen], check=False).returncode == 0
