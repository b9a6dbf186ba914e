"""Wheels collected for another machine, from a folder of tiny ones in place of an index, and installed."""

import shlex
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest

from conftest import REPOSITORY
from support.made_wheels import make_wheel

pytestmark = pytest.mark.skipif(find_spec("uv") is None, reason="uv is not installed")

SCRIPT = REPOSITORY / "wheels" / "wheelhouse.py"
VERSION = version("osscl")
LARGE = b"# large\n" * 200_000
HERE = f"3.{sys.version_info.minor}"
PLATFORM = "manylinux_2_28_x86_64"
Collect = Callable[..., "subprocess.CompletedProcess[str]"]


def make_own(folder: Path, python: str = HERE, platform: str = PLATFORM, version: str = VERSION) -> Path:
    """A wheel that stands for osscl's own."""
    python_tag = f"cp{python.replace('.', '')}"
    needs = ["alpha>=1", 'gamma; extra == "cpu"', 'nowhere; extra == "tensorrt"']
    tag = f"{python_tag}-{python_tag}-{platform}"
    return make_wheel(folder, "osscl", version, tag, requires=needs, extras=["cpu", "tensorrt"])


@pytest.fixture
def collect(tmp_path: Path) -> Collect:
    """The program, with an index of tiny wheels and none else."""
    index = tmp_path / "index"
    conditions = ['beta; python_version >= "3.13"', 'arm; platform_machine == "aarch64"', "delta<2"]
    make_wheel(index, "alpha", "1.5", requires=conditions)
    make_wheel(index, "alpha", "0.9")
    make_wheel(index, "beta")
    make_wheel(index, "arm", tag="py3-none-manylinux_2_17_aarch64.manylinux2014_aarch64")
    make_wheel(index, "gamma", tag="py3-none-manylinux2014_x86_64")
    make_wheel(index, "gamma", tag="py3-none-manylinux_2_26_aarch64")
    make_wheel(index, "gamma", "1.1", tag="py3-none-manylinux_2_34_x86_64")
    make_wheel(index, "delta", "2.0")
    make_wheel(index, "delta", "1.9", content=LARGE)
    own = ["--own", "dist", "--no-index", "--find-links", str(index)]
    return lambda *words: subprocess.run(
        [sys.executable, SCRIPT, *own, *words], capture_output=True, text=True, timeout=120, cwd=tmp_path
    )


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.whl"))


EVERYWHERE = ["alpha-1.5-", "delta-1.9-", "osscl-"]


@pytest.mark.parametrize(
    ("python", "platform", "besides"),
    [
        ("3.14", PLATFORM, ["beta-1.0-", "gamma-1.0-py3-none-manylinux2014_x86_64"]),
        ("3.12", "manylinux_2_28_aarch64", ["arm-", "gamma-1.0-py3-none-manylinux_2_26_aarch64"]),
    ],
)
def test_what_the_other_machine_needs_is_collected_and_nothing_else(
    collect: Collect, tmp_path: Path, python: str, platform: str, besides: list[str]
) -> None:
    own = make_own(tmp_path / "dist", python, platform)
    done = collect("cpu", python, platform)
    assert done.returncode == 0, done.stderr
    [folder] = (tmp_path / "wheelhouse").iterdir()
    assert folder.name == f"osscl-{VERSION}-cpu-cp{python.replace('.', '')}-{platform}"
    found = names(folder)
    for name, beginning in zip(found, sorted(EVERYWHERE + besides), strict=True):
        assert name.startswith(beginning)
    lines = (folder / "requirements.txt").read_text().splitlines()
    told = dict(line.split(" --hash=sha256:") for line in lines)
    assert told[f"osscl[cpu]=={VERSION}"] == sha256(own.read_bytes()).hexdigest()
    assert [*told.values()] == [sha256((folder / name).read_bytes()).hexdigest() for name in found]
    checked = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, text=True)
    assert checked.returncode == 0
    assert len(checked.stdout.splitlines()) == len(found) + 1


