"""Engines kept from one run to the next: built once, checked before each use, rebuilt when in doubt."""

import hashlib
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import filelock

from osscl.backends.tensorrt.layers import Layer
from osscl.backends.tensorrt.private_files import NotTrusted, check_private_folder, read_private_file
from osscl.backends.tensorrt.sidecar import (
    SCHEMA_VERSION,
    EngineFacts,
    Sidecar,
    decode_sidecar,
    encode_sidecar,
)
from osscl.support.atomic import write_atomically
from osscl.support.log import quiet_logger
from osscl.support.own_cache import own_cache
from osscl.support.paths import printable

_log = quiet_logger("osscl.tensorrt")
_LOCK = "engines.lock"
_PRIVATE = 0o600
_NOT_THERE = "it is not in the cache"


def default_folder() -> Path:
    """Where engines are kept unless something else is said.

    Raises
    ------
    OutputError
        The user has no home folder, and ``OSSCL_CACHE_DIR`` names no other.
    """
    return own_cache() / "engines"


@dataclass(frozen=True, slots=True, eq=False)
class BuiltEngine:
    """An engine that was just built, and is confirmed to be what was asked for.

    Attributes
    ----------
    plan : bytes
        The engine.
    layers : tuple of Layer
        Those of its layers that compute the graph's heavy nodes.
    """

    plan: bytes = field(repr=False)
    layers: tuple[Layer, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """An engine to run.

    Attributes
    ----------
    data : bytes
        The engine.
    path : Path or None
        Where it is kept; None where it lies in memory alone.
    reason : str or None
        Why it was built; None where it was found in the cache.
    layers : tuple of Layer
        Those of its layers that compute the graph's heavy nodes.
    """

    data: bytes = field(repr=False)
    path: Path | None
    reason: str | None
    layers: tuple[Layer, ...]


class EngineCache:
    """A folder of engines, each a plain ``.engine`` file with a JSON document beside it.

    Parameters
    ----------
    folder : Path
        Made when it is first needed, for this user alone.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get_or_build(
        self,
        facts: EngineFacts,
        build: Callable[[], BuiltEngine],
        on_wait: Callable[[str], None] = _log.info,
    ) -> Plan:
        """Take an engine out of the cache; where there is none that can be trusted, build it and keep it.

        Parameters
        ----------
        facts : EngineFacts
            What the engine must be.
        build : callable
            Builds it; of all processes that want it at once, one does.
        on_wait : callable
            Told that another process is building, before it is waited for.

        Returns
        -------
        Plan
            The engine. Why it was built, or could not be kept, is logged as well.
        """
        try:
            self.make_folder()
        except NotTrusted as why:
            return self._build_in_memory(build, str(why))
        except OSError as error:
            return self._build_in_memory(build, f"it cannot be made ({error.strerror})")
        plan, _ = self._look_up(facts)
        if plan is not None:
            return plan
        with ExitStack() as held:
            try:
                held.enter_context(self.writing(on_wait))
            except OSError as error:
                return self._build_in_memory(build, f"it cannot be written ({error.strerror})")
            plan, reason = self._look_up(facts)  # the process that was waited for may have built it
            return plan or self._build_and_keep(facts, build, reason)

    def make_folder(self) -> None:
        """Make the folder, or make sure that it can be used.

        Raises
        ------
        OSError
            It cannot be made.
        NotTrusted
            Others could have put files into it.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        check_private_folder(self.folder)

    def remove(self, key: str) -> None:
        """Drop an engine; a link is dropped, and what it leads to stays."""
        for path in (self.engine_path(key), self.sidecar_path(key)):
            path.unlink(missing_ok=True)

    def engine_path(self, key: str) -> Path:
        """Where an engine of this key lies."""
        return self.folder / f"{key}.engine"

    def sidecar_path(self, key: str) -> Path:
        """Where the document beside it lies."""
        return self.folder / f"{key}.json"

    @contextmanager
    def writing(self, on_wait: Callable[[str], None]) -> Iterator[None]:
        """Keep other processes from changing the folder; the system ends a lock with its process."""
        lock = filelock.FileLock(self.folder / _LOCK, mode=_PRIVATE)
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            on_wait(f"another process is building an engine in {printable(self.folder)}: waiting for it")
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def read(self, key: str) -> tuple[Sidecar, bytes]:
        """Read an entry and check all that can be checked without knowing what it shall serve for.

        Parameters
        ----------
        key : str
            The entry.

        Returns
        -------
        sidecar : Sidecar
            What stands beside the engine.
        plan : bytes
            The engine.

        Raises
        ------
        FileNotFoundError
            There is neither.
        NotTrusted
            It cannot be used; the message says why.
        """
        try:
            plan = read_private_file(self.engine_path(key))
        except FileNotFoundError:
            if not os.path.lexists(self.sidecar_path(key)):
                raise
            raise NotTrusted("its .engine file is missing") from None
        try:
            described = decode_sidecar(read_private_file(self.sidecar_path(key)))
        except FileNotFoundError:
            raise NotTrusted("its .json file is missing") from None
        except NotTrusted as why:
            raise NotTrusted(f"of its .json file: {why}") from None
        except ValueError as error:
            raise NotTrusted(f"its .json file is damaged: {error}") from None
        found = hashlib.sha256(plan).hexdigest()
        if found != described.plan_sha256:
            raise NotTrusted("the engine differs from its hash: damaged or tampered with")
        if described.facts.key != key:
            raise NotTrusted("it is another engine under this name")
        return described, plan

    def _look_up(self, facts: EngineFacts) -> tuple[Plan | None, str]:
        """The engine where it can be used, else why not."""
        path = self.engine_path(facts.key)
        try:
            described, plan = self.read(facts.key)
        except FileNotFoundError:
            return None, _NOT_THERE
        except NotTrusted as why:
            return None, f"{printable(path)} is not used: {why}"
        return Plan(plan, path, None, described.layers), ""

    def _build_and_keep(self, facts: EngineFacts, build: Callable[[], BuiltEngine], reason: str) -> Plan:
        _log.log(logging.INFO if reason == _NOT_THERE else logging.WARNING, "the engine is built: %s", reason)
        built = build()
        sidecar = Sidecar(
            schema_version=SCHEMA_VERSION,
            facts=facts,
            plan_sha256=hashlib.sha256(built.plan).hexdigest(),
            built_at=datetime.now(UTC).isoformat(timespec="seconds"),
            layers=built.layers,
        )
        path = self.engine_path(facts.key)
        try:
            write_atomically(path, [built.plan], _PRIVATE)
            write_atomically(self.sidecar_path(facts.key), [encode_sidecar(sidecar)], _PRIVATE)
        except OSError as error:
            loss = f"it cannot be kept in {printable(self.folder)} ({error.strerror})"
            _log.warning("the engine was built, but %s and is lost when this process ends", loss)
            return Plan(built.plan, None, f"{reason}; {loss}", built.layers)
        return Plan(built.plan, path, reason, built.layers)

    def _build_in_memory(self, build: Callable[[], BuiltEngine], why: str) -> Plan:
        reason = f"the engine cache {printable(self.folder)} is not used: {why}"
        _log.warning("%s; the engine is built in memory and lost when this process ends", reason)
        built = build()
        return Plan(built.plan, None, reason, built.layers)
