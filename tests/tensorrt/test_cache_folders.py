"""Folders that an engine cache cannot use, or that several processes use at once."""

import multiprocessing
import os
import shutil
import signal
import stat
import tempfile
from pathlib import Path

import pytest

from osscl.backends.tensorrt.cache import BuiltEngine, EngineCache, Plan
from support.engine_caches import (
    AS_ROOT,
    FACTS,
    SOMEBODY_ELSE,
    Builder,
    build_for_good,
    build_until_another_waits,
    score_from_read_only,
)
from support.waiting import wait_until

SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture
def cache(tmp_path: Path) -> EngineCache:
    return EngineCache(tmp_path / "cache" / "engines")


@pytest.fixture
def build() -> Builder:
    return Builder()


def in_memory(plan: Plan, build: Builder, says: str) -> None:
    assert plan.path is None
    assert plan.data == b"engine %d" % build.count
    assert plan.reason is not None
    assert says in plan.reason


@pytest.mark.parametrize("mode", [0o770, 0o702])
def test_a_folder_that_others_can_write_is_not_used(
    cache: EngineCache, build: Builder, caplog: pytest.LogCaptureFixture, mode: int
) -> None:
    cache.get_or_build(FACTS, build)
    cache.folder.chmod(mode)
    before = sorted(path.name for path in cache.folder.iterdir())
    plan = cache.get_or_build(FACTS, build)
    assert build.count == 2
    in_memory(plan, build, "other users can write it")
    assert "built in memory and lost" in caplog.text
    assert sorted(path.name for path in cache.folder.iterdir()) == before
    assert stat.S_IMODE(cache.folder.stat().st_mode) == mode


@AS_ROOT
def test_a_folder_of_another_user_is_not_used(cache: EngineCache, build: Builder) -> None:
    cache.get_or_build(FACTS, build)
    os.chown(cache.folder, SOMEBODY_ELSE, SOMEBODY_ELSE)
    in_memory(cache.get_or_build(FACTS, build), build, f"belongs to user {SOMEBODY_ELSE}")
    assert build.count == 2


def test_a_link_to_a_folder_is_not_used(cache: EngineCache, build: Builder, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    cache.folder.parent.mkdir()
    cache.folder.symlink_to(tmp_path / "real")
    in_memory(cache.get_or_build(FACTS, build), build, "it is a link")


def test_a_folder_that_cannot_be_made_is_said(
    build: Builder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    cache = EngineCache(tmp_path / "file" / "engines")
    in_memory(cache.get_or_build(FACTS, build), build, "it cannot be made (Not a directory)")
    assert "built in memory and lost" in caplog.text


@pytest.mark.parametrize(
    ("has_lock", "says"),
    [(True, "it cannot be kept in"), (False, "it cannot be written (Permission denied)")],
)
def test_a_read_only_cache_is_read_and_what_it_lacks_is_built_in_memory(has_lock: bool, says: str) -> None:
    folder = Path(tempfile.mkdtemp(prefix="osscl-test-"))  # pytest's own folders are root's alone
    try:
        path = EngineCache(folder).get_or_build(FACTS, Builder()).path
        assert path is not None
        lock = folder / "engines.lock"
        lock.touch(0o600) if has_lock else lock.unlink(missing_ok=True)
        if os.geteuid() == 0:
            for each in (folder, *folder.iterdir()):
                os.chown(each, SOMEBODY_ELSE, SOMEBODY_ELSE)
        folder.chmod(0o500)
        results = SPAWN.Queue()
        process = SPAWN.Process(target=score_from_read_only, args=(folder, results))
        process.start()
        found_reason, found, other_reason, other_path, n_built = results.get(timeout=300)
        process.join(300)
    finally:
        folder.chmod(0o700)
        shutil.rmtree(folder)
    assert (found_reason, found) == (None, b"engine 1")
    assert (other_path, n_built) == (None, 1)
    assert says in other_reason


def test_two_processes_build_once_and_the_second_says_that_it_waits(
    cache: EngineCache, tmp_path: Path
) -> None:
    log, results = tmp_path / "builds", SPAWN.Queue()
    arguments = (cache.folder, log, SPAWN.Event(), results)
    processes = [SPAWN.Process(target=build_until_another_waits, args=arguments) for _ in range(2)]
    for process in processes:
        process.start()
    (data, _, _), (same, _, _) = plans = [results.get(timeout=300) for _ in processes]
    for process in processes:
        process.join(300)
    builders = log.read_text().split()
    assert len(builders) == 1
    assert data == same == b"engine of %s" % builders[0].encode()
    assert sorted((reason is None, n_waits) for _, reason, n_waits in plans) == [(False, 0), (True, 1)]


def test_a_process_killed_while_it_builds_leaves_nothing_half_done(
    cache: EngineCache, build: Builder, tmp_path: Path
) -> None:
    log = tmp_path / "builds"
    process = SPAWN.Process(target=build_for_good, args=(cache.folder, log))
    process.start()
    wait_until(log.exists)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join(300)
    assert list(cache.folder.glob("*.engine")) == list(cache.folder.glob("*.json")) == []
    waits: list[str] = []
    assert cache.get_or_build(FACTS, build, waits.append).reason == "it is not in the cache"
    assert waits == []


def test_a_build_that_fails_leaves_nothing_and_the_next_one_builds(
    cache: EngineCache, build: Builder
) -> None:
    def fail() -> BuiltEngine:
        raise OSError(28, "the builder's own")

    with pytest.raises(OSError, match="the builder's own"):
        cache.get_or_build(FACTS, fail)
    assert cache.get_or_build(FACTS, build).data == b"engine 1"
