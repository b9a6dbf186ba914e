"""``osscl engine``: building without a GPU fails in one sentence, and nothing else needs one."""

import importlib.util
import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from osscl.backends.tensorrt.cache import EngineCache
from osscl.model_file.bundle import read_bundle
from support.console import osscl, osscl_each
from support.engine_caches import FACTS, fill

HAS_CUDA_ROOM = importlib.util.find_spec("osscl.cuda") is not None


@pytest.fixture
def cache(tmp_path: Path) -> EngineCache:
    """Two engines: a whole one of the demonstration model, and a damaged one."""
    made = EngineCache(tmp_path / "engines")
    fill(made, replace(FACTS, graph_sha256=read_bundle("demo").graph_sha256), b"whole")
    fill(made, FACTS, b"damaged").write_bytes(b"other")
    return made


def whole(cache: EngineCache) -> Path:
    return next(path for path in cache.folder.glob("*.engine") if path.read_bytes() == b"whole")


@pytest.mark.skipif(not HAS_CUDA_ROOM, reason="what asks the driver for GPUs is not part of this version yet")
def test_building_without_a_gpu_fails_with_one_sentence(tmp_path: Path) -> None:
    result = osscl("engine", "build", "demo", "--engine-cache", tmp_path / "engines")
    if result.returncode == 0:
        pytest.skip("this machine has a GPU and TensorRT")
    assert result.returncode == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert not (tmp_path / "engines").exists()


def test_what_cannot_be_built_is_refused_before_any_gpu_is_asked_for(tmp_path: Path) -> None:
    refused: dict[tuple[object, ...], tuple[int, str]] = {
        ("demo", "--opt-batch", 0): (2, "expected 1 <= --opt-batch <= --max-batch"),
        ("demo", "--opt-batch", 9, "--max-batch", 8): (2, "--opt-batch, --max-batch are 9, 8"),
        ("demo", "--workspace", 0): (2, "--workspace is 0"),
        (tmp_path / "absent.onnx",): (1, "there is no model file"),
    }
    results = osscl_each([("engine", "build", *arguments) for arguments in refused])
    for (code, sentence), result in zip(refused.values(), results, strict=True):
        assert result.returncode == code
        assert result.stderr.startswith("error: ")
        assert sentence in result.stderr


def test_list_shows_each_engine_and_what_is_wrong_with_it(cache: EngineCache) -> None:
    shown = osscl("engine", "list", "--engine-cache", cache.folder)
    assert shown.returncode == 0, shown.stderr
    assert "NVIDIA" in shown.stdout
    assert "differs" in shown.stdout
    document = json.loads(osscl("engine", "list", "--engine-cache", cache.folder, "--json").stdout)
    flaws = {engine["path"]: engine["flaw"] for engine in document["engines"]}
    assert flaws.pop(str(whole(cache))) is None
    (flaw,) = flaws.values()
    assert "differs from its hash" in flaw


def test_an_empty_cache_is_listed_and_pruned(tmp_path: Path) -> None:
    folder = tmp_path / "absent"
    assert json.loads(osscl("engine", "list", "--engine-cache", folder, "--json").stdout)["engines"] == []
    listed, pruned = (osscl("engine", command, "--engine-cache", folder) for command in ("list", "prune"))
    assert listed.returncode == pruned.returncode == 0
    assert "no engines" in listed.stderr
    assert not folder.exists()


def test_the_environment_names_the_cache(cache: EngineCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSSCL_CACHE_DIR", str(cache.folder.parent))
    assert json.loads(osscl("engine", "list", "--json").stdout)["folder"] == str(cache.folder)


def test_prune_removes_what_is_damaged_and_keeps_the_rest(cache: EngineCache) -> None:
    kept = whole(cache)
    dry = osscl("engine", "prune", "--dry-run", "--engine-cache", cache.folder)
    assert "differs from its hash" in dry.stdout
    assert "1 would be removed" in dry.stderr
    assert len(list(cache.folder.glob("*.engine"))) == 2
    result = osscl("engine", "prune", "--engine-cache", cache.folder, "--json")
    assert result.returncode == 0, result.stderr
    (removed,) = json.loads(result.stdout)["removed"]
    assert not Path(removed["path"]).exists()
    assert list(cache.folder.glob("*.engine")) == [kept]
    assert list(cache.folder.glob("*.json")) == [kept.with_suffix(".json")]


def test_prune_removes_all_and_by_age(cache: EngineCache) -> None:
    (cache.folder / "timings-10.16.1.11-9.0").write_bytes(b"timings")
    (cache.folder / "notes.txt").write_text("mine")
    assert osscl("engine", "prune", "--older-than", 1, "--engine-cache", cache.folder).returncode == 0
    assert whole(cache).exists()
    assert osscl("engine", "prune", "--all", "--engine-cache", cache.folder).returncode == 0
    assert {path.name for path in cache.folder.iterdir()} <= {"notes.txt", "engines.lock"}


def test_a_cache_that_cannot_be_used_is_one_sentence(cache: EngineCache) -> None:
    lock = cache.folder / "engines.lock"
    lock.unlink(missing_ok=True)
    lock.mkdir()
    result = osscl("engine", "prune", "--all", "--engine-cache", cache.folder)
    assert result.returncode == 1
    assert result.stderr == f"error: the engine cache {cache.folder} cannot be used: Is a directory\n"
    assert whole(cache).exists()


@pytest.mark.parametrize("by", ["engine", "model"])
def test_inspect_shows_the_facts_and_the_layers(cache: EngineCache, by: str) -> None:
    target = whole(cache) if by == "engine" else "demo"
    shown = osscl("engine", "inspect", target, "--engine-cache", cache.folder)
    assert shown.returncode == 0, shown.stderr
    for part in ("NVIDIA H200, compute capability 9.0", "10.16.1.11", "1 to 256 clips, fastest at 64"):
        assert part in shown.stdout
    assert "CaskConvolution: node_Conv_6" in shown.stdout
    result = osscl("engine", "inspect", target, "--engine-cache", cache.folder, "--json")
    (engine,) = json.loads(result.stdout)["engines"]
    assert engine["sidecar"]["facts"]["device_name"] == "NVIDIA H200"
    assert engine["sidecar"]["layers"][0]["dtype"] == "fp32"


def test_inspect_refuses_what_cannot_be_used(cache: EngineCache, tmp_path: Path) -> None:
    (damaged,) = set(cache.folder.glob("*.engine")) - {whole(cache)}
    refused: dict[tuple[object, Path], str] = {
        (damaged, cache.folder): "cannot be used: the engine differs from its hash",
        (tmp_path / "absent.engine", cache.folder): "it is gone",
        ("demo", tmp_path / "absent"): "holds no engine of demo: osscl engine build demo",
    }
    results = osscl_each([("engine", "inspect", what, "--engine-cache", at) for what, at in refused])
    for sentence, result in zip(refused.values(), results, strict=True):
        assert result.returncode == 1
        assert sentence in " ".join(result.stderr.split())


def test_help_shows_examples() -> None:
    commands = ("build", "list", "prune", "inspect")
    results = osscl_each([("engine", command, "--help") for command in commands])
    for command, result in zip(commands, results, strict=True):
        assert result.returncode == 0
        assert f"osscl engine {command}" in result.stdout.partition("Examples")[2]
