"""The engine cache: what is a hit, and what is rebuilt and why."""

import hashlib
import json
import logging
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from osscl.backends.tensorrt.cache import EngineCache, default_folder
from osscl.backends.tensorrt.options import BuildOptions
from osscl.backends.tensorrt.sidecar import EngineFacts
from osscl.errors import ConfigError
from support.engine_caches import AS_ROOT, FACTS, LAYERS, SOMEBODY_ELSE, Builder, fill


@pytest.fixture
def cache(tmp_path: Path) -> EngineCache:
    return EngineCache(tmp_path / "cache" / "engines")


@pytest.fixture
def build() -> Builder:
    return Builder()


def rebuilt(cache: EngineCache, build: Builder) -> str:
    """Reason for which the one engine of the cache is built again; then it is there again."""
    before = build.count
    plan = cache.get_or_build(FACTS, build)
    assert build.count == before + 1
    assert plan.data == b"engine %d" % build.count
    assert plan.reason is not None
    again = cache.get_or_build(FACTS, build)
    assert (again.data, again.reason) == (plan.data, None)
    return plan.reason


@pytest.mark.parametrize(
    "change",
    [
        {"graph_sha256": "1" * 64},
        {"precision": "int8"},
        {"tensorrt_version": "11.4.0.106"},
        {"compute_capability": "8.9"},
        {"device_name": "NVIDIA H100 PCIe"},
        {"options": BuildOptions(opt_batch=65, max_batch=256)},
        {"options": BuildOptions(opt_batch=64, max_batch=257)},
        {"options": BuildOptions(opt_batch=64, max_batch=256, workspace_bytes=2**30)},
    ],
)
def test_each_fact_makes_another_engine(cache: EngineCache, build: Builder, change: dict[str, Any]) -> None:
    other = replace(FACTS, **change)
    assert other.key != FACTS.key
    cache.get_or_build(FACTS, build)
    assert cache.get_or_build(other, build).data == b"engine 2"
    assert cache.get_or_build(FACTS, build).data == b"engine 1"


def test_the_facts_that_are_tried_are_all_there_are() -> None:
    assert set(EngineFacts.__struct_fields__) == {
        "graph_sha256",
        "precision",
        "tensorrt_version",
        "compute_capability",
        "device_name",
        "driver_version",
        "options",
    }
    assert set(BuildOptions.__struct_fields__) == {"opt_batch", "max_batch", "workspace_bytes"}


def test_a_new_driver_needs_no_new_engine() -> None:
    assert replace(FACTS, driver_version="13.1").key == FACTS.key


@pytest.mark.parametrize("wrong", [{"opt_batch": 0}, {"opt_batch": 9}, {"workspace_bytes": 0}])
def test_options_that_cannot_be_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=r"expected 1 <=|must be positive"):
        BuildOptions(**{"opt_batch": 8, "max_batch": 8} | wrong)


