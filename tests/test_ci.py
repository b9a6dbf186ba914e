"""The script that CI runs: every check has its turn, and one that fails is not forgotten."""

import os
import subprocess
from pathlib import Path

import pytest

from conftest import REPOSITORY

# stands for nox: it writes down what it was asked, and fails where it was told to
NOX = """#!/bin/sh
echo "$*" >> "$ASKED"
echo "output of $2"
[ "$2" != "$FAILING" ]
"""


def run_checks(folder: Path, failing: str) -> tuple["subprocess.CompletedProcess[str]", list[str]]:
    (folder / "nox").write_text(NOX)
    (folder / "nox").chmod(0o755)
    own = {"ASKED": str(folder / "asked"), "FAILING": failing, "PATH": f"{folder}:{os.environ['PATH']}"}
    script = REPOSITORY / ".ci" / "checks"
    done = subprocess.run([script], capture_output=True, text=True, timeout=60, env=os.environ | own)
    return done, (folder / "asked").read_text().splitlines()


@pytest.mark.parametrize("failing", ["checks", "sanitize", "tests"])
def test_checks_go_on_after_one_that_failed_and_fail_in_the_end(tmp_path: Path, failing: str) -> None:
    done, asked = run_checks(tmp_path, failing)
    assert sorted(asked[:2]) == ["-s checks", "-s sanitize"]  # beside each other
    assert asked[2:] == ["-s tests"]  # as the README says it, and last
    assert done.returncode == 1
    assert done.stderr == f"failed: {failing}\n"
    names = ("checks", "sanitize", "tests")
    assert sorted(done.stdout.splitlines()) == [f"output of {name}" for name in names]


def test_checks_that_all_pass_end_well(tmp_path: Path) -> None:
    done, _ = run_checks(tmp_path, "none")
    assert done.returncode == 0
    assert done.stderr == ""
