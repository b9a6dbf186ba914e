"""How much memory this process may still take."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class _Accounts(NamedTuple):
    """Where a control group keeps its accounts; `cache` is what it holds of files and can give back."""

    limit: str
    used: str
    cache: str


_V2 = _Accounts("memory.max", "memory.current", "inactive_file")
_V1 = _Accounts("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


def available_memory(proc: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Bytes that this process may still take without swapping.

    Parameters
    ----------
    proc, groups : Path
        Where Linux says what is used, and what control groups (containers, batch systems) allow.

    Returns
    -------
    int or None
        The least of what the system has free and of what each control group around the process has left;
        None where the system does not say.
    """
    try:
        lines = (proc / "meminfo").read_text().splitlines()
        free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return None
    return min([free, *_left_in_groups(proc, groups)])


def _left_in_groups(proc: Path, groups: Path) -> Iterator[int]:
    for folder, accounts in _groups_of_this_process(proc, groups):
        left = _left(folder, accounts)
        if left is not None:
            yield left


def _groups_of_this_process(proc: Path, groups: Path) -> Iterator[tuple[Path, _Accounts]]:
    """Folders of the control groups around this process, of both versions of the interface."""
    try:
        lines = (proc / "self" / "cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            roots: tuple[Path, ...] = (groups, groups / "unified")
            accounts = _V2
        elif "memory" in controllers.split(","):
            roots, accounts = (groups / "memory",), _V1
        else:
            continue
        for root in roots:
            # a container may see its own group as the root, under a path that only the host knows
            for group in (Path(path), *Path(path).parents):
                yield root / group.relative_to("/"), accounts


def _left(folder: Path, accounts: _Accounts) -> int | None:
    try:
        limit = int((folder / accounts.limit).read_text())
        used = int((folder / accounts.used).read_text())
        lines = (folder / "memory.stat").read_text().splitlines()
    except (OSError, ValueError):  # no such group here, or no limit: "max"
        return None
    cache = sum(int(line.split()[1]) for line in lines if line.startswith(f"{accounts.cache} "))
    return max(0, limit - used + cache)
