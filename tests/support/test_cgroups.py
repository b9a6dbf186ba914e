"""Quotas of control groups, read from trees of files as Linux and container engines lay them out."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from osscl.support.cgroups import cpu_quota
from osscl.support.threads import bound_cpus, usable_cpus
from support.cgroup_trees import SYS, v1, v2, write_tree

# name: what stands in /proc/self/cgroup, mounts, files below /sys/fs/cgroup, quota, group that sets it
TREES: dict[str, tuple[str, list[str], Mapping[str, str], float | None, str]] = {
    "v2, in the group itself": (
        "0::/system.slice/osscl.service\n",
        [v2()],
        {"system.slice/osscl.service/cpu.max": "150000 100000\n", "system.slice/cpu.max": "max 100000\n"},
        1.5,
        "system.slice/osscl.service",
    ),
    "v2, the smallest of all groups around": (
        "0::/pod/container\n",
        [v2()],
        {"pod/container/cpu.max": "400000 100000\n", "pod/cpu.max": "50000 20000\n"},
        2.5,
        "pod",
    ),
    "v2, a group without the file inside one with it": (
        "0::/user.slice/leaf\n",
        [v2()],
        {"user.slice/cpu.max": "100000 100000\n"},
        1.0,
        "user.slice",
    ),
    "v2, no quota": ("0::/a\n", [v2()], {"a/cpu.max": "max 100000\n"}, None, ""),
    "v2, a container that sees its own group as the top": (
        "0::/\n",
        [v2(group="/../../docker/0123")],
        {"cpu.max": "250000 100000\n"},
        2.5,
        "",
    ),
    "v2, a container that is named from outside": (
        "0::/docker/0123\n",
        [v2(group="/docker/0123")],
        {"cpu.max": "50000 100000\n"},
        0.5,
        "",
    ),
    "v2, a group below the container's": (
        "0::/docker/0123/worker\n",
        [v2(group="/docker/0123")],
        {"cpu.max": "300000 100000\n", "worker/cpu.max": "200000 100000\n"},
        2.0,
        "worker",
    ),
    "v2, moved out of what the mount shows": (
        "0::/../elsewhere\n",
        [v2()],
        {"cpu.max": "100000 100000\n"},
        1.0,
        "",
    ),
    "v2, a mount whose name holds a blank": (
        "0::/a\n",
        [v2(place=rf"{SYS}/with\040blank")],
        {"with blank/a/cpu.max": "100000 100000\n"},
        1.0,
        "with blank/a",
    ),
    "v1": (
        "12:cpuset:/\n4:cpu,cpuacct:/docker/0123\n1:name=systemd:/x\n",
        [v1()],
        {
            "cpu,cpuacct/docker/0123/cpu.cfs_quota_us": "300000\n",
            "cpu,cpuacct/docker/0123/cpu.cfs_period_us": "100000\n",
            "cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
            "cpu,cpuacct/cpu.cfs_period_us": "100000\n",
        },
        3.0,
        "cpu,cpuacct/docker/0123",
    ),
    "v1, a group without a quota inside one with it": (
        "4:cpu,cpuacct:/pod/container\n",
        [v1()],
        {
            "cpu,cpuacct/pod/container/cpu.cfs_quota_us": "-1\n",
            "cpu,cpuacct/pod/container/cpu.cfs_period_us": "100000\n",
            "cpu,cpuacct/pod/cpu.cfs_quota_us": "50000\n",
            "cpu,cpuacct/pod/cpu.cfs_period_us": "100000\n",
        },
        0.5,
        "cpu,cpuacct/pod",
    ),
    "v1 holds the processors, v2 is there too": (
        "4:cpu,cpuacct:/a\n0::/a\n",
        [v1(), v2(place=f"{SYS}/unified")],
        {
            "cpu,cpuacct/a/cpu.cfs_quota_us": "200000\n",
            "cpu,cpuacct/a/cpu.cfs_period_us": "100000\n",
            "unified/a/cgroup.procs": "1\n",
        },
        2.0,
        "cpu,cpuacct/a",
    ),
    "a controller that only begins like that of processors": (
        "12:cpuset:/a\n",
        [],
        {"cpuset/a/cpu.cfs_quota_us": "100000\n", "cpuset/a/cpu.cfs_period_us": "100000\n"},
        None,
        "",
    ),
    "what no kernel writes": ("0::/a\n", [v2()], {"a/cpu.max": "many\n"}, None, ""),
}


@pytest.mark.parametrize("name", TREES)
def test_the_smallest_quota_holds(name: str, tmp_path: Path) -> None:
    groups, mounts, files, expected, folder = TREES[name]
    root = write_tree(tmp_path, groups, *mounts, **{f"{SYS}/{path}": text for path, text in files.items()})
    quota = cpu_quota(root)
    if expected is None:
        assert quota is None
    else:
        assert quota is not None
        assert quota.processors == expected
        assert quota.folder == root / SYS.lstrip("/") / folder


@pytest.mark.parametrize("groups", ["", "nonsense\n", "0::/a\n"])
def test_without_control_groups_there_is_no_quota(groups: str, tmp_path: Path) -> None:
    assert cpu_quota(tmp_path) is None
    assert cpu_quota(write_tree(tmp_path, groups)) is None


@pytest.mark.parametrize(("quota", "usable"), [(10_000, 1), (100_000, 1), (100_001, 2), (10**9, 10**4)])
def test_a_quota_counts_in_whole_processors(quota: int, usable: int, tmp_path: Path) -> None:
    root = write_tree(tmp_path, "0::/\n", v2(), **{f"{SYS}/cpu.max": f"{quota} 100000\n"})
    assert usable_cpus(root) == min(usable, bound_cpus())


def test_the_quota_of_this_process_is_a_number_or_none() -> None:
    quota = cpu_quota()
    assert quota is None or quota.processors > 0
    assert 1 <= usable_cpus() <= bound_cpus()
