"""How many processors may be used."""

import os

from osscl.support.counts import checked_count

MAX_THREADS = 4096
"""More processors than a machine has, and threads that systems still start: more is a typing error."""


def usable_cpus() -> int:
    """Processors that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def checked_threads(threads: object) -> int:
    """`threads` as an int, where it is a usable number of threads."""
    return checked_count("threads", threads, MAX_THREADS)
