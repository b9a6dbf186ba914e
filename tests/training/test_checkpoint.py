"""Checkpoints of a training: what was written is what is read, or it is refused."""

from pathlib import Path

import msgspec
import pytest
import torch
from msgspec.structs import replace
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from osscl.config import CLIP, FRONTEND
from osscl.errors import CheckpointError
from osscl.training.checkpoint import CheckpointInfo, content_sha256, read_checkpoint, write_checkpoint
from osscl.training.judging import judge
from osscl.training.progress import Best, Progress
from osscl.training.train_config import TrainConfig
from support.older_checkpoints import without_later_fields

TENSORS = {
    "whole": torch.arange(6).reshape(2, 3),
    "half": torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
    "scalar": torch.tensor(7.0),
    "turned": torch.arange(6.0).reshape(2, 3).T,
    "empty": torch.empty((0, 3)),
}
INFO = CheckpointInfo(
    content="ema_weights",
    config=TrainConfig(),
    classes=("fan/id_00", "fan/id_02"),
    front_end=FRONTEND,
    clip=CLIP,
    front_end_sha256=FRONTEND.sha256,
    data_fingerprint="0" * 64,
    training_clips=("1" * 64,),
    hold_out_clips=("2" * 64,),
    progress=Progress(
        epoch=1,
        n_steps=2,
        best=Best(
            epoch=0,
            n_steps=2,
            hold_out_loss=1.5,
            hold_out_accuracy=0.5,
            hold_out_margin=-0.25,
            confusion=((1, 0), (1, 0)),
        ),
    ),
    device="cpu",
    versions={},
    git_revision=None,
    verdict=judge(1, 2, [4, 4], -0.25),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "best.safetensors"
    write_checkpoint(path, TENSORS, INFO)
    return path


def test_a_checkpoint_reads_back(path: Path) -> None:
    tensors, info = read_checkpoint(path, "ema_weights")
    assert info == INFO
    assert tensors.keys() == TENSORS.keys()
    for name, value in TENSORS.items():
        assert torch.equal(tensors[name], value)
        assert tensors[name].dtype == value.dtype


def test_no_byte_changes_unnoticed(path: Path) -> None:
    """Whichever: of the sizes, of the names, of what the checkpoint says of itself, of the numbers."""
    whole = path.read_bytes()
    unnoticed = []
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 0x11
        path.write_bytes(damaged)
        try:
            read_checkpoint(path, "ema_weights")
        except CheckpointError:
            continue
        unnoticed.append(place)
    assert unnoticed == []


@pytest.mark.parametrize("swap", [("whole", "turned"), ("scalar", "half")])
def test_tensors_under_each_others_names_are_noticed(path: Path, swap: tuple[str, str]) -> None:
    stated = metadata(path)
    tensors = load_file(path)
    one, other = swap
    tensors[one], tensors[other] = tensors[other], tensors[one]
    save_file(tensors, path, stated)
    with pytest.raises(CheckpointError, match="the checkpoint is damaged: its content has the hash"):
        read_checkpoint(path, "ema_weights")


def test_a_checkpoint_without_a_hash_is_refused(path: Path) -> None:
    stated = metadata(path)
    del stated["osscl.checkpoint_sha256"]
    save_file(load_file(path), path, stated)
    with pytest.raises(CheckpointError, match="says no hash of its content, as development versions"):
        read_checkpoint(path, "ema_weights")


def test_a_checkpoint_of_before_says_no_verdict(tmp_path: Path) -> None:
    best = Best(epoch=1, n_steps=6, hold_out_loss=1.0, hold_out_accuracy=0.5)
    progress = Progress(epoch=2, n_steps=6, best=best)
    info = replace(INFO, format="osscl.checkpoint/3", progress=progress, verdict=None)
    document = msgspec.json.encode(without_later_fields(info, 3)).decode()
    hashes = {
        "osscl.checkpoint": document,
        "osscl.checkpoint_sha256": content_sha256(document, {"x": torch.zeros(1)}),
    }
    save_file({"x": torch.zeros(1)}, tmp_path / "old.safetensors", hashes)
    read = read_checkpoint(tmp_path / "old.safetensors", "ema_weights")[1]
    assert read == info
    assert read.verdict is None
    assert read.progress.best is not None
    assert read.progress.best.confusion == ()
    assert read.progress.best.hold_out_margin is None


def metadata(path: Path) -> dict[str, str]:
    with safe_open(path, "pt") as file:
        return dict(file.metadata())
