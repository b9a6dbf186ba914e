"""Which package is at fault where an import failed, and the command that mends it."""

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest

from osscl.errors import MissingExtraError
from osscl.support.failed_import import FailedImport, failed_import, needing, reinstall


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of packages that may be broken in any way."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def write(site: Path, **sources: str) -> None:
    """Write packages by their names, with what stands in their ``__init__.py``."""
    for name, source in sources.items():
        (site / name).mkdir()
        (site / name / "__init__.py").write_text(source)


def install(site: Path, name: str, module: str, version: str = "1.0", *, with_record: bool = True) -> None:
    """Write down a package as pip does."""
    folder = site / f"{name.replace('-', '_')}-{version}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (folder / "top_level.txt").write_text(f"{module}\n")
    if with_record:
        (folder / "RECORD").write_text(f"{module}/__init__.py,,\n")


def failure(act: Callable[[], object]) -> FailedImport | None:
    try:
        act()
    except Exception as error:  # noqa: BLE001
        return failed_import(error)
    raise AssertionError("nothing failed")


def test_the_package_whose_code_failed_is_at_fault_not_the_one_that_needs_it(site: Path) -> None:
    write(site, outer_one="import inner_one", inner_one="raise OSError('no library\\nand more')")
    install(site, "Outer-One", "outer_one")
    install(site, "Inner-One", "inner_one", "2.5+cpu")
    failed = failure(lambda: import_module("outer_one"))
    remedy = 'pip install --force-reinstall --no-deps "Inner-One==2.5"'
    assert failed == FailedImport("Inner-One", True, "OSError: no library", remedy)
    assert str(failed) == f"the package Inner-One cannot be loaded (OSError: no library): {remedy}"


def test_what_an_installed_package_lacks_comes_with_it(site: Path) -> None:
    write(site, outer_one="import never_installed")
    install(site, "Outer-One", "outer_one")
    failed = failure(lambda: import_module("outer_one"))
    assert failed is not None
    assert (
        str(failed) == 'the package never_installed is needed and not installed: pip install "Outer-One==1.0"'
    )


def test_a_package_that_wants_another_version_of_a_good_one_is_at_fault_itself(site: Path) -> None:
    write(site, outer_one="from inner_one import gone", inner_one="")
    install(site, "Outer-One", "outer_one")
    install(site, "Inner-One", "inner_one")
    failed = failure(lambda: import_module("outer_one"))
    assert failed is not None
    assert failed.package == "Outer-One"
    assert failed.reason.startswith("ImportError: cannot import name 'gone' from 'inner_one'")


def test_a_folder_without_a_package_is_at_fault_where_it_is_used(site: Path) -> None:
    (site / "remnant").mkdir()
    install(site, "Remnant", "remnant", with_record=False)
    failed = failure(lambda: import_module("remnant").Thing)
    assert failed is not None
    # without a list of its files pip cannot remove it
    assert (
        failed.remedy == 'pip install --ignore-installed --no-deps "Remnant==1.0"' == reinstall(["Remnant"])
    )


def test_a_part_of_python_is_not_to_be_had_from_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "_lzma", None)
    monkeypatch.delitem(sys.modules, "lzma", raising=False)
    failed = failure(lambda: import_module("lzma"))
    assert failed is not None
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert (failed.package, failed.remedy) == ("_lzma", f"install a Python {version} that has it")


@pytest.mark.parametrize(
    "act",
    [lambda: Path("/nowhere/at all").read_bytes(), lambda: [].nothing, lambda: 1 // 0],  # type: ignore[attr-defined]
)
def test_other_errors_say_nothing_of_the_installation(act: Callable[[], object]) -> None:
    assert failure(act) is None


def test_an_optional_package_is_named_with_what_it_is_needed_for(site: Path) -> None:
    with (
        pytest.raises(MissingExtraError) as missing,
        needing("resampling", "resample", "all", package="Never-Installed"),
    ):
        import_module("never_installed")
    assert str(missing.value) == (
        "resampling needs the package Never-Installed, which is not installed: "
        'pip install "osscl[resample]" or "osscl[all]"'
    )
    write(site, broken_one="raise ValueError(1)")
    install(site, "Broken-One", "broken_one")
    with pytest.raises(MissingExtraError) as broken, needing("resampling", "resample"):
        import_module("broken_one")
    assert str(broken.value) == (
        "resampling needs the package Broken-One, which cannot be loaded (ValueError: 1): "
        'pip install --force-reinstall --no-deps "Broken-One==1.0"'
    )
    with pytest.raises(ZeroDivisionError), needing("resampling", "resample"):
        _ = 1 // 0
