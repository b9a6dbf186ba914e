"""Memory of a training on the CPU."""

import ctypes
import sys
from typing import Any

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4  # of malloc.h
_KEEP_BYTES = 2**31 - 1
_GROW_BYTES = 2**28


def keep_freed_memory() -> None:
    """Let the C library keep the memory of freed tensors instead of giving it back to the system.

    A step makes and frees gigabytes of activations; getting them anew from the system costs a page fault
    for each 4 KiB, a large share of a step's time. Does nothing where the C
    library is not glibc.
    """
    mallopt = _c_function("mallopt")
    if mallopt is not None:
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, _KEEP_BYTES)
        mallopt(_M_TOP_PAD, _GROW_BYTES)


def give_back_freed_memory() -> None:
    """Give what the C library kept back to the system: of an earlier training in this process, gigabytes."""
    malloc_trim = _c_function("malloc_trim")
    if malloc_trim is not None:
        malloc_trim(0)


def _c_function(name: str) -> Any:
    """A function of glibc's; None where the C library is another one."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform.startswith("linux") else None
