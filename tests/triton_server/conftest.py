"""What the tests of Triton's repositories share."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from osscl.backends.tensorrt.cache import EngineCache
from osscl.backends.tensorrt.options import BuildOptions
from osscl.model_file.bundle import read_bundle
from support.engine_caches import FACTS, fill
from support.remembering import normal_clips, stored_memory, write_model

REMEMBERED = "press/id_09"


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network, and the memory of a machine that it does not know."""
    path = tmp_path_factory.mktemp("model") / "small.onnx"
    return write_model(path, [stored_memory(REMEMBERED, normal_clips(1, 24))])


@pytest.fixture
def engines(tmp_path: Path, small_model: Path) -> EngineCache:
    """Engines of the small network for two kinds of cards, and one of another network."""
    cache = EngineCache(tmp_path / "engines")
    mine = replace(FACTS, graph_sha256=read_bundle(small_model).graph_sha256)
    fill(cache, mine, b"nine")
    eight = replace(mine, compute_capability="8.0", device_name="NVIDIA A100")
    fill(cache, replace(eight, options=BuildOptions(opt_batch=8, max_batch=16)), b"eight")
    fill(cache, replace(mine, compute_capability="8.9", tensorrt_version="11.4.0"), b"newer")
    fill(cache, replace(mine, options=BuildOptions(opt_batch=1, max_batch=2)), b"nine too")
    fill(cache, FACTS, b"foreign")
    return cache
