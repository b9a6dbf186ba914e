"""Things that are dear to make are made once, whatever the number of processes that run the tests.

The first process that needs one makes it, the others wait for it: the way that the documentation of
pytest-xdist gives for fixtures of a session.
"""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

_VARIABLE = "TESTS_MADE_ONCE"  # the processes of pytest-xdist inherit it


def begin() -> Path:
    """Name the folder of this run; called before any process is started that shares it."""
    folder = Path(tempfile.mkdtemp(prefix="osscl-tests-once-"))
    os.environ[_VARIABLE] = str(folder)
    return folder


def end(folder: Path) -> None:
    """Remove what was made."""
    os.environ.pop(_VARIABLE, None)
    shutil.rmtree(folder, ignore_errors=True)


def made_once(name: str, make: Callable[[Path], object]) -> Path:
    """A folder with something in it, which appears whole.

    Parameters
    ----------
    name : str
        What it is called, among all that tests make so.
    make : callable
        Fills the folder that it is given. Whatever it raises reaches the caller, and the next one tries anew.

    Returns
    -------
    Path
        The folder; nobody writes into it any more.
    """
    folder = Path(os.environ[_VARIABLE]) / name
    with FileLock(f"{folder}.lock"):
        if not folder.is_dir():
            part = Path(tempfile.mkdtemp(dir=folder.parent))
            make(part)
            part.rename(folder)
    return folder
