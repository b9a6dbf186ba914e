"""``osscl inspect`` of what ``osscl train`` wrote."""

import hashlib
import json
from pathlib import Path

import torch
from msgspec.structs import replace

from osscl.config import CLIP, FRONTEND
from osscl.training.checkpoint import CheckpointInfo, stated_sha256, write_checkpoint
from osscl.training.judging import judge
from osscl.training.progress import Best, Progress
from osscl.training.train_config import TrainConfig
from support.console import osscl_each

BEST = CheckpointInfo(
    content="ema_weights",
    config=TrainConfig(epochs=3, learning_rate=0.001),
    classes=("fan/id_00", "fan/id_02"),
    front_end=FRONTEND,
    clip=CLIP,
    front_end_sha256=FRONTEND.sha256,
    data_fingerprint="0" * 64,
    training_clips=("1" * 64,),
    hold_out_clips=("2" * 64, "3" * 64),
    progress=Progress(
        epoch=3, n_steps=6, best=Best(epoch=1, n_steps=4, hold_out_loss=1.5, hold_out_accuracy=0.625)
    ),
    device="cpu",
    versions={"torch": "2.9"},
    git_revision=None,
    verdict=judge(5, 8, [4, 4], -0.25),
)


def test_checkpoints_are_shown_with_recipe_classes_and_verdict(tmp_path: Path) -> None:
    tensors = {"a": torch.arange(6.0).reshape(2, 3)}
    best, last, damaged = (tmp_path / f"{name}.safetensors" for name in ("best", "last", "damaged"))
    write_checkpoint(best, tensors, BEST)
    write_checkpoint(
        last, tensors, replace(BEST, content="training_state", progress=Progress(), verdict=None)
    )
    damaged.write_bytes(best.read_bytes()[:-1] + b"\x01")
    told, as_json, state, refused = osscl_each(
        [("inspect", tmp_path), ("inspect", best, "--json"), ("inspect", last), ("inspect", damaged)],
        packages=["osscl.training.checkpoint"],
    )
    shown = " ".join(told.stdout.split())
    for fact in (
        "averaged weights, 6 values",
        "the published one, but epochs = 3, learning_rate = 0.001",
        "2: fan/id_00, fan/id_02",
        "1 clip to train on, 2 held out",
        "3 of 3 epochs, 6 steps",
        "0.6250 (loss 1.5000, after epoch 2)",
        str(BEST.verdict)[:40],
    ):
        assert fact in shown
    document = json.loads(as_json.stdout)
    assert document["file_sha256"] == hashlib.sha256(best.read_bytes()).hexdigest()
    assert document["content_sha256"] == stated_sha256(best)
    assert document["checkpoint"]["config"]["epochs"] == 3
    assert document["checkpoint"]["verdict"]["n_right"] == 5
    assert "the state of a training" in state.stdout
    assert "what it learned is not known" in state.stdout
    assert refused.returncode == 1
    assert "the checkpoint is damaged" in refused.stderr
