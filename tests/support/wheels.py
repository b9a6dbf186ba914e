"""Packages from PyPI that tests look into but do not install."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from zipfile import ZipFile

from filelock import FileLock

_LIMIT_S = 300


class NotToBeHad(Exception):  # noqa: N818  # a reason to skip
    """Something that a test needs cannot be had here."""


def default_cache() -> Path:
    """Folder that keeps downloads from run to run: ``OSSCL_TEST_CACHE``, or one of the user's caches."""
    named = os.environ.get("OSSCL_TEST_CACHE")
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(named or Path(caches) / "osscl-tests")


def fetch_unpacked(
    requirements: Sequence[str], folder: Path, unpack: Callable[[ZipFile, Path], None] = ZipFile.extractall
) -> None:
    """Unpack wheels into a folder, which appears whole; of several processes that want it, one does.

    Raises
    ------
    NotToBeHad
        There is no network, or no wheel for this platform and Python.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"), tempfile.TemporaryDirectory(dir=folder.parent) as made:
        if folder.is_dir():
            return
        wheels, unpacked = Path(made) / "wheels", Path(made) / "unpacked"
        _download(requirements, wheels)
        for wheel in wheels.glob("*.whl"):
            with ZipFile(wheel) as archive:
                unpack(archive, unpacked)
        unpacked.rename(folder)


def _download(requirements: Sequence[str], folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    what = " ".join(requirements)
    try:
        done = subprocess.run(
            [*command, "--dest", folder, *requirements], capture_output=True, text=True, timeout=_LIMIT_S
        )
    except subprocess.TimeoutExpired:
        raise NotToBeHad(f"pip did not fetch {what} within {_LIMIT_S} s") from None
    if done.returncode:
        last_line = done.stderr.strip().rpartition("\n")[2]
        raise NotToBeHad(f"pip cannot fetch {what}: {last_line}")
