"""What lies in an engine cache, and what of it need not be kept."""

import re
import time
from dataclasses import dataclass
from pathlib import Path

from osscl.backends.tensorrt.cache import EngineCache
from osscl.backends.tensorrt.private_files import NotTrusted, check_private_folder
from osscl.backends.tensorrt.sidecar import Sidecar

_ENTRY = re.compile(r"([0-9a-f]{32})\.(?:engine|json)")
_SECONDS_A_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One engine in a cache.

    Attributes
    ----------
    key : str
        Its name there.
    path : Path
        The engine.
    n_bytes : int
        Size of its files.
    age_days : float
        Days since it was written.
    sidecar : Sidecar or None
        What stands beside it; None where the entry cannot be used.
    flaw : str or None
        Why it cannot be used.
    """

    key: str
    path: Path
    n_bytes: int
    age_days: float
    sidecar: Sidecar | None
    flaw: str | None


def list_entries(cache: EngineCache, now_s: float | None = None) -> list[Entry]:
    """Read and check all engines of a cache; it needs neither TensorRT nor a GPU.

    Parameters
    ----------
    cache : EngineCache
        The cache, whose folder need not exist.
    now_s : float, optional
        Moment to which their age is counted, seconds since 1970; by default now.

    Returns
    -------
    list of Entry
        The oldest first.

    Raises
    ------
    OSError
        The folder cannot be listed.
    """
    try:
        names = [path.name for path in cache.folder.iterdir()]
    except FileNotFoundError:
        return []
    matches = map(_ENTRY.fullmatch, names)
    keys = {match[1] for match in matches if match is not None}
    now_s = time.time() if now_s is None else now_s
    entries = (read_entry(cache, key, now_s) for key in keys)
    return sorted(entries, key=lambda entry: (-entry.age_days, entry.key))


def read_entry(cache: EngineCache, key: str, now_s: float | None = None) -> Entry:
    """Read and check one engine of a cache; its age is counted to a moment, by default to now."""
    now_s = time.time() if now_s is None else now_s
    sidecar, flaw = None, None
    try:
        check_private_folder(cache.folder)
        sidecar, _ = cache.read(key)
    except NotTrusted as why:
        flaw = str(why)
    except FileNotFoundError:
        flaw = "it is gone"
    stats = [path.lstat() for path in (cache.engine_path(key), cache.sidecar_path(key)) if _exists(path)]
    age = now_s - max((status.st_mtime for status in stats), default=now_s)
    size = sum(status.st_size for status in stats)
    return Entry(key, cache.engine_path(key), size, max(0.0, age / _SECONDS_A_DAY), sidecar, flaw)


def why_prune(
    entry: Entry, *, everything: bool, older_than_days: float | None, installed_tensorrt: str | None
) -> str | None:
    """Say why an engine need not be kept.

    Parameters
    ----------
    entry : Entry
        The engine.
    everything : bool
        Whether nothing shall be kept.
    older_than_days : float, optional
        Age beyond which engines shall not be kept.
    installed_tensorrt : str, optional
        Version of TensorRT, which loads only engines of its own; None where it is not installed.

    Returns
    -------
    str or None
        The reason; None where it is to be kept.
    """
    if everything:
        return "all are removed"
    if entry.sidecar is None:
        return entry.flaw
    built_by = entry.sidecar.facts.tensorrt_version
    if installed_tensorrt not in (None, built_by):
        return f"TensorRT {built_by} built it, {installed_tensorrt} is installed"
    if older_than_days is not None and entry.age_days > older_than_days:
        return f"it is {entry.age_days:.0f} days old"
    return None


def leftovers(cache: EngineCache, *, everything: bool) -> list[Path]:
    """Files of processes that were killed while they wrote; with `everything` also timings of kernels."""
    patterns = [".osscl-*.part", *(["timings-*"] if everything else [])]
    return [path for pattern in patterns for path in sorted(cache.folder.glob(pattern))]


def _exists(path: Path) -> bool:
    return path.is_symlink() or path.exists()
