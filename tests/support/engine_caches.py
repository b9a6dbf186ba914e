"""What the tests of engine caches share: facts, a builder that counts, entries that no TensorRT built."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

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


def score_from_read_only(folder: Path, results: Any) -> None:
    """Use a cache that cannot be written, in a process of its own."""
    if os.geteuid() == 0:  # root writes everywhere
        os.setuid(SOMEBODY_ELSE)
    cache, build = EngineCache(folder), Builder()
    found = cache.get_or_build(FACTS, build)
    other = cache.get_or_build(replace(FACTS, precision="int8"), build)
    results.put((found.reason, found.data, other.reason, other.path, build.count))


def build_until_another_waits(folder: Path, log: Path, another_waits: Any, results: Any) -> None:
    """Build as a process among others, and be done when another has said that it waits."""

    def build() -> BuiltEngine:
        with log.open("a") as file:
            file.write(f"{os.getpid()}\n")
        assert another_waits.wait(300.0), "no other process came to wait"
        return BuiltEngine(b"engine of %d" % os.getpid(), LAYERS)

    waits: list[str] = []

    def wait(message: str) -> None:
        waits.append(message)
        another_waits.set()

    plan = EngineCache(folder).get_or_build(FACTS, build, wait)
    results.put((plan.data, plan.reason, len(waits)))


def build_for_good(folder: Path, log: Path) -> None:
    """Build and never finish."""

    def build() -> BuiltEngine:
        log.write_text("building")
        signal.pause()
        raise AssertionError

    EngineCache(folder).get_or_build(FACTS, build)
