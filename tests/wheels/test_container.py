"""The image's sources: what .dockerignore lets through is all that a wheel is built from."""

import re
import tomllib

from conftest import REPOSITORY

COPIED = [
    line.removeprefix("!")
    for line in (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
    if line.startswith("!")
]


def is_copied(path: str) -> bool:
    return any(path == copied or path.startswith(f"{copied}/") for copied in COPIED)


def test_all_files_that_cmake_names_are_copied() -> None:
    text = (REPOSITORY / "CMakeLists.txt").read_text(encoding="utf-8")
    named = set(re.findall(r"[\w/]+/[\w/]+\.(?:cpp|cu|py|hpp)", text))
    assert len(named) > 20
    named = {path.removeprefix("PROJECT_SOURCE_DIR/").removeprefix("/") for path in named}
    assert [path for path in sorted(named) if not is_copied(path)] == []


def test_all_files_that_the_package_names_are_copied() -> None:
    told = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    packages = told["tool"]["scikit-build"]["wheel"]["packages"].values()
    named = [*packages, *told["build-system"]["backend-path"], told["project"]["readme"], "pyproject.toml"]
    named += told["project"]["license-files"]
    assert [path for path in named if not is_copied(path)] == []


def test_what_is_copied_is_there() -> None:
    assert [copied for copied in COPIED if not (REPOSITORY / copied).exists()] == []
    assert not is_copied("tests/wheels/test_container.py")
    assert not is_copied(".git")
