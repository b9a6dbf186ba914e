"""The CUDA kernels, compiled for the host behind `tests/cuda/host_shim.hpp` for the stand-in driver."""

import ctypes
import functools
import subprocess
from pathlib import Path
from typing import Any

from support.compilers import cpp_compiler
from support.once import made_once

REPOSITORY = Path(__file__).resolve().parents[2]
LIBRARY = "host_kernels.so"
_WARNINGS = ("-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas")


class HostKernels:
    """The kernels of one build.

    Parameters
    ----------
    library : Path
        What `compile_host_kernels` made.
    """

    def __init__(self, library: Path) -> None:
        self._library = ctypes.CDLL(str(library))

    def function(self, name: str) -> Any:
        """Find a kernel by its name.

        Returns
        -------
        ctypes function
            bool (unsigned grid_x, unsigned grid_y, unsigned block, void** arguments); any thread may call it.
        """
        function = self._library[f"run_{name}"]
        function.restype = ctypes.c_bool
        return function

    def set_thread_order(self, order: int) -> None:
        """Run the threads of a block forwards (0), backwards (1), or in an order shuffled by a seed."""
        self._library.set_thread_order(order)


def compile_host_kernels(folder: Path, source: Path | None = None) -> Path:
    """Compile the kernels.

    Parameters
    ----------
    folder : Path
        Folder that receives the library.
    source : Path, optional
        Folder that takes the place of ``csrc``.

    Returns
    -------
    Path
        The library.
    """
    library = folder / LIBRARY
    tests = REPOSITORY / "tests" / "cuda"
    includes = (f"-I{source or REPOSITORY / 'csrc'}", f"-I{tests}")
    options = ("-std=c++20", "-O2", "-U_FORTIFY_SOURCE", "-fPIC", "-shared", *_WARNINGS, *includes)
    subprocess.run([cpp_compiler(), *options, tests / "host_kernels.cpp", "-o", library], check=True)
    return library


@functools.cache
def host_kernels() -> HostKernels:
    """The kernels of this checkout, compiled once for all processes of a run."""
    return HostKernels(made_once("host_kernels", compile_host_kernels) / LIBRARY)
