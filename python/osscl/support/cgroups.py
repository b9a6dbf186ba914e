"""How much of the processors a control group lets its processes use: what containers set by ``--cpus``.

References
----------
Linux: Documentation/admin-guide/cgroup-v2.rst (``cpu.max``), Documentation/scheduler/sched-bwc.rst
(``cpu.cfs_quota_us``), proc_pid_cgroup(5), proc_pid_mountinfo(5)
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class CpuQuota(NamedTuple):
    """Processor time that a control group may use.

    Attributes
    ----------
    processors : float
        In units of the time that passes: 1.5 is one processor and a half.
    folder : Path
        The group that says so.
    """

    processors: float
    folder: Path


class _Mount(NamedTuple):
    is_v2: bool
    root: str  # the group that is seen at `place`
    place: Path


def cpu_quota(root: Path = Path("/")) -> CpuQuota | None:
    """Find the smallest quota of the groups that this process is in, of both versions of control groups.

    Parameters
    ----------
    root : Path
        Top of the file tree, below which ``proc`` and the mounts of control groups lie.

    Returns
    -------
    CpuQuota or None
        None where no quota is set, or none can be read.
    """
    try:
        mounts = list(_cpu_mounts(root))
        groups = dict(_cpu_groups(root))
    except (OSError, ValueError):  # no Linux, or one without control groups as these are described
        return None
    quotas = [
        quota
        for mount in mounts
        if mount.is_v2 in groups
        for folder in _up_to_the_mount(mount, groups[mount.is_v2])
        for quota in _read_quota(folder, mount.is_v2)
    ]
    return min(quotas, key=lambda quota: quota.processors, default=None)


def _cpu_groups(root: Path) -> Iterator[tuple[bool, str]]:
    """Whether it is of version 2, and path of the group, for each hierarchy that may limit processors."""
    for line in _lines(root / "proc/self/cgroup"):
        number, controllers, path = line.split(":", 2)
        if number == "0" and not controllers:
            yield True, path
        elif "cpu" in controllers.split(","):
            yield False, path


def _cpu_mounts(root: Path) -> Iterator[_Mount]:
    for line in _lines(root / "proc/self/mountinfo"):
        place, _, kind = line.partition(" - ")
        group, folder = place.split(" ")[3:5]
        file_system, _, options = kind.split(" ", 2)
        is_v2 = file_system == "cgroup2"
        if is_v2 or (file_system == "cgroup" and "cpu" in options.split(",")):
            yield _Mount(is_v2, _decoded(group), root / _decoded(folder).lstrip("/"))


def _up_to_the_mount(mount: _Mount, group: str) -> Iterator[Path]:
    """Folders of a group and of all groups around it: each of them may set a quota, and all of them hold."""
    # in a container the mount often shows the container's own group as the top, and nothing outside of it
    top = mount.root.rstrip("/")
    is_below = f"{group}/".startswith(f"{top}/") and ".." not in group.split("/")
    folder = mount.place / group[len(top) :].lstrip("/") if is_below else mount.place
    yield folder
    while folder != mount.place:
        folder = folder.parent
        yield folder


def _read_quota(folder: Path, is_v2: bool) -> Iterator[CpuQuota]:
    """The quota of one group; nothing where it has none."""
    try:
        if is_v2:
            quota, period = _content(folder / "cpu.max").split()
        else:
            quota, period = (_content(folder / f"cpu.cfs_{name}_us") for name in ("quota", "period"))
        if quota not in ("max", "-1"):
            yield CpuQuota(int(quota) / int(period), folder)
    except (OSError, ValueError, ZeroDivisionError):
        return  # the top has no such file, and neither has a group whose parent does not hand processors out


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()


def _content(path: Path) -> str:
    return path.read_text(encoding="ascii").strip()


def _decoded(field: str) -> str:
    r"""A path as it is: mountinfo writes blanks and backslashes as ``\040`` and the like."""
    return re.sub(r"\\([0-7]{3})", lambda digits: chr(int(digits[1], 8)), field)