def test_pieces_are_joined_and_installed_by_the_commands_told(collect: Collect, tmp_path: Path) -> None:
    make_own(tmp_path / "dist")
    done = collect("cpu", HERE, PLATFORM, "--piece-size", "1M")
    assert done.returncode == 0, done.stderr
    [folder] = (tmp_path / "wheelhouse").iterdir()
    first, there = done.stdout.splitlines()
    assert first.endswith("in 2 pieces")
    assert len([*folder.glob("wheels.tar.*")]) == 2
    join, install = there.removeprefix("there: ").split(" && ")
    subprocess.run(shlex.split(join), cwd=folder.parent, check=True, timeout=120)
    command = [sys.executable, "-m", *shlex.split(install), "--quiet", "--target", "site"]
    subprocess.run(command, cwd=folder.parent, check=True, timeout=120)
    installed = {path.name for path in (folder.parent / "site").glob("*.py")}
    assert {"osscl.py", "alpha.py", "gamma.py", "delta.py"} <= installed


def test_the_own_wheel_that_fits_best_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(REPOSITORY / "wheels"))
    for platform in ("manylinux_2_17_x86_64", PLATFORM, "manylinux_2_35_x86_64", "linux_x86_64"):
        make_own(tmp_path, platform=platform)
    make_own(tmp_path, version="0.0.1")
    (tmp_path / "osscl-mine.whl").write_text("no wheel")
    target = import_module("target").Target.named(HERE, "manylinux_2_31_x86_64")
    own = import_module("own_wheel").own_wheel(tmp_path, VERSION, target)
    assert PLATFORM in own.name
    assert VERSION in own.name


NONE_FITS = f"holds no wheel of osscl {VERSION} for Python"
ON = f"on {PLATFORM}, but"
THOSE_OF_TENSORRT = f"error: the wheels of osscl[tensorrt] for Python {HERE} on {PLATFORM} are not to be had"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["gpu", "3.11", PLATFORM], "error: there is no extra 'gpu'; osscl has cpu, cuda, export, "),
        (["cpu,", "3.11", PLATFORM], "error: there is no extra ''; osscl has cpu, cuda, export, "),
        (["cpu", "3.10", PLATFORM], "error: the Python is 3.10; osscl needs 3.11 or newer"),
        (["cpu", "3.11", "amd64"], "error: the platform is 'amd64'; write one such as "),
        (["cpu", "3.11", PLATFORM, "--piece-size", "60"], "error: --piece-size is '60'; write a whole "),
        (["cpu", "3.99", PLATFORM], f"error: dist {NONE_FITS} 3.99 {ON} osscl-{VERSION}-cp"),
        (["cpu", HERE, PLATFORM, "--own", "x"], f"error: x {NONE_FITS} {HERE} {ON} none of osscl"),
        (["tensorrt", HERE, PLATFORM], f"{THOSE_OF_TENSORRT}: nowhere was not found in "),
        (["cpu", HERE, PLATFORM, "--output", "/proc/there"], "error: /proc/there cannot be written: "),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence_and_leaves_nothing(
    collect: Collect, tmp_path: Path, words: list[str], told: str
) -> None:
    make_own(tmp_path / "dist")
    done = collect(*words)
    assert done.returncode == 1
    assert done.stderr.startswith(told)
    assert len(done.stderr.splitlines()) == 1
    place = tmp_path / "wheelhouse"
    assert not place.exists() or not [*place.iterdir()]


def test_a_wheelhouse_that_is_there_is_let_be(collect: Collect, tmp_path: Path) -> None:
    make_own(tmp_path / "dist")
    place = tmp_path / "wheelhouse" / f"osscl-{VERSION}-cpu-cp{HERE.replace('.', '')}-{PLATFORM}"
    place.mkdir(parents=True)
    done = collect("cpu", HERE, PLATFORM)
    told = f"error: {place.relative_to(tmp_path)} is there already: remove it, "
    assert done.stderr == told + "or name another folder by --output\n"
    assert not [*place.iterdir()]


def test_a_disk_without_room_is_told_and_left_empty(tmp_path: Path) -> None:
    make_own(tmp_path / "dist")
    for name in ("alpha", "gamma"):
        make_wheel(tmp_path / "dist", name, content=bytes(100_000))
    (tmp_path / "small").mkdir()
    own = ["--own", "dist", "--no-index", "--find-links", "dist", "--output", "small"]
    words = [sys.executable, str(SCRIPT), *own, "cpu", HERE, PLATFORM]
    script = f"mount -t tmpfs -o size=128k small small && {shlex.join(words)}; ls -A small"
    command = ["unshare", "-rm", "sh", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path)
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    assert done.stderr.startswith("error: ")
    assert "No space left on device" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
