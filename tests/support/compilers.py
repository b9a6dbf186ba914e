"""Compilers that tests need; a test of a wheel runs without, and says so."""

import os
import shutil

import pytest


def compiler(name: str) -> str:
    """Path of a compiler, or a skip."""
    return shutil.which(name) or pytest.skip(f"{name} is not installed here")


def cpp_compiler() -> str:
    """Path of the C++ compiler that ``CXX`` names, or of the system's; or a skip."""
    named = os.environ.get("CXX", "c++")
    return shutil.which(named) or pytest.skip(f"there is no C++ compiler {named}")
