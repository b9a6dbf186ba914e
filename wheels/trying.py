"""Installs the wheel where there is no compiler, and runs the demonstration and tests from it.

usage: python wheels/trying.py FOLDER --extras EXTRAS --need REQUIREMENT -- TESTS; nox -s wheel runs it

In a fresh environment, from a folder that is not the checkout. Only the programs that tests call are found
there beside the environment's own; tests that compile are skipped, with that reason.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from packaging.tags import sys_tags
from packaging.utils import parse_wheel_filename

CHECKOUT = Path(__file__).resolve().parents[1]
# what tests call, as far as it is installed; no compiler, linker or build program is among them
OF_SHELLS = ["bash", "dirname", "env", "kill", "ps", "sh", "sleep", "timeout", "true", "uname", "which"]
OF_FILES = ["cat", "chmod", "cp", "ls", "mkdir", "mount", "mv", "rm", "sha256sum", "tar", "touch", "unshare"]
OF_TEXT = ["cut", "grep", "head", "sed", "sort", "tail", "tr"]
OTHERS = ["chromedriver", "chromium", "mosquitto", "mosquitto_passwd", "node", "setpriv", "strace"]
PROGRAMS = [*OF_SHELLS, *OF_FILES, *OF_TEXT, *OTHERS]
DEMO = "demo"
NOWHERE = "/nonexistent/compiler"


def main() -> None:
    """Run the program."""
    asked = _arguments()
    with tempfile.TemporaryDirectory(prefix="osscl-try-") as made:
        place = Path(made).resolve()
        here = Environment(place)
        wheel = fitting(asked.folder)
        here.install(f"{wheel}[cpu]")
        here.run("osscl", "demo")
        here.run("osscl", "doctor")
        if asked.tests != [DEMO]:
            group = f"{CHECKOUT}/pyproject.toml:test"
            here.install(*asked.need, f"{wheel}[{asked.extras}]", "--group", group)
            here.find_programs()
            tests = [str(CHECKOUT / each) if each.startswith("tests") else each for each in asked.tests]
            here.run("pytest", "--config-file", str(CHECKOUT / "pyproject.toml"), *tests)


class Environment:
    """A fresh virtual environment, alone on its PATH, in a folder of its own.

    Parameters
    ----------
    place : Path
        Folder in which it is made.
    """

    def __init__(self, place: Path) -> None:
        self._programs, self._folder = place / "environment" / "bin", place / "elsewhere"
        self._folder.mkdir()
        self._path = [self._programs]
        subprocess.run([sys.executable, "-m", "venv", self._programs.parent], check=True)
        self.run("pip", "install", "--quiet", "--upgrade", "pip")  # an older one knows no groups

    def install(self, *requirements: str) -> None:
        """Install wheels alone."""
        self.run("pip", "install", "--quiet", "--only-binary", ":all:", *requirements)

    def find_programs(self) -> None:
        """Let the programs be found that tests call."""
        links = self._folder.parent / "programs"
        links.mkdir()
        for name in PROGRAMS:
            found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
            if found:
                (links / name).symlink_to(found)
        self._path.append(links)

    def run(self, program: str, *arguments: str) -> None:
        """Run a program of the environment; end where it fails."""
        path = ":".join(map(str, self._path))
        own = os.environ | {"PATH": path, "CC": NOWHERE, "CXX": NOWHERE}
        own.pop("PYTHONPATH", None)
        print(f"$ {program} {' '.join(arguments)}", flush=True)
        done = subprocess.run([self._programs / program, *arguments], cwd=self._folder, env=own)
        if done.returncode:
            raise SystemExit(f"error: {program} ended with {done.returncode}")


def fitting(folder: Path) -> Path:
    """The wheel of osscl in a folder that this Python takes; the one that was made last."""
    taken = frozenset(sys_tags())
    wheels = [path for path in folder.glob("osscl-*.whl") if taken & parse_wheel_filename(path.name)[3]]
    if not wheels:
        raise SystemExit(
            f"error: {folder} holds no wheel of osscl for this Python: make one by wheels/building.py"
        )
    return max(wheels, key=lambda path: path.stat().st_mtime_ns).resolve()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder that holds the wheel")
    parser.add_argument("--extras", required=True, help="what tests need, besides their group")
    parser.add_argument("--need", action="append", default=[], help="requirements that come with them")
    parser.add_argument("tests", nargs="+", help=f"tests of the checkout, or {DEMO}: none of them")
    return parser.parse_args()


if __name__ == "__main__":
    main()