def test_the_folder_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OSSCL_CACHE_DIR", str(tmp_path))
    assert default_folder() == tmp_path / "engines"
    monkeypatch.delenv("OSSCL_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_folder() == tmp_path / "xdg" / "osscl" / "engines"


def test_an_engine_is_built_once_and_then_found(cache: EngineCache, build: Builder) -> None:
    first, second = (cache.get_or_build(FACTS, build) for _ in range(2))
    assert build.count == 1
    assert (first.data, first.reason) == (b"engine 1", "it is not in the cache")
    assert (second.data, second.reason) == (b"engine 1", None)
    assert first.path == second.path == cache.folder / f"{FACTS.key}.engine"
    assert first.layers == second.layers == LAYERS


def test_the_engine_is_plain_and_all_is_written_beside_it(cache: EngineCache, build: Builder) -> None:
    path = cache.get_or_build(FACTS, build).path
    assert path is not None
    assert path.read_bytes() == b"engine 1"
    document = json.loads(path.with_suffix(".json").read_bytes())
    assert document["plan_sha256"] == hashlib.sha256(b"engine 1").hexdigest()
    assert document["facts"] == msgspec.to_builtins(FACTS)
    assert document["layers"] == json.loads(msgspec.json.encode(LAYERS))


def test_nobody_else_can_read_or_write_what_is_written(cache: EngineCache, build: Builder) -> None:
    before = os.umask(0)
    try:
        cache.get_or_build(FACTS, build)
    finally:
        os.umask(before)
    assert stat.S_IMODE(cache.folder.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in cache.folder.iterdir()}
    assert modes.pop("engines.lock", 0o600) == 0o600
    assert modes == {f"{FACTS.key}.engine": 0o600, f"{FACTS.key}.json": 0o600}


def flip_a_byte(engine: Path, sidecar: Path) -> None:
    content = bytearray(engine.read_bytes())
    content[3] ^= 1
    engine.write_bytes(content)


def swap_for_another(engine: Path, sidecar: Path) -> None:
    other = replace(FACTS, precision="int8")
    made = fill(EngineCache(engine.parent), other, b"another engine")
    shutil.move(made, engine)
    shutil.move(made.with_suffix(".json"), sidecar)


def write_into(sidecar: Path, **changes: Any) -> None:
    sidecar.write_text(json.dumps(json.loads(sidecar.read_bytes()) | changes))


FLAWS: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "flipped byte": (flip_a_byte, "differs from its hash"),
    "cut off": (lambda engine, sidecar: engine.write_bytes(b"eng"), "differs from its hash"),
    "empty": (lambda engine, sidecar: engine.write_bytes(b""), "differs from its hash"),
    "no sidecar": (lambda engine, sidecar: sidecar.unlink(), ".json file is missing"),
    "no engine": (lambda engine, sidecar: engine.unlink(), ".engine file is missing"),
    "sidecar is not JSON": (lambda engine, sidecar: sidecar.write_text("{"), "damaged"),
    "sidecar of another program": (lambda engine, sidecar: sidecar.write_text("{}"), "damaged"),
    "sidecar with more": (lambda engine, sidecar: write_into(sidecar, more=1), "unknown field"),
    "sidecar of another schema": (lambda engine, sidecar: write_into(sidecar, schema_version=2), "schema 2"),
    "another engine": (swap_for_another, "another engine under this name"),
    "engine writable by its group": (lambda engine, sidecar: engine.chmod(0o620), "other users can write it"),
    "engine writable by all": (lambda engine, sidecar: engine.chmod(0o602), "other users can write it"),
    "sidecar writable by its group": (
        lambda engine, sidecar: sidecar.chmod(0o620),
        "of its .json file: other users can write it",
    ),
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_an_entry_with_a_flaw_is_rebuilt_with_the_reason(
    cache: EngineCache, build: Builder, caplog: pytest.LogCaptureFixture, flaw: str
) -> None:
    path = cache.get_or_build(FACTS, build).path
    assert path is not None
    harm, says = FLAWS[flaw]
    harm(path, path.with_suffix(".json"))
    reason = rebuilt(cache, build)
    assert says in reason
    assert path.name in reason
    assert [record.levelno for record in caplog.records if says in record.getMessage()] == [logging.WARNING]


@pytest.mark.parametrize("suffix", [".engine", ".json"])
def test_a_link_is_not_followed(cache: EngineCache, build: Builder, tmp_path: Path, suffix: str) -> None:
    path = cache.get_or_build(FACTS, build).path
    assert path is not None
    planted = path.with_suffix(suffix)
    elsewhere = tmp_path / "elsewhere"
    planted.rename(elsewhere)
    planted.symlink_to(elsewhere)
    before = elsewhere.read_bytes()
    assert "it is a link" in rebuilt(cache, build)
    assert not planted.is_symlink()
    assert elsewhere.read_bytes() == before


def test_a_pipe_keeps_nobody_waiting(cache: EngineCache, build: Builder) -> None:
    path = cache.get_or_build(FACTS, build).path
    assert path is not None
    path.unlink()
    os.mkfifo(path, 0o600)
    assert "no regular file" in rebuilt(cache, build)


@AS_ROOT
@pytest.mark.parametrize("suffix", [".engine", ".json"])
def test_a_file_of_another_user_is_rebuilt(cache: EngineCache, build: Builder, suffix: str) -> None:
    path = cache.get_or_build(FACTS, build).path
    assert path is not None
    os.chown(path.with_suffix(suffix), SOMEBODY_ELSE, SOMEBODY_ELSE)
    assert f"belongs to user {SOMEBODY_ELSE}" in rebuilt(cache, build)


def test_an_engine_planted_with_a_fitting_sidecar_is_not_loaded(cache: EngineCache, build: Builder) -> None:
    fill(cache, FACTS, b"planted")
    cache.engine_path(FACTS.key).chmod(0o666)
    assert cache.get_or_build(FACTS, build).data == b"engine 1"
