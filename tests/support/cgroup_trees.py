"""Trees of files that tell a process of its control groups, as Linux lays them out."""

from pathlib import Path

V2_MOUNT = "30 23 0:26 {group} {place} rw,nosuid,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate"
V1_MOUNT = "33 25 0:29 {group} {place} rw,nosuid,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct"
OTHERS = (
    "23 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw,discard",
    "34 25 0:30 / /sys/fs/cgroup/cpuset rw,relatime shared:10 - cgroup cgroup rw,cpuset",
    "35 25 0:31 / /sys/fs/cgroup/systemd rw,relatime - cgroup systemd rw,xattr,name=systemd",
)
SYS = "/sys/fs/cgroup"


def v2(group: str = "/", place: str = SYS) -> str:
    return V2_MOUNT.format(group=group, place=place)


def v1(group: str = "/", place: str = f"{SYS}/cpu,cpuacct") -> str:
    return V1_MOUNT.format(group=group, place=place)


def write_tree(root: Path, groups: str, *mounts: str, **files: str) -> Path:
    """Write what tells a process of its control groups, and files of these by their paths."""
    for path, content in (
        ("proc/self/cgroup", groups),
        ("proc/self/mountinfo", "\n".join((*OTHERS, *mounts, ""))),
        *files.items(),
    ):
        (root / path.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        (root / path.lstrip("/")).write_text(content)
    return root
