"""What lies below a URL, in the order of its keys: a page of a bucket, or a folder, in memory at a time.

Keys are ordered as their bytes are, as S3 gives them. That is the order of a walk through folders but for one
thing: ``pump-2/`` comes before ``pump/``, since a hyphen comes before a slash.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from osscl.errors import StorageError
from osscl.storage.attempts import attempt
from osscl.storage.opening import opened
from osscl.storage.stored import Stored, stored_of

_PAGE = 1000  # keys; no more are given at once by S3


class Listed(NamedTuple):
    """An object below a URL.

    Attributes
    ----------
    url : str
        Its own, spelled as the one that the listing began at.
    name : str
        What stands behind the last slash of its key.
    stored : Stored
        What the listing tells of it.
    """

    url: str
    name: str
    stored: Stored


def objects_at(url: str) -> Iterator[Listed]:
    """List an object, or all objects below a place, lazily.

    Parameters
    ----------
    url : str
        One object; or what the keys of several begin with, up to a slash.

    Yields
    ------
    Listed
        In the order of keys. Nothing where nothing is there.

    Raises
    ------
    StorageError
        It cannot be listed, or not any further.
    MissingExtraError
        The package for its scheme is not installed.
    """
    system, path = opened(url)
    system.invalidate_cache()  # what was listed before may have changed since
    if not _is_folder(url):
        found = stat(url)
        if found is not None and found.get("type") != "directory":
            yield Listed(url, _name(path), stored_of(found))
            return
        if found is None and not _is_s3(system):
            return
    first, chained, behind = url.partition("::")
    spelled = first if first.endswith("://") else f"{first.rstrip('/')}/"
    for key, told in _below(system, path):
        if not key.endswith("/"):  # what consoles make to show an empty folder
            yield Listed(f"{spelled}{key}{chained}{behind}", _name(key), stored_of(told))


def stat(url: str) -> dict[str, Any] | None:
    """Ask a store what is at one place; None where nothing is. Raises `StorageError`."""
    system, path = opened(url)
    try:
        found: dict[str, Any] = attempt(lambda: system.info(path))
    except StorageError as error:
        if error.is_missing:
            return None
        raise
    return found


def _below(system: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Keys behind a path, and what is told of each."""
    return _in_bucket(system, path) if _is_s3(system) else _in_folders(system, path)


def _in_bucket(system: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """All keys with a prefix, page by page: folders are nothing to a bucket."""
    bucket, key, _ = system.split_path(path.rstrip("/"))
    if not bucket:
        raise StorageError("a bucket is missing in it: expected s3://BUCKET, or s3://BUCKET/FOLDER")
    prefix = f"{key}/" if key else ""
    going_on: dict[str, str] = {}
    while True:
        asked = {"Bucket": bucket, "Prefix": prefix, "MaxKeys": _PAGE, **going_on}
        page = attempt(lambda asked=asked: system.call_s3("list_objects_v2", **asked))  # type: ignore[misc]
        for each in page.get("Contents", ()):
            yield each["Key"].removeprefix(prefix), each
        if not page.get("IsTruncated"):
            return
        going_on = {"ContinuationToken": page["NextContinuationToken"]}


def _in_folders(system: Any, top: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """All files of a tree, folder by folder."""
    start = f"{top.rstrip('/')}/"  # of a whole file system: a slash, or nothing
    branch = [_folder(system, top)]
    while branch:
        for told in branch[-1]:
            name = told["name"]
            if told.get("type") == "directory":
                if told.get("islink"):
                    raise StorageError(
                        f"{name} is a link to a folder, which is not followed; name the folder itself"
                    )
                branch.append(_folder(system, name))
                break
            yield name.removeprefix(start), told
        else:
            branch.pop()


def _folder(system: Any, path: str) -> Iterator[dict[str, Any]]:
    listed = attempt(lambda: system.ls(path, detail=True))
    inside = [told for told in listed if told["name"].rstrip("/") != path.rstrip("/")]
    return iter(sorted(inside, key=_key))


def _key(told: dict[str, Any]) -> str:
    name: str = told["name"]
    return f"{name.rstrip('/')}/" if told.get("type") == "directory" else name


def _is_folder(url: str) -> bool:
    return url.partition("::")[0].endswith("/")


def _is_s3(system: Any) -> bool:
    return hasattr(system, "call_s3")


def _name(key: str) -> str:
    return key.rpartition("/")[2]
