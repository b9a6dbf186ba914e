"""Collects the wheels that osscl with an extra needs on another machine.

uv says which they are, since pip would read a package's conditions ("only below Python 3.12", "only on
x86_64") as if they were asked of this machine; pip fetches them and holds them against the index's hashes.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from packaging.utils import parse_wheel_filename

from refused import Refused
from target import Target
from two_builds import sha256

REQUIREMENTS = "requirements.txt"
NVIDIA = "--extra-index-url https://pypi.nvidia.com"


def collect(own: Path, extras: str, target: Target, folder: Path, indexes: Sequence[str] = ()) -> None:
    """Put all wheels into a folder, with a requirements.txt of their hashes.

    Parameters
    ----------
    own : Path
        The wheel of osscl.
    extras : str
        Extras of osscl, with commas.
    target : Target
        The machine.
    folder : Path
        Folder that receives them.
    indexes : sequence of str
        Options that say where packages are looked for; uv and pip know the same ones.

    Raises
    ------
    Refused
        A package is not to be had.
    """
    pinned = folder / "pinned.txt"
    pinned.write_text(_pinned(own, extras, target, indexes), encoding="utf-8")
    _download(pinned, target, folder, indexes)
    pinned.unlink()
    shutil.copyfile(own, folder / own.name)
    of_each = ((path, extras if path.name == own.name else "") for path in sorted(folder.glob("*.whl")))
    lines = [_requirement(*each) for each in of_each]
    (folder / REQUIREMENTS).write_text("".join(lines), encoding="utf-8")


def _pinned(own: Path, extras: str, target: Target, indexes: Sequence[str]) -> str:
    """Each package that osscl needs there, its version and hashes; osscl itself is not among them."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate"]
    command += ["--python", sys.executable, "--python-version", ".".join(map(str, target.python))]
    command += ["--python-platform", target.uv_platform, "--only-binary", ":all:", "--generate-hashes"]
    command += ["--no-emit-package", "osscl", *indexes, "-"]
    done = subprocess.run(
        command,
        input=f"osscl[{extras}] @ {own.resolve().as_uri()}\n",
        capture_output=True,
        text=True,
        env=os.environ | {"UV_PYTHON_DOWNLOADS": "never"},  # it would fetch the target's Python
    )
    if done.returncode:
        raise Refused(_not_to_be_had(done.stderr, extras, target))
    return done.stdout


def _download(pinned: Path, target: Target, folder: Path, indexes: Sequence[str]) -> None:
    platforms = [f"--platform={platform}" for platform in target.pip_platforms()]
    python = ["--implementation=cp", f"--python-version={target.python[0]}.{target.python[1]}"]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += ["--require-hashes", f"--dest={folder.resolve()}", *python, *platforms, *indexes]
    done = subprocess.run(
        [*command, "--requirement", str(pinned)],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(folder.resolve().parent)},  # gigabytes lie where they are asked for
    )
    if done.returncode:
        told = done.stderr.strip().splitlines() or ["pip says nothing"]
        raise Refused(f"pip cannot fetch all wheels for {target}: {told[-1].removeprefix('ERROR: ')}")


def _not_to_be_had(told: str, extras: str, target: Target) -> str:
    """What uv tells, over several lines, as one sentence."""
    reason = told.partition("\nhint:")[0].partition("cause: ")[2] or told.partition("error: ")[2] or told
    words = " ".join(reason.split()).partition(" we can conclude")[0].removeprefix("Because ")
    words = words.replace(" cause:", ",").rstrip(".")
    sentence = f"the wheels of osscl[{extras}] for {target} are not to be had: {words}"
    if "tensorrt" in reason:
        return f"{sentence}; those of TensorRT lie in NVIDIA's index: {NVIDIA}"
    return f"{sentence}; other indexes are named by --extra-index-url, folders of wheels by --find-links"


def _requirement(wheel: Path, extras: str) -> str:
    name, version, _, _ = parse_wheel_filename(wheel.name)
    chosen = f"[{extras}]" if extras else ""
    return f"{name}{chosen}=={version} --hash=sha256:{sha256(wheel)}\n"
