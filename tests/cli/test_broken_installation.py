"""One broken part takes no other with it: what needs it says in a sentence what to do, all else works."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from osscl.synth import DatasetPlan, write_dataset
from support.environments import Environment


@dataclass(frozen=True, slots=True)
class Breakage:
    """A way in which an installation can be broken.

    Attributes
    ----------
    do : callable
        Breaks it.
    what : str
        The finding of ``osscl doctor`` that tells.
    found : str
        Regular expression for what it tells.
    remedy : str
        Regular expression for the command that mends it.
    command : str or None
        A command that needs what is broken.
    """

    do: Callable[[Environment], Any]
    what: str
    found: str
    remedy: str
    command: str | None


def reinstall(package: str) -> str:
    return rf'pip install --force-reinstall --no-deps "{package}==[\w.]+"'


BREAKAGES = {
    "no libsndfile": Breakage(
        lambda made: _lose_libsndfile(made),
        *("audio", "OSError: .*sndfile.*", reinstall("soundfile"), "score demo {clips}"),
    ),
    "no soundfile": Breakage(
        lambda made: made.uninstall("soundfile"),
        *("audio", "ModuleNotFoundError: .*", r'pip install "osscl==[\w.]+"', "synth {new}"),
    ),
    "half of ONNX Runtime": Breakage(
        lambda made: made.hollow("onnxruntime", "__init__.py"),
        *("onnxruntime", "ImportError: no more than the folder .*onnxruntime is left of it"),
        *(reinstall("onnxruntime"), "score demo {clips} --backend onnxruntime"),
    ),
    "no files of ONNX Runtime": Breakage(
        lambda made: made.remove("onnxruntime"),
        *("onnxruntime", "ModuleNotFoundError: .*", reinstall("onnxruntime")),
        "score demo {clips}",
    ),
    "half of NumPy": Breakage(
        lambda made: made.hollow("numpy", "_core"),
        *("front end", r"(ImportError|ModuleNotFoundError): .*", reinstall("numpy"), "score demo {clips}"),
    ),
    "no files of msgspec": Breakage(
        lambda made: made.remove("msgspec"),
        *("packages", "ModuleNotFoundError: .*", reinstall("msgspec"), "inspect demo"),
    ),
    "no filelock": Breakage(
        lambda made: made.uninstall("filelock"),
        *("engine cache", "ModuleNotFoundError: .*", r'pip install "osscl==[\w.]+"', "engine list"),
    ),
    "no native code": Breakage(
        lambda made: made.hollow("osscl", *_native(made)),
        *("front end", "ImportError: .*_native.*", reinstall("osscl"), "score demo {clips}"),
    ),
    "half of soxr": Breakage(
        lambda made: made.hollow("soxr", "__init__.py"),
        *("soxr", "ImportError: no more than .*", reinstall("soxr"), "score demo {clips} --resample"),
    ),
    "a part that ends the process": Breakage(
        lambda made: (made.hollow("soxr", "__init__.py") / "__init__.py").write_text(
            "import os, signal; os.kill(os.getpid(), signal.SIGILL)"
        ),
        *("soxr", r"loading it ends the process \(SIGILL\)", reinstall("soxr"), None),
    ),
}


def _lose_libsndfile(made: Environment) -> None:
    """Take soundfile's own library away, on a machine that has no other."""
    libraries = [path.name for path in (made.site / "_soundfile_data").iterdir() if "sndfile" in path.name]
    made.hollow("_soundfile_data", *libraries)
    code = "import ctypes.util; ctypes.util.find_library = lambda name: None"
    (made.site / "sitecustomize.py").write_text(code)


def _native(made: Environment) -> list[str]:
    return [path.name for path in (made.site / "osscl").glob("_native*.so")]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for _ in write_dataset(folder, DatasetPlan(machines=1, normal=1), overwrite=True):
        pass
    return folder


def test_what_works_here_works_in_an_environment_of_links(tmp_path: Path, clips: Path) -> None:
    made = Environment(tmp_path / "made")
    assert Path(made.run("import osscl; print(osscl.__file__)").stdout).is_relative_to(made.site)
    scored = made.osscl("score", "demo", clips, "--device", "cpu")
    assert scored.returncode == 0, scored.stderr
    healthy = made.osscl("doctor", "--all")
    assert healthy.returncode == 0, healthy.stdout
    assert "missing  torch: not installed" in healthy.stdout


