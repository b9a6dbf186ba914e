"""The PTX of this build, and the tool that makes it."""

import ctypes
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from osscl.cuda import front_end
from support.host_kernels import REPOSITORY

PACKAGE = "nvidia-cuda-nvrtc-cu12"


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A copy of the native sources in a folder of another name."""
    try:
        metadata.version(PACKAGE)
    except metadata.PackageNotFoundError:
        pytest.skip(f"{PACKAGE}, which compiles CUDA sources, is not installed here")
    return Path(shutil.copytree(REPOSITORY / "csrc", tmp_path / "elsewhere"))


@pytest.fixture
def ptx() -> str:
    """The PTX of this build."""
    kernels = front_end.front_end_code()
    if kernels is None:
        pytest.skip(f"no CUDA front end: {front_end.reason_without()}")
    return kernels.decode()


def compile_ptx(sources: Path) -> subprocess.CompletedProcess[str]:
    tool, source, target = (sources / "cuda" / name for name in ("to_ptx.py", "logmel.cu", "logmel.ptx"))
    command = [sys.executable, str(tool), str(source), str(target)]
    return subprocess.run(command, capture_output=True, text=True)


def test_it_is_made_for_turing_and_the_oldest_driver(ptx: str) -> None:
    assert ".version 8.2\n" in ptx
    assert ".target sm_75\n" in ptx
    assert re.findall(r"\.visible \.entry (\w+)\(", ptx) == ["log_mel_int16", "log_mel_float32"]


def test_its_arrays_lie_in_registers(ptx: str) -> None:
    assert ".local" not in ptx  # the stack frame of a thread, in the card's memory


def test_its_arguments_are_as_large_as_what_is_handed_over(ptx: str) -> None:
    sizes = {"0": ctypes.sizeof(front_end._Tables), "1": ctypes.sizeof(front_end._Batch)}
    declared = re.findall(r"\.param \.align 8 \.b8 \w+_param_(\d)\[(\d+)\]", ptx)
    assert [(number, int(size)) for number, size in declared] == [*sizes.items()] * 2


def test_the_same_sources_give_the_same_bytes_anywhere(ptx: str, sources: Path) -> None:
    target = sources / "cuda" / "logmel.ptx"
    for _ in range(2):
        made = compile_ptx(sources)
        assert made.returncode == 0, made.stderr
        assert target.read_text() == ptx
        target.unlink()


def test_a_warning_is_an_error(sources: Path) -> None:
    source = sources / "cuda" / "logmel.cu"
    source.write_text(source.read_text() + "\nstatic __device__ int f() { int unused; return 1; }\n")
    made = compile_ptx(sources)
    assert made.returncode == 1
    assert "NVRTC refuses" in made.stderr
    assert "unused" in made.stderr
    assert not (sources / "cuda" / "logmel.ptx").exists()


def test_the_compiler_is_pinned_alike_everywhere() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    (tested_with,) = (
        name
        for name in project["dependency-groups"]["test"]
        if isinstance(name, str) and name.startswith(PACKAGE)
    )
    version = re.search(r'VERSION = "(.*)"', (REPOSITORY / "csrc" / "cuda" / "to_ptx.py").read_text())
    assert version is not None
    assert tested_with.startswith(f"{PACKAGE}=={version[1]};")
