"""Users without a home folder, and with one that is closed to them: all that needs none works."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from osscl.synth import DatasetPlan, write_dataset

NOBODY = 65534
STRANGER = 54321  # of whom the system knows nothing, as in many containers

Done: TypeAlias = subprocess.CompletedProcess[str]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, as pytest's own are not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def run_as(
    user: int | None, environment: dict[str, str], *arguments: object
) -> subprocess.CompletedProcess[str]:
    """Run the console program as another user, who knows nothing of this one."""
    other: dict[str, Any] = {} if user is None else {"user": user, "group": user, "extra_groups": []}
    python = [sys.executable, "-c", "from osscl.cli import main; main()"]
    return subprocess.run(
        [*python, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        cwd="/",
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"} | environment,
        **other,
    )


def check_all_but_the_cache_works(run: Callable[..., Done], clips: Path) -> str:
    """What ``osscl doctor`` says of the cache where the user's cannot be used."""
    try:
        version = run("--version")
    except PermissionError:
        pytest.skip("other users may not enter the environment of the tests")
    if (
        "PermissionError" in version.stderr
        or "ModuleNotFoundError: No module named 'osscl'" in version.stderr
    ):
        pytest.skip("other users may not enter the environment of the tests")
    assert version.stdout.startswith("osscl "), version.stderr
    scored = run("score", "demo", clips, "--device", "cpu")
    assert scored.returncode == 0, scored.stderr
    doctor = run("doctor", "--all")
    assert doctor.stderr == ""
    (line,) = (line for line in doctor.stdout.splitlines() if "engine cache:" in line)
    assert "BROKEN" not in doctor.stdout
    return line


def test_a_user_whom_the_system_does_not_know_and_who_has_no_home(open_folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only the superuser can become a user whom the system does not know")
    for _ in write_dataset(open_folder, DatasetPlan(machines=1, normal=1), overwrite=True):
        pass

    def run(*arguments: object) -> Done:
        return run_as(STRANGER, {}, *arguments)

    line = check_all_but_the_cache_works(run, open_folder)
    sentence = "this user has no home folder, and so no cache"
    remedy = "set HOME, or OSSCL_CACHE_DIR to a folder"
    assert line == f"missing  engine cache: {sentence} -> {remedy}"
    failed = run("engine", "list")
    assert (failed.returncode, failed.stderr) == (1, f"error: {sentence}: {remedy}\n")
    named = run_as(STRANGER, {"OSSCL_CACHE_DIR": str(open_folder)}, "engine", "list", "--json")
    assert json.loads(named.stdout)["folder"] == str(open_folder / "engines")


def test_a_home_that_may_not_be_entered(open_folder: Path) -> None:
    home, clips = open_folder / "home", open_folder / "clips"
    home.mkdir()
    for _ in write_dataset(clips, DatasetPlan(machines=1, normal=1), overwrite=True):
        pass
    user = None
    if os.geteuid() == 0:  # whom no mode keeps out
        user = NOBODY
        os.chown(home, user, user)
    home.chmod(0)

    def run(*arguments: object) -> Done:
        return run_as(user, {"HOME": str(home)}, *arguments)

    try:
        line = check_all_but_the_cache_works(run, clips)
        failed = run("engine", "list")
    finally:
        home.chmod(0o700)
    folder = home / ".cache" / "osscl" / "engines"
    remedy = "set OSSCL_CACHE_DIR to a folder that this user may write"
    assert line == f"missing  engine cache: {folder} cannot be read: Permission denied -> {remedy}"
    message = f"error: the engine cache {folder} cannot be used: Permission denied\n"
    assert (failed.returncode, failed.stderr) == (1, message)
