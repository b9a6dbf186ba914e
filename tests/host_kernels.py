"""The CUDA kernels, compiled for the host behind `tests/cuda/host_shim.hpp`, and a device that runs them.

Addresses are those of the process's own memory. A launch is done when the call returns.
"""

import ctypes
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

REPOSITORY = Path(__file__).resolve().parents[1]
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

    def launch(
        self, name: str, grid: tuple[int, int], block: int, arguments: Sequence[Any], order: int = 0
    ) -> None:
        """Run a kernel to its end.

        Parameters
        ----------
        name : str
            Its name.
        grid : (int, int)
            Blocks along x and y.
        block : int
            Threads of a block.
        arguments : sequence of ctypes values
            One for each argument of the kernel.
        order : int
            Of the threads of a block: 0 forwards, 1 backwards, beyond that a seed of a shuffled order.
        """
        addresses = (ctypes.c_void_p * len(arguments))(*(ctypes.addressof(value) for value in arguments))
        self._library.set_thread_order(order)
        if not self.function(name)(*grid, block, addresses):
            raise RuntimeError(f"{name}: threads wait at a barrier that the others do not reach")


def compile_host_kernels(folder: Path, source: Path | None = None) -> HostKernels:
    """Compile the kernels.

    Parameters
    ----------
    folder : Path
        Folder that receives the library.
    source : Path, optional
        Folder that takes the place of ``csrc``.
    """
    compiler = os.environ.get("CXX") or shutil.which("c++") or "c++"
    library = folder / "host_kernels.so"
    tests = REPOSITORY / "tests" / "cuda"
    includes = (f"-I{source or REPOSITORY / 'csrc'}", f"-I{tests}")
    options = ("-std=c++20", "-O2", "-fPIC", "-shared", *_WARNINGS, *includes)
    subprocess.run([compiler, *options, tests / "host_kernels.cpp", "-o", library], check=True)
    return HostKernels(library)


@dataclass
class HostMemory:
    """Memory of the device, filled with NaN at first."""

    bytes: npt.NDArray[np.uint8]
    is_open: bool = True

    @property
    def address(self) -> int:
        """Where it begins."""
        return self.bytes.ctypes.data

    def close(self) -> None:
        """Give it back."""
        self.is_open = False


class HostModule:
    """Kernels by their names."""

    def kernel(self, name: str) -> str:
        """Find a kernel: its name is all that the device needs."""
        return name


class HostDevice:
    """A device as `osscl.cuda` sees one, whose memory is the host's and whose kernels run here.

    Parameters
    ----------
    kernels : HostKernels
        What it runs.
    order : int
        Of the threads, as in `HostKernels.launch`.
    """

    def __init__(self, kernels: HostKernels, order: int = 0) -> None:
        self.memories: list[HostMemory] = []
        self._kernels = kernels
        self._order = order

    def memory(self, n_bytes: int) -> HostMemory:
        """Allocate memory, aligned to 256 bytes as on a card."""
        buffer = np.full(n_bytes + 256, 0xFF, np.uint8)
        start = -buffer.ctypes.data % 256
        self.memories.append(HostMemory(buffer[start : start + n_bytes]))
        return self.memories[-1]

    def copy_to(self, memory_address: int, array: npt.NDArray[Any]) -> None:
        """Copy an array to the device's memory."""
        assert array.flags.c_contiguous
        owners = (memory for memory in self.memories if memory.is_open)
        assert any(
            memory.address <= memory_address
            and memory_address + array.nbytes <= memory.address + memory.bytes.size
            for memory in owners
        )
        ctypes.memmove(memory_address, array.ctypes.data, array.nbytes)

    def load(self, ptx: bytes) -> HostModule:
        """Take PTX for what it is: text that the host cannot run."""
        assert b".target sm_75" in ptx
        return HostModule()

    def launch(
        self, kernel: str, grid: tuple[int, int], block: int, arguments: Sequence[Any], stream: int
    ) -> None:
        """Run a kernel to its end."""
        self._kernels.launch(kernel, grid, block, arguments, self._order)
