"""What ``osscl demo`` leaves, made once for all tests: without PyTorch, over parts of an earlier one."""

import subprocess
import sys
from pathlib import Path

from support.once import made_once

FOLDER = "osscl-demo"
SAID = "said.json"
EARLIER = (
    "recordings/blower/train/normal_id_00_00000000.wav",
    "enrolled.onnx",
    "scores.csv",
    "scores.csv.run.json",
    "report.md",
)
"""What an earlier demonstration left, in part."""

_WITHOUT_TORCH = (
    "import sys; sys.modules.update(torch=None, onnx=None, safetensors=None, sklearn=None, scipy=None);"
    "from osscl.cli import main; main()"
)


def demonstration() -> Path:
    """Give the folder in which it was run: `FOLDER` is what it made, `SAID` what it said with ``--json``."""
    return made_once("demonstration", _make)


def write_earlier(folder: Path) -> None:
    """Leave what an earlier demonstration left."""
    for name in EARLIER:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("earlier")


def _make(folder: Path) -> None:
    write_earlier(folder / FOLDER)
    command = [sys.executable, "-c", _WITHOUT_TORCH, "demo", "--overwrite", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=folder)
    assert done.returncode == 0, done.stderr
    (folder / SAID).write_text(done.stdout)
