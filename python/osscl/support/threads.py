"""How many processors may be used."""

import os

from osscl.errors import ConfigError


def usable_cpus() -> int:
    """Processors that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def checked_threads(threads: int) -> int:
    """`threads` itself, where it is a usable number of threads."""
    if threads < 1:
        raise ConfigError(f"threads is {threads}; it must be at least 1")
    return threads
