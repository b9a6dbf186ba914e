"""Everything that the first page shows to be run is run, read from the page: each block, line by line.

A line is run by a shell, as it stands, in a folder where the lines above it left what they leave. But:

- Recordings come from ``osscl demo`` and, laid out as DCASE 2020, from ``osscl synth``.
- ``osscl train`` gets ``--epochs 1 --batch-size 4``: as published it would take days.
- ``osscl watch``, which does not end by itself, is asked to stop once it has scored what came.
- `BY_OTHERS` are lines that other tests run, or that run the tests.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from conftest import REPOSITORY
from support.demonstration import FOLDER, demonstration
from support.service_manager import listening_service_manager

HANGS_AFTER_S = 300
BY_OTHERS = {
    'pip install ".[cpu,report,watch]" && osscl demo': "tests/cli/test_demo.py, which also holds its output",
    "pip install nox && nox -s tests": "this is how the tests are run; tests/test_ci.py",
}
TRAINED_SHORTLY = "--epochs 1 --batch-size 4"
NOT_RUN = {"", "bibtex"}
"""Languages of blocks that are no commands: what is printed stands in blocks without one."""


class Block(NamedTuple):
    """A block of the first page: the heading above it, its language and its text."""

    heading: str
    language: str
    text: str


def blocks() -> list[Block]:
    """Read all blocks of the first page."""
    page = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    found, heading = [], ""
    for match in re.finditer(r"^#+ ([^\n]+)$|^```(\w*)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        if match[1] is None:
            found.append(Block(heading, match[2], match[3]))
        else:
            heading = match[1]
    return found


def lines_of(heading: str) -> list[str]:
    """The lines of the shell below a heading."""
    texts = [block.text for block in blocks() if (block.heading, block.language) == (heading, "sh")]
    assert texts, f"the page has no commands below {heading}"
    return [line for text in texts for line in text.splitlines()]


def shell(line: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run a line as somebody types it who has installed osscl."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "COLUMNS": "110"}
    return subprocess.run(
        ["sh", "-c", line], capture_output=True, text=True, timeout=HANGS_AFTER_S, cwd=folder, env=environment
    )


def run_lines(heading: str, folder: Path, instead: Callable[[str], str] = str) -> dict[str, str]:
    """Run all lines below a heading: by each as it stands on the page, what it printed."""
    printed = {}
    for line in lines_of(heading):
        if line.startswith("osscl watch "):
            watch(line, folder)
            continue
        done = shell(instead(line), folder)
        assert done.returncode == 0, (line, done.stderr)
        printed[line] = done.stdout
    return printed


def watch(line: str, folder: Path) -> None:
    """Run a watch until it has scored a recording that came, and ask it to stop."""
    name = "anomaly_id_01_00000000.wav"
    (folder / "incoming" / "gearbox").mkdir()  # the page made incoming
    with listening_service_manager(folder) as (address, told):
        environment = os.environ | {"NOTIFY_SOCKET": address}
        program = Path(sys.executable).with_name("osscl")
        command = ["sh", "-c", f"exec {line.replace('osscl', str(program), 1)}"]
        with subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE) as watching:
            try:
                told.until("READY=1")
                shutil.copy(
                    folder / FOLDER / "recordings" / "gearbox" / "test" / name,
                    folder / "incoming" / "gearbox",
                )
                while not any(state.startswith("STATUS=1 file") for state in told.next()):
                    pass
                watching.send_signal(signal.SIGTERM)
                _, said = watching.communicate(timeout=HANGS_AFTER_S)
            finally:
                watching.kill()
    assert watching.returncode == 0, said
    assert f"incoming/gearbox/{name}" in (folder / "watch.csv").read_text()


@pytest.fixture
def demo_folder(tmp_path: Path) -> Path:
    """A folder in which ``osscl demo`` was run."""
    shutil.copytree(demonstration() / FOLDER, tmp_path / FOLDER)
    return tmp_path


def test_in_an_app(demo_folder: Path) -> None:
    [code, printed] = [block for block in blocks() if block.heading == "In an app"]
    assert (code.language, printed.language) == ("python", "")
    done = subprocess.run(
        [sys.executable, "-c", code.text],
        capture_output=True,
        text=True,
        timeout=HANGS_AFTER_S,
        cwd=demo_folder,
    )
    assert done.stdout == printed.text, done.stderr


def test_every_night(demo_folder: Path) -> None:
    run_lines("Every night", demo_folder)
    for name in ("site.onnx", "scores.csv", "report.html", "watch.csv"):
        assert (demo_folder / name).stat().st_size > 0


def test_with_a_network_of_your_own(tmp_path: Path) -> None:
    made = shell("osscl synth dcase2020 --machines 2 --train 8 --normal 4 --anomalous 4", tmp_path)
    assert made.returncode == 0, made.stderr
    [trained] = [line for line in lines_of("With a network of your own") if line.startswith("osscl train ")]
    short = trained.replace("  #", f" {TRAINED_SHORTLY}  #", 1)
    assert short != trained
    printed = run_lines(
        "With a network of your own", tmp_path, lambda line: short if line == trained else line
    )
    told = {line.split()[1] if line.startswith("osscl ") else "export": printed[line] for line in printed}
    assert [*told] == ["train", "export", "evaluate", "compare"]
    assert "largest error in fp32" in told["export"]
    assert "AUC" in told["evaluate"]
    assert "rank correlation" in told["compare"]


RUN_HERE = {("In an app", "python"), ("Every night", "sh"), ("With a network of your own", "sh")}


def check_is_run(block: Block) -> None:
    if block.language not in NOT_RUN and (block.heading, block.language) not in RUN_HERE:
        assert {*block.text.splitlines()} <= {*BY_OTHERS}, "no test runs these lines"


@pytest.mark.parametrize("block", blocks(), ids=lambda block: f"{block.heading}: {block.text[:20]}")
def test_every_block_is_run_by_a_test(block: Block) -> None:
    check_is_run(block)


def test_a_block_that_nobody_runs_would_be_noticed() -> None:
    for heading, language in (("Anew", "sh"), ("Every night", "python"), ("In an app", "sh")):
        with pytest.raises(AssertionError, match="no test runs these lines"):
            check_is_run(Block(heading, language, "osscl doctor\n"))


def test_what_others_run_is_still_there() -> None:
    lines = {line for block in blocks() for line in block.text.splitlines()}
    assert {*BY_OTHERS} <= lines


def test_the_picture_is_what_its_script_makes(demo_folder: Path) -> None:
    script = REPOSITORY / "docs" / "picture_of_demo.py"
    told = re.search(
        r"^usage: python (docs/picture_of_demo.py) (osscl-demo) (docs/demo.png)$", script.read_text(), re.M
    )
    assert told is not None
    command = [sys.executable, script, told[2], "demo.png"]
    environment = os.environ | {"MPLCONFIGDIR": str(demo_folder)}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=HANGS_AFTER_S, cwd=demo_folder, env=environment
    )
    assert done.returncode == 0, done.stderr
    with Image.open(demo_folder / "demo.png") as made, Image.open(REPOSITORY / told[3]) as shown:
        assert made.size == shown.size
        colours = np.unique(np.asarray(made.convert("RGB")).reshape(-1, 3), axis=0)  # [colours, 3]
    assert len(colours) > 1_000  # of the two maps; text and lines alone have some hundred
