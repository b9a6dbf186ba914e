"""What the tests of engine caches share: facts, a builder that counts, entries that no TensorRT built."""

import os
from pathlib import Path

import pytest

from osscl.backends.tensorrt.cache import BuiltEngine, EngineCache
from osscl.backends.tensorrt.layers import Layer
from osscl.backends.tensorrt.options import BuildOptions
from osscl.backends.tensorrt.sidecar import EngineFacts

SOMEBODY_ELSE = 65_534
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")

FACTS = EngineFacts(
    graph_sha256="0123456789abcdef" * 4,
    precision="fp32",
    tensorrt_version="10.16.1.11",
    compute_capability="9.0",
    device_name="NVIDIA H200",
    driver_version="12.2",
    options=BuildOptions(opt_batch=64, max_batch=256),
)
LAYERS = (Layer(name="node_Conv_6 + relu", kind="CaskConvolution", dtype="fp32", nodes=("node_Conv_6",)),)


def fill(cache: EngineCache, facts: EngineFacts, plan: bytes) -> Path:
    """Put an engine into a cache as if it had been built."""
    path = cache.get_or_build(facts, lambda: BuiltEngine(plan, LAYERS)).path
    assert path is not None
    return path


class Builder:
    """Builds an engine that says how often it was built."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> BuiltEngine:
        self.count += 1
        return BuiltEngine(b"engine %d" % self.count, LAYERS)
