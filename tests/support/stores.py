"""Object stores for tests: fsspec's own, in memory, and one that fails as it is told to."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import fsspec
from fsspec.implementations.memory import MemoryFileSystem


class FailingStore(MemoryFileSystem):  # type: ignore[misc] # fsspec has no types
    """Keeps objects in memory; a request for one fails in the ways that were laid down for it, one by one."""

    protocol = "failing"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    failures: ClassVar[dict[str, list[Exception]]] = defaultdict(list)
    requests: ClassVar[list[tuple[str, str]]] = []

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return f"/{path.removeprefix('failing://').strip('/')}".rstrip("/")

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **kwargs: Any) -> bytes:
        """Give what an object holds."""
        self._meet("get", path)
        content: bytes = super().cat_file(path, start, end, **kwargs)
        return content

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> list[Any]:
        """List a folder."""
        self._meet("list", path)
        found: list[Any] = super().ls(path, detail, **kwargs)
        return found

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **kwargs: Any) -> None:
        """Write an object."""
        self._meet("put", path)
        super().pipe_file(path, value, mode, **kwargs)

    def _meet(self, verb: str, path: str) -> None:
        self.requests.append((verb, path))
        if waiting := self.failures[f"{verb} {path}"]:
            raise waiting.pop(0)


@contextmanager
def failing_store(objects: dict[str, bytes]) -> Iterator[type[FailingStore]]:
    """A store at ``failing://`` that holds some objects."""
    fsspec.register_implementation("failing", FailingStore, clobber=True)
    for kept in (FailingStore.store, FailingStore.failures, FailingStore.requests):
        kept.clear()
    FailingStore.pseudo_dirs[:] = [""]
    system = FailingStore()
    for name, content in objects.items():
        MemoryFileSystem.pipe_file(system, f"/{name}", content)
    yield FailingStore


@contextmanager
def memory_store(objects: dict[str, bytes]) -> Iterator[MemoryFileSystem]:
    """fsspec's store at ``memory://``, which holds some objects and nothing else."""
    system = fsspec.filesystem("memory")
    system.store.clear()
    system.pseudo_dirs[:] = [""]
    for name, content in objects.items():
        system.pipe_file(f"/{name}", content)
    yield system
    system.store.clear()
