"""What building osscl says on systems that it does not build on as a whole."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.compilers import compiler

REPOSITORY = Path(__file__).resolve().parents[1]


def configured(folder: Path, compiler: Path) -> subprocess.CompletedProcess[str]:
    """What CMake makes of the project with a compiler."""
    cmake = shutil.which("cmake") or pytest.skip("CMake is not installed here")
    command = [cmake, "-S", str(REPOSITORY), "-B", str(folder), f"-DCMAKE_CXX_COMPILER={compiler}"]
    return subprocess.run(command, capture_output=True, text=True)


def test_a_compiler_that_is_too_old_is_told_before_anything_is_compiled(tmp_path: Path) -> None:
    old = tmp_path / "g++"
    old.write_text(f'#!/bin/sh\nexec {compiler("g++")} -U__GNUC__ -D__GNUC__=10 "$@"\n')
    old.chmod(0o755)
    told = configured(tmp_path / "made", old)
    assert told.returncode != 0
    assert "The compiler is GCC 10" in told.stderr
    assert "needs GCC 11 or newer" in told.stderr
    assert not list((tmp_path / "made").rglob("*kernel*.o"))


@pytest.mark.parametrize("name", ["g++-11", "clang++-13"])
def test_the_oldest_compilers_build_a_core_that_works(name: str, tmp_path: Path) -> None:
    sources = [*(REPOSITORY / "csrc").glob("*.cpp"), *(REPOSITORY / "tests" / "cpp").glob("*.cpp")]
    left_out = ("bindings", "multiply_add_bf16")  # for Python, and for one instruction set alone
    core = [str(source) for source in sources if not source.name.startswith(left_out)]
    asked = ["-std=c++20", "-O2", "-Wall", "-Wextra", "-Werror", "-pthread", f"-I{REPOSITORY / 'csrc'}"]
    asked += ["-DOSSCL_HAS_generic", "-DOSSCL_ISA=generic", "-DOSSCL_LANES=4"]
    program = tmp_path / "core_test"
    subprocess.run([compiler(name), *asked, *core, "-o", str(program)], check=True)
    subprocess.run([program], check=True)


SYSTEMS: dict[str, tuple[dict[str, Any], bool]] = {
    "glibc": ({}, True),
    "musl": ({"libc_ver": ("", "")}, False),
    "aarch64": ({"machine": "aarch64"}, False),
    "macOS": ({"system": "Darwin"}, False),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_nvrtc_is_asked_for_where_it_is_published(name: str) -> None:
    pytest.importorskip("scikit_build_core", reason="scikit-build-core, the build backend, is not installed")
    answers, is_published = SYSTEMS[name]
    system: dict[str, Any] = {"system": "Linux", "machine": "x86_64", "libc_ver": ("glibc", "2.35")}
    system.update(answers)
    program = (
        f"import platform, sys; sys.path.insert(0, 'csrc/cuda')\n"
        f"for name, answer in {system!r}.items(): setattr(platform, name, lambda answer=answer: answer)\n"
        "import build_backend as hooks, to_ptx\n"
        "needed = hooks.get_requires_for_build_wheel() + hooks.get_requires_for_build_editable()\n"
        "print(sum(need == 'nvidia-cuda-nvrtc-cu12==12.2.140' for need in needed))\n"
        "print(to_ptx.reason_unpublished())\n"
    )
    told = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True)
    n_asked, reason = told.stdout.splitlines()
    assert n_asked == ("2" if is_published else "0")
    assert (reason == "None") == is_published
    assert is_published or "nvidia-cuda-nvrtc-cu12==12.2.140 is published for" in reason
