"""What an earlier run left is kept, unless somebody says that it may go."""

import inspect
import os
from pathlib import Path

from support.console import osscl_each
from support.console_parameters import commands

REFUSES_WHAT_IS_BEGUN = {"train"}
"""Commands without --overwrite: a training is gone on with (--resume), and never replaced."""


def test_every_command_that_writes_can_be_told_to_replace() -> None:
    writing = {
        name: inspect.signature(function).parameters
        for name, function in commands().items()
        if "output" in inspect.signature(function).parameters
    }
    assert {"export", "enroll", "calibrate", "triton", "report", "score"} <= writing.keys()
    assert {name for name, options in writing.items() if "overwrite" not in options} == REFUSES_WHAT_IS_BEGUN


def test_an_export_keeps_what_is_there(checkpoint: Path, tmp_path: Path) -> None:
    """It is refused before torch is loaded, and before the checkpoint is looked at."""
    model, link = tmp_path / "model.onnx", tmp_path / "link.onnx"
    model.write_text("the work of a week")
    link.symlink_to("nowhere")
    classes = tmp_path / "classes.txt"
    os.link(model, classes)
    exported = ("export", checkpoint, "--output")
    refused, dangling, read = osscl_each(
        [(*exported, model), (*exported, link), (*exported, classes, "--overwrite", "--classes", model)]
    )
    assert refused.returncode == dangling.returncode == read.returncode == 1
    assert refused.stderr == f"error: {model} exists; name another file, or use --overwrite\n"
    assert dangling.stderr == f"error: {link} exists; name another file, or use --overwrite\n"
    assert "is read by this very command and would be replaced" in read.stderr
    assert model.read_text() == "the work of a week"


def test_a_used_folder_is_refused_before_anything_is_looked_at(tmp_path: Path) -> None:
    """There is no recording, which is found out later."""
    (tmp_path / "recordings").mkdir()
    for name in ("last.safetensors", "best.safetensors", "summary.json"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    (tmp_path / "seeds" / "seed_2").mkdir(parents=True)
    (tmp_path / "seeds" / "seed_2" / "training.html").touch()
    train = ("train", "recordings", "--output")
    begun, kept, summed_up, of_seeds = osscl_each(
        [
            (*train, "last.safetensors"),
            (*train, "best.safetensors"),
            (*train, "summary.json", "--seeds", "1,2"),
            (*train, "seeds", "--seeds", "1,2"),
        ],
        cwd=tmp_path,
    )
    assert begun.stderr == (
        "error: last.safetensors holds a training already; go on with it (--resume), or choose another "
        "folder\n"
    )
    of_an_earlier = (
        "of an earlier training, which would be replaced; choose another folder, or move it away\n"
    )
    assert kept.stderr == f"error: best.safetensors holds best.safetensors {of_an_earlier}"
    assert summed_up.stderr == f"error: summary.json holds summary.json {of_an_earlier}"
    assert of_seeds.stderr == f"error: seeds/seed_2 holds training.html {of_an_earlier}"
    assert {each.returncode for each in (begun, kept, summed_up, of_seeds)} == {1}
