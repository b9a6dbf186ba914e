"""The background that a training keeps: of its training clips alone, or none."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from msgspec.structs import replace
from safetensors.torch import save_file

from osscl.audio.reading import read_audio
from osscl.config import FEATURES
from osscl.decisions import pooled_background
from osscl.errors import CheckpointError
from osscl.export.checkpoint import load_checkpoint
from osscl.features import memory_features
from osscl.model import OSSCL
from osscl.model_file.restored import restored_background, stored_background
from osscl.training import Execution, TrainingData, read_training_data
from osscl.training.background import background_of
from osscl.training.checkpoint import (
    CheckpointInfo,
    content_sha256,
    read_checkpoint,
    write_checkpoint,
)
from osscl.training.hold_out import split_hold_out
from osscl.training.loop import Training
from support import once
from support.normal_recordings import write_normals
from support.training_data import small_recipe

MACHINES = ("fan/id_00", "fan/id_02", "pump/id_00", "pump/id_02")


@pytest.fixture(scope="module")
def data() -> TrainingData:
    """6 clips of each of 4 machines."""

    def make(folder: Path) -> None:
        for number, machine in enumerate(MACHINES):
            machine_type, machine_id = machine.split("/")
            write_normals(folder / machine_type / "train", 6, machine=number, name=f"normal_{machine_id}")

    return read_training_data([once.made_once("training_of_4", make)])


@pytest.fixture(scope="module")
def info(data: TrainingData, tmp_path_factory: pytest.TempPathFactory) -> CheckpointInfo:
    recipe = small_recipe()
    split = split_hold_out(data, recipe.hold_out, recipe.seed)
    folder = tmp_path_factory.mktemp("run")
    return Training(folder, recipe, data, split, Execution(device="cpu", workers=0)).info


def test_it_is_pooled_from_the_clips_that_are_trained_on(data: TrainingData, info: CheckpointInfo) -> None:
    features = {
        machine: memory_features(
            np.stack(
                [
                    read_audio(clip.path)
                    for clip in data.clips
                    if clip.machine == machine and clip.sha256 in info.training_clips
                ]
            )
        )
        for machine in MACHINES
    }
    expected = pooled_background(features, "", FEATURES.sha256)
    assert info.background is not None
    assert info.background.n_clips == len(info.training_clips) < len(data.clips)
    found = restored_background(info.background)
    for name in ("level", "modulation", "flutter", "event"):
        assert np.array_equal(getattr(found, name), getattr(expected, name)), name
    assert data.fingerprint in found.source
    assert stored_background(found) == info.background


def test_three_machines_give_none(data: TrainingData) -> None:
    assert background_of(data, [clip for clip in data.clips if clip.machine != MACHINES[0]]) is None
    three_clips = [data.clips[i] for i in range(3)]
    others = [clip for clip in data.clips if clip.machine != MACHINES[0]]
    assert background_of(data, [*three_clips, *others]) is None


def test_a_checkpoint_hands_it_on_with_the_hashes(info: CheckpointInfo, tmp_path: Path) -> None:
    path = tmp_path / "best.safetensors"
    best = replace(info, content="ema_weights")
    write_checkpoint(path, OSSCL(best.config.model(best.classes)).state_dict(), best)
    assert read_checkpoint(path, "ema_weights")[1] == best
    decisions = load_checkpoint(path).decisions
    assert decisions is not None
    assert decisions.background == info.background
    every = {*info.training_clips, *info.hold_out_clips}
    assert decisions.training_clips == tuple(sorted(each[:16] for each in every))


def test_checkpoints_of_before_are_read_and_hold_none(info: CheckpointInfo, tmp_path: Path) -> None:
    path = tmp_path / "best.safetensors"
    said = msgspec.to_builtins(replace(info, content="ema_weights", format="osscl.checkpoint/2"))
    tensors = {"x": torch.zeros(1)}
    del said["embedding_background"]
    for told in ({name: value for name, value in said.items() if name != "background"}, said):
        document = msgspec.json.encode(told).decode()
        hashes = {"osscl.checkpoint": document, "osscl.checkpoint_sha256": content_sha256(document, tensors)}
        save_file(tensors, path, hashes)
        if "background" in told:
            with pytest.raises(
                CheckpointError, match=r"Field is newer than the document - at `\$.background`"
            ):
                read_checkpoint(path, "ema_weights")
        else:
            assert read_checkpoint(path, "ema_weights")[1].background is None
