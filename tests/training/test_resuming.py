"""What a training may not go on by is refused from its checkpoint's header, before torch is loaded."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from osscl.errors import TrainingError
from osscl.training.resuming import refuse_early


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of a training of two epochs, its checkpoint cut off behind the header."""
    document = json.dumps({"config": {"epochs": 2, "ema_warmup": True}})
    header = json.dumps({"__metadata__": {"osscl.checkpoint": document}}).encode()
    (tmp_path / "last.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    return tmp_path


def test_another_recipe_is_refused_with_what_differs_and_why_epochs_cannot_be_added(run: Path) -> None:
    refuse_early(run, None, {}, epochs_are_planned=False)
    refuse_early(run, None, {"epochs": 9}, epochs_are_planned=True)
    with pytest.raises(TrainingError, match=r"epochs was 2, is 4 \(the learning rate falls over all epochs"):
        refuse_early(run, None, {"epochs": 4}, epochs_are_planned=False)
    with pytest.raises(TrainingError, match=r"margin was 0\.4, is 0\.1; resume with the same settings"):
        refuse_early(run, None, {"margin": 0.1}, epochs_are_planned=False)
    with pytest.raises(TrainingError, match="there is no training to resume"):
        refuse_early(run / "elsewhere", None, {}, epochs_are_planned=False)


@pytest.mark.parametrize("content", [b"", b"\xff" * 8, b"\x02\0\0\0\0\0\0\0{}"])
def test_a_checkpoint_that_cannot_be_read_is_left_to_who_reads_all_of_it(run: Path, content: bytes) -> None:
    (run / "last.safetensors").write_bytes(content)
    refuse_early(run, None, {"epochs": 4}, epochs_are_planned=False)


def test_it_needs_no_torch() -> None:
    seen = "import sys, osscl.cli.train, osscl.training.resuming; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", seen], check=False).returncode == 0
