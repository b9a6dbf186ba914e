"""Packages that are installed, for a test as if they were not."""

import sys
from importlib import metadata

import pytest


def hide(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    """Let neither Python nor what pip wrote down know packages, whose modules have their names."""
    known = metadata.version

    def version(name: str) -> str:
        if name in packages:
            raise metadata.PackageNotFoundError(name)
        return known(name)

    monkeypatch.setattr(metadata, "version", version)
    for package in packages:
        monkeypatch.setitem(sys.modules, package, None)
