"""TensorRT-RTX for the tests that build engines."""

import pytest

from tensorrt_rtx import NotToBeHad, default_cache, rtx_environment


@pytest.fixture(scope="session")
def rtx() -> dict[str, str]:
    """Environment of a process that can import TensorRT-RTX's bindings."""
    try:
        return rtx_environment(default_cache())
    except NotToBeHad as reason:
        pytest.skip(str(reason))
