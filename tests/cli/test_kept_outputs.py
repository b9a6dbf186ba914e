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
