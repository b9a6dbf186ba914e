"""What ``osscl doctor`` finds of GPUs and what they need."""

from pathlib import Path

import pytest

from osscl.health import Finding, check_health
from support.standin_gpu import StandInDriver, standin_driver


@pytest.fixture
def driver() -> StandInDriver:
    return standin_driver()


def found(what: str) -> list[Finding]:
    return [finding for finding in check_health() if finding.what == what]


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
    assert "1 of 1 engines in" in flawed.found
    assert flawed.found.endswith("its .json file is missing")
    assert flawed.remedy == "osscl engine prune; scoring builds them anew"
