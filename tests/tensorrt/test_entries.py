"""Engines of a cache are listed with their flaws, and pruned for a reason."""

import os
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from osscl.backends.tensorrt.cache import EngineCache
from osscl.backends.tensorrt.entries import leftovers, list_entries, why_prune
from osscl.backends.tensorrt.sidecar import decode_sidecar
from support.engine_caches import FACTS, fill


@pytest.fixture
def cache(tmp_path: Path) -> EngineCache:
    return EngineCache(tmp_path / "cache" / "engines")


def test_entries_are_listed_with_their_flaws(cache: EngineCache) -> None:
    whole = fill(cache, FACTS, b"whole")
    damaged = fill(cache, replace(FACTS, precision="int8"), b"damaged")
    damaged.write_bytes(b"other")
    (cache.folder / "model.engine").write_bytes(b"of trtexec")
    listed = {entry.path: entry for entry in list_entries(cache)}
    assert set(listed) == {whole, damaged}
    assert listed[whole].flaw is None
    assert listed[whole].sidecar == decode_sidecar(whole.with_suffix(".json").read_bytes())
    assert listed[damaged].sidecar is None
    assert "differs from its hash" in (listed[damaged].flaw or "")
    assert listed[whole].n_bytes == sum(path.stat().st_size for path in (whole, whole.with_suffix(".json")))
    assert list_entries(EngineCache(cache.folder / "absent")) == []


def test_a_folder_that_others_can_write_makes_all_entries_suspect(cache: EngineCache) -> None:
    fill(cache, FACTS, b"whole")
    cache.folder.chmod(0o777)
    (entry,) = list_entries(cache)
    assert "other users can write it" in (entry.flaw or "")


def test_what_is_pruned_and_why(cache: EngineCache) -> None:
    path = fill(cache, FACTS, b"whole")
    written = 1_500_000_000
    for each in (path, path.with_suffix(".json")):
        os.utime(each, (written, written))
    (entry,) = list_entries(cache, now_s=written + 100 * 86_400)
    assert entry.age_days == 100
    assert list_entries(cache, now_s=written - 60)[0].age_days == 0  # a clock that was set back

    def why(**changes: Any) -> str | None:
        asked: dict[str, Any] = {"everything": False, "older_than_days": None, "installed_tensorrt": None}
        return why_prune(entry, **asked | changes)

    assert why() is None
    assert why(installed_tensorrt=FACTS.tensorrt_version) is None
    assert why(installed_tensorrt="11.4.0.106") == "TensorRT 10.16.1.11 built it, 11.4.0.106 is installed"
    assert why(older_than_days=101) is None
    assert why(older_than_days=99) == "it is 100 days old"
    assert why(everything=True) is not None
    path.chmod(0o666)
    (entry,) = list_entries(cache)
    assert "other users can write it" in (why() or "")


def test_leftovers_are_found(cache: EngineCache) -> None:
    fill(cache, FACTS, b"whole")
    part, timings = cache.folder / ".osscl-0011.part", cache.folder / "timings-10.16.1.11-9.0"
    part.write_bytes(b"half")
    timings.write_bytes(b"timings")
    assert leftovers(cache, everything=False) == [part]
    assert leftovers(cache, everything=True) == [part, timings]
