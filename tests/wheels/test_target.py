"""Pythons and platforms, as they are typed and as pip is told them."""

from importlib import import_module
from typing import Any

import pytest
from packaging.tags import _manylinux  # type: ignore[attr-defined]

from conftest import REPOSITORY


@pytest.fixture
def target(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module."""
    monkeypatch.syspath_prepend(str(REPOSITORY / "wheels"))
    return import_module("target")


@pytest.mark.parametrize("minor", [17, 28, 35])
def test_all_tags_that_a_glibc_takes_are_named_newest_first(
    target: Any, minor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_manylinux, "_get_glibc_version", lambda: (2, minor))
    monkeypatch.setattr(_manylinux, "_have_compatible_abi", lambda *_: True)
    taken = [*_manylinux.platform_tags(["x86_64"])]
    assert target.Target.named("3.12", f"manylinux_2_{minor}_x86_64").pip_platforms() == taken


def test_all_tags_that_a_musl_takes_are_named(target: Any) -> None:
    named = target.Target.named("3.14", "musllinux_1_2_aarch64")
    assert named.pip_platforms() == [f"musllinux_1_{minor}_aarch64" for minor in (2, 1, 0)]
    assert named.python_tag == "cp314"


@pytest.mark.parametrize(
    ("python", "platform", "told"),
    [
        ("3.10", "manylinux_2_28_x86_64", "the Python is 3.10; osscl needs 3.11 or newer"),
        ("2.7", "manylinux_2_28_x86_64", "the Python is 2.7; osscl needs 3.11 or newer"),
        ("three", "manylinux_2_28_x86_64", "the Python is 'three'; write its version, such as 3.11"),
        ("3.11.7", "manylinux_2_28_x86_64", "the Python is '3.11.7'; write its version, such as 3.11"),
        ("3.11", "win_amd64", "the platform is 'win_amd64'; write one such as manylinux_2_28_x86_64"),
        ("3.11", "manylinux_2_28_riscv64", "the platform is 'manylinux_2_28_riscv64'"),
        ("3.11", "manylinux_2_29_x86_64", "the platform is 'manylinux_2_29_x86_64'"),
        ("3.11", "musllinux_1_1_x86_64", "the platform is 'musllinux_1_1_x86_64'"),
        ("3.11", "manylinux2014_x86_64", "the platform is 'manylinux2014_x86_64'"),
    ],
)
def test_what_is_no_target_is_told_in_a_sentence(target: Any, python: str, platform: str, told: str) -> None:
    with pytest.raises(Exception, match=r"^the ") as raised:
        target.Target.named(python, platform)
    assert type(raised.value).__name__ == "Refused"
    assert str(raised.value).startswith(told)
