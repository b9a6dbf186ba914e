"""The file system behind a URL, by fsspec; one of each kind a process, shared by all threads."""

import os
from threading import Lock
from typing import Any, NamedTuple

from osscl.errors import MissingExtraError, StorageError
from osscl.storage.attempts import attempt
from osscl.storage.urls import check_url
from osscl.support.failed_import import needing
from osscl.support.installed import version_of

_EXTRAS = {"s3": "s3", "s3a": "s3"}
_CONNECT_TIMEOUT_S = 10

_systems: dict[tuple[int, str], Any] = {}
_lock = Lock()


class Opened(NamedTuple):
    """A place in a file system.

    Attributes
    ----------
    system : fsspec.AbstractFileSystem
        What reads and writes.
    path : str
        Where, as it spells it.
    """

    system: Any
    path: str


def opened(url: str) -> Opened:
    """Open what a URL leads into.

    Parameters
    ----------
    url : str
        In the spelling of fsspec, chains such as ``zip://*::s3://bucket/a.zip`` included.

    Returns
    -------
    Opened
        File system and path.

    Raises
    ------
    MissingExtraError
        The package for its scheme is not installed.
    StorageError
        The scheme is not known, or the place cannot be opened.
    ConfigError
        Credentials stand in the URL.
    """
    first, _, behind = url.partition("::")
    host = "" if behind else first.partition("://")[2].partition("/")[0]
    # not by its path: all objects of a bucket share one connection pool
    key = os.getpid(), f"{_scheme(first)}://{host}::{behind}"
    with _lock:
        system = _systems.get(key)
        if system is None:
            check_url(url)
            system = _systems[key] = _open(url, _scheme(first), is_chained=bool(behind))
    return Opened(system, system._strip_protocol(first))


def _open(url: str, scheme: str, *, is_chained: bool) -> Any:
    with needing(f"{scheme}://", _EXTRAS.get(scheme, "storage"), package="fsspec"):
        import fsspec
    for each in {scheme, *(_scheme(part) for part in url.split("::"))}:
        _check_scheme(fsspec, each)
    options: dict[str, Any] = {}
    is_s3 = scheme in ("s3", "s3a") and not is_chained
    if is_s3:  # `attempt` makes them again, and not each layer below it as well
        options["config_kwargs"] = {
            "connect_timeout": _CONNECT_TIMEOUT_S,
            "retries": {"total_max_attempts": 1},
            "max_pool_connections": 64,
        }
    system, _ = attempt(lambda: fsspec.core.url_to_fs(url, **options))
    if is_s3:
        system.retries = 1
    return system


def _check_scheme(fsspec: Any, scheme: str) -> None:
    try:
        fsspec.get_filesystem_class(scheme)
    except ValueError:
        raise StorageError(
            f"no scheme {scheme}:// is known; expected one of fsspec's, such as s3://, gs://, abfs:// or https://"
        ) from None
    except ImportError as error:
        raise _without_package(scheme, error) from error


def _without_package(scheme: str, error: ImportError) -> MissingExtraError:
    cause = error.__cause__ or error.__context__ or error
    package = (getattr(cause, "name", None) or "").partition(".")[0] or f"of {scheme}://"
    extra = _EXTRAS.get(scheme)
    command = f'"osscl[{extra}]"' if extra else package
    if version_of(package):
        return MissingExtraError(f"{scheme}:// needs the package {package}, which cannot be loaded: {cause}")
    return MissingExtraError(
        f"{scheme}:// needs the package {package}, which is not installed: pip install {command}"
    )


def _scheme(part: str) -> str:
    return part.partition("://")[0].lower()