@pytest.mark.parametrize("name", BREAKAGES)
def test_a_broken_part_takes_no_other_with_it(name: str, tmp_path: Path, clips: Path) -> None:
    breakage = BREAKAGES[name]
    made = Environment(tmp_path / "made")
    breakage.do(made)
    version = made.osscl("--version")
    assert (version.returncode, version.stderr) == (0, "")
    assert made.osscl("--help").returncode == 0
    doctor = made.osscl("doctor", "--json")
    assert doctor.stderr == ""
    assert doctor.returncode == 1
    findings = json.loads(doctor.stdout)
    (finding,) = (each for each in findings if each["what"] == breakage.what and each["state"] == "broken")
    assert re.search(breakage.found, finding["found"])
    assert re.fullmatch(breakage.remedy, finding["remedy"])
    if breakage.command is None:
        return
    words = breakage.command.format(clips=clips, new=tmp_path / "new").split()
    failed = made.osscl(*words)
    assert failed.returncode == 1, failed.stderr
    assert len(failed.stderr.splitlines()) == 1, failed.stderr
    assert re.fullmatch(rf"error: .*: {breakage.remedy}\n", failed.stderr)


def test_a_broken_console_says_so_in_a_sentence(tmp_path: Path) -> None:
    made = Environment(tmp_path / "made")
    made.hollow("typer", "core.py")
    failed = made.osscl("--version")
    assert failed.returncode == 1
    assert re.fullmatch(
        rf"error: the package typer cannot be loaded \(.*\): {reinstall('typer')}\n", failed.stderr
    )


def test_an_error_that_no_import_raised_stays_as_it_is(tmp_path: Path) -> None:
    made = Environment(tmp_path / "made")
    code = (
        "import osscl.health, osscl.cli\n"
        "def check_health(): raise ValueError('not of an import')\n"
        "osscl.health.check_health = check_health\n"
        "osscl.cli.main()"
    )
    failed = made.run(code, "doctor")
    assert failed.returncode == 1
    assert failed.stderr.startswith("Traceback")
    assert failed.stderr.endswith("ValueError: not of an import\n")


def write_wheel(folder: Path) -> None:
    """Write a wheel that stands for soxr, so that pip needs no network for it."""
    files = {
        "soxr/__init__.py": "def resample(): ...\n",
        "soxr-9.9.9.dist-info/METADATA": "Metadata-Version: 2.1\nName: soxr\nVersion: 9.9.9\n",
        "soxr-9.9.9.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in (*files, "soxr-9.9.9.dist-info/RECORD"))
    with ZipFile(folder / "soxr-9.9.9-py3-none-any.whl", "w") as wheel:
        for name, content in (files | {"soxr-9.9.9.dist-info/RECORD": record}).items():
            wheel.writestr(name, content)


@pytest.mark.parametrize("lost", ["soxr/__init__.py", "soxr-9.9.9.dist-info/RECORD"])
def test_pip_does_what_the_remedy_says(lost: str, tmp_path: Path) -> None:
    """A plain ``pip install`` takes a package for installed whose files are gone."""
    made = Environment(tmp_path / "made")
    made.uninstall("soxr")
    write_wheel(tmp_path)

    def pip(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pip", "--python", str(made.python), *arguments]
        settings = {
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(tmp_path),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }
        return subprocess.run(command, capture_output=True, text=True, timeout=300, env=os.environ | settings)

    def soxr() -> dict[str, str]:
        found = json.loads(made.osscl("doctor", "--json").stdout)
        return next(each for each in found if each["what"] == "soxr")

    installed = pip("install", "soxr")
    if "No module named pip" in installed.stderr:
        pytest.skip("pip is not installed beside the tests")
    assert installed.returncode == 0, installed.stderr
    assert soxr()["state"] == "ok"
    (made.site / lost).unlink()
    (made.site / "soxr" / "__init__.py").unlink(missing_ok=True)
    broken = soxr()
    assert broken["state"] == "broken"
    assert "already satisfied" in pip("install", "soxr").stdout
    assert soxr()["state"] == "broken"
    program, *arguments = shlex.split(broken["remedy"])
    assert program == "pip"
    mended = pip(*arguments)
    assert mended.returncode == 0, mended.stderr
    assert soxr()["state"] == "ok"
