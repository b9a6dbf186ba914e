"""What ``osscl doctor`` finds of processors and GPUs; cli/test_broken_installation.py breaks packages."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from osscl.health import Finding
from osscl.health.finding import findings_of
from osscl.health.gpus import GPU_CHECKS
from osscl.health.packages import PACKAGE_CHECKS, processors
from osscl.support.threads import bound_cpus, own_quota
from support.cgroup_trees import v2, write_tree
from support.standin_gpu import StandInDriver, standin_driver

BOUND = "this process is bound to them"


@pytest.fixture
def driver() -> StandInDriver:
    return standin_driver()


def found(what: str) -> list[Finding]:
    return findings_of(what, (PACKAGE_CHECKS | GPU_CHECKS)[what])


def test_each_card_is_named(driver: StandInDriver) -> None:
    driver.reset(devices=2)
    assert found("gpu") == [
        Finding(
            "gpu",
            "ok",
            f"cuda:{number}, Stand-in {number}, compute capability 9.0, 4 GB, driver for CUDA 13.0",
        )
        for number in (0, 1)
    ]


def test_no_card_and_an_old_driver_are_no_fault_where_nothing_for_gpus_is_installed(
    driver: StandInDriver,
) -> None:
    driver.reset(devices=0)
    (none,) = found("gpu")
    assert (none.state, none.found) == ("missing", "the NVIDIA driver finds no GPU that this process may use")
    assert none.remedy is not None
    assert none.remedy.startswith("check nvidia-smi")
    driver.reset(version=11_080)
    (old,) = found("gpu")
    assert old.remedy == "update the driver"


def test_no_card_is_a_fault_where_something_for_gpus_is_installed(
    driver: StandInDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.reset(devices=0)
    monkeypatch.setattr("osscl.health.gpus.version_of", lambda name: "11.4" if name == "tensorrt" else None)
    (none,) = found("gpu")
    assert none.state == "broken"


def test_an_old_card_is_a_fault_and_the_others_are_named(driver: StandInDriver) -> None:
    driver.reset(devices=1, capability=(6, 1))
    (old,) = found("gpu")
    assert old.state == "broken"
    assert "compute capability 6.1" in old.found
    assert old.remedy == "choose another GPU, or device 'cpu'"


def test_engines_that_cannot_be_used_are_told_with_the_remedy(
    driver: StandInDriver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OSSCL_CACHE_DIR", str(tmp_path))
    assert found("engine cache") == [Finding("engine cache", "ok", f"0 engines in {tmp_path / 'engines'}")]
    (tmp_path / "engines").mkdir(mode=0o700)
    (tmp_path / "engines" / f"{'0' * 32}.engine").write_bytes(b"no engine")
    (flawed,) = found("engine cache")
    assert flawed.state == "broken"
    assert "1 of 1 engine in" in flawed.found
    assert flawed.found.endswith("its .json file is missing")
    assert flawed.remedy == "osscl engine prune; scoring builds them anew"


def test_a_check_that_fails_is_a_finding_beside_those_it_came_to() -> None:
    fine = Finding("thing", "ok", "one part")

    def check() -> Iterator[Finding]:
        yield fine
        raise PermissionError(13, "Permission denied", "/a/b")

    broken = Finding("thing", "broken", "PermissionError: [Errno 13] Permission denied: '/a/b'")
    assert findings_of("thing", check) == [fine, broken]


def test_it_is_told_where_the_number_of_processors_comes_from(tmp_path: Path) -> None:
    bound, there = bound_cpus(), os.cpu_count()
    (free,) = processors(tmp_path)  # a system without control groups
    assert free.found == f"{bound} usable" + ("" if bound == there else f", of {there}: {BOUND}")
    write_tree(tmp_path, "0::/pod\n", v2(), **{"sys/fs/cgroup/pod/cpu.max": "50000 100000\n"})
    own_quota.cache_clear()
    (limited,) = processors(tmp_path)
    quota = f"a cgroup quota of 0.5 processors in {tmp_path}/sys/fs/cgroup/pod"
    assert limited.found == f"1 usable, of {there}: {quota}"


def test_a_process_bound_to_some_processors_is_told_of_them() -> None:
    if os.cpu_count() == 1:
        pytest.skip("this machine has one processor only")
    code = (
        "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])\n"
        "from osscl.health.packages import processors; print(*processors())"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert f"1 usable, of {os.cpu_count()}: " in said.stdout
