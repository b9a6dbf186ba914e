"""Environments of their own, made of links to what is installed here, in which packages can be broken."""

import os
import subprocess
import sys
from collections.abc import Collection
from importlib import metadata
from pathlib import Path

import osscl

_TIMEOUT_S = 300
_HEAVY = ("torch", "safetensors", "onnx", "onnxscript", "openvino", "pyarrow")


class Environment:
    """A virtual environment that holds osscl and most of what is installed beside it.

    Parameters
    ----------
    folder : Path
        Where it is made.
    without : collection of str
        Packages that it lacks, by the names that pip knows them by; by default those that take long to load.
    """

    def __init__(self, folder: Path, without: Collection[str] = _HEAVY) -> None:
        subprocess.run(
            [sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=_TIMEOUT_S
        )
        self.python = folder / "bin" / "python"
        self.site = next((folder / "lib").glob("python3*/site-packages"))
        for place in _places():
            for entry in place.iterdir():
                if entry.suffix != ".pth" and not os.path.lexists(self.site / entry.name):
                    (self.site / entry.name).symlink_to(entry)
        for package in without:
            self.uninstall(package)

    def uninstall(self, package: str) -> None:
        """Take out a package, and what pip wrote down of it, as far as it is there."""
        try:
            files = metadata.distribution(package).files or []
        except metadata.PackageNotFoundError:
            return
        for name in {file.parts[0] for file in files} - {".."}:
            self.remove(name)

    def install_again(self, package: str) -> None:
        """Put back what `uninstall` took out."""
        for file in metadata.distribution(package).files or []:
            place = self.site / file
            place.parent.mkdir(parents=True, exist_ok=True)
            if not os.path.lexists(place):
                place.symlink_to(Path(str(file.locate())))

    def remove(self, name: str) -> None:
        """Take out a module, while pip still takes the package for installed."""
        (self.site / name).unlink(missing_ok=True)

    def hollow(self, name: str, *missing: str) -> Path:
        """Leave of a package's folder all but some of its files.

        Returns
        -------
        Path
            The folder.
        """
        real = (self.site / name).resolve()
        self.remove(name)
        (self.site / name).mkdir()
        for entry in real.iterdir():
            if entry.name not in missing:
                (self.site / name / entry.name).symlink_to(entry)
        return self.site / name

    def osscl(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run the console program to its end."""
        return self.run("from osscl.cli import main; main()", *arguments)

    def run(self, code: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a program to its end."""
        command: list[str | Path] = [self.python, "-c", code, *map(str, arguments)]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            env=environment | {"PYTHONDONTWRITEBYTECODE": "1"},
        )


def _places() -> list[Path]:
    """Folders that hold installed packages, osscl's own first."""
    own = Path(osscl.__file__).parents[1]
    return [own, *(Path(place) for place in sys.path if place.endswith("-packages") and Path(place) != own)]
