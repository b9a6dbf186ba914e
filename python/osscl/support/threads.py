"""How many processors may be used."""

import functools
import math
import os
from pathlib import Path

from osscl.support.cgroups import CpuQuota, cpu_quota
from osscl.support.counts import checked_count

FILE_TREE = Path("/")
MAX_THREADS = 4096
"""More processors than a machine has, and threads that systems still start: more is a typing error."""


def usable_cpus(root: Path = FILE_TREE) -> int:
    """Processors that this process may run on, and no more than the quota of its control group lasts for.

    Parameters
    ----------
    root : Path
        Top of the file tree that tells of control groups.

    Returns
    -------
    int
        At least 1.
    """
    quota = own_quota(root)
    bound = bound_cpus()
    return bound if quota is None else max(1, min(bound, math.ceil(quota.processors)))


def bound_cpus() -> int:
    """Processors that this process may run on, however long."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@functools.cache
def own_quota(root: Path = FILE_TREE) -> CpuQuota | None:
    """The quota of this process's control group; looked up once, as every log-mel asks for it."""
    return cpu_quota(root)


def checked_threads(threads: object) -> int:
    """`threads` as an int, where it is a usable number of threads."""
    return checked_count("threads", threads, MAX_THREADS)
