"""Fixtures shared by all tests."""

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of reference figures and real recordings, which lies beside the checkout where it exists."""
    folder = REPOSITORY.parent / "shared"
    if not (folder / "reference").is_dir():
        pytest.skip(f"the reference recordings are not at {folder}")
    return folder
