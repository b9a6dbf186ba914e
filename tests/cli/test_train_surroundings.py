"""``osscl train`` where the machine gives little: shared memory, short paths, a main module, memory."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.console import osscl
from support.training_data import write_recordings

SHORT = ("--epochs", "1", "--batch-size", "3", "--inputs", "log_mel", "--device", "cpu")
OSSCL = (sys.executable, "-c", "from osscl.cli import main; main()")
TRAIN_BY_HAND = """
from pathlib import Path
from osscl.training import Execution, TrainConfig, read_training_data, train

recipe = TrainConfig(epochs=1, batch_size=3, inputs="log_mel")
outcome = train(read_training_data([{data!r}]), Path({run!r}), recipe, Execution("cpu", workers=1))
print("complete" if outcome.completed else "stopped")
"""


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_recordings(tmp_path_factory.mktemp("recordings"))


def run_mounted(mount: str, *command: object) -> subprocess.CompletedProcess[str]:
    """Run a command after something was mounted where it alone sees it."""
    unshare = ("unshare", "--mount", "sh", "-c")
    allowed = subprocess.run([*unshare, mount], capture_output=True, text=True, timeout=60)
    if allowed.returncode:
        pytest.skip(f"nothing may be mounted here: {allowed.stderr.strip()}")
    return subprocess.run(
        [*unshare, f'{mount} && exec "$@"', "sh", *map(str, command)],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"COLUMNS": "110"},
    )


@pytest.mark.parametrize("options", ["size=1m", "size=4k,mode=0555"], ids=["small", "nothing at all"])
def test_workers_need_no_shared_memory(recordings: Path, tmp_path: Path, options: str) -> None:
    """A container has 64 MiB by default, and a batch of 64 clips 30."""
    mount = f"mount -t tmpfs -o {options} tmpfs /dev/shm"
    arguments = ("train", recordings, "--output", tmp_path / "run", *SHORT, "--workers", "2")
    done = run_mounted(mount, *OSSCL, *arguments)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "best.safetensors").is_file()


def test_workers_need_no_short_folder_of_temporary_files(
    recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The path of a Unix socket is limited to 107 bytes."""
    folder = tmp_path / ("t" * 112)
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    done = osscl("train", recordings, "--output", tmp_path / "run", *SHORT, "--workers", "1")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("place", ["stdin", "file"])
def test_a_script_may_train_with_workers_wherever_it_stands(
    recordings: Path, tmp_path: Path, place: str
) -> None:
    """Workers run neither a script without a file nor one without a guard around its main part again."""
    script = TRAIN_BY_HAND.format(data=str(recordings), run=str(tmp_path / "run"))
    (tmp_path / "script.py").write_text(script)
    done = subprocess.run(
        [sys.executable, "-" if place == "stdin" else tmp_path / "script.py"],
        input=script if place == "stdin" else None,
        capture_output=True,
        text=True,
        timeout=300,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "complete\n"
    assert done.stderr == ""


def test_a_step_that_the_memory_does_not_hold_is_refused(recordings: Path, tmp_path: Path) -> None:
    """The kernel's own figures, replaced for one process: 1 GiB is free."""
    (tmp_path / "meminfo").write_text("MemTotal: 2097152 kB\nMemFree: 9 kB\nMemAvailable: 1048576 kB\n")
    mount = f"mount --bind '{tmp_path / 'meminfo'}' /proc/meminfo"
    arguments = ("train", recordings, "--output", tmp_path / "run", "--device", "cpu", "--workers", "0")
    refused = run_mounted(mount, *OSSCL, *arguments)
    assert refused.returncode == 1, refused.stderr
    said = refused.stderr.splitlines()[-1]
    # 12 clips, three of which are held out
    assert said.startswith("error: a step of 9 clips takes about 2.4 GiB of memory, of 1.0 GiB free: ")
    assert "--batch-size 3 fits" in said
    assert not (tmp_path / "run").exists()
    smaller = run_mounted(mount, *OSSCL, *arguments, "--batch-size", "3", "--epochs", "1")
    assert smaller.returncode == 0, smaller.stderr
    assert "a step of 3 clips takes about 0.8 GiB of memory, of 1.0 GiB free" in smaller.stderr
