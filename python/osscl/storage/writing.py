"""Outputs behind a URL: gathered in memory, and put there whole in one request at their end."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from osscl.errors import OutputError, StorageError
from osscl.storage.attempts import attempt
from osscl.storage.listing import stat
from osscl.storage.opening import opened
from osscl.storage.urls import Url
from osscl.support.paths import printable


def check_free(url: Url, *, overwrite: bool) -> None:
    """Refuse a place behind a URL that holds something, or that cannot be reached.

    Parameters
    ----------
    url : Url
        Object to write.
    overwrite : bool
        Whether one may be there already.

    Raises
    ------
    OutputError
        It is taken, or out of reach.
    """
    if not url.name:
        raise OutputError(f"{printable(url)} names no object; expected the name of one to write")
    if is_taken(url) and not overwrite:
        raise OutputError(
            f"{printable(url)} exists; name another object, or use overwrite=True (--overwrite)"
        )


def is_taken(url: Url) -> bool:
    """Whether an object is there; raises `OutputError` where that cannot be told."""
    try:
        found = stat(str(url))
    except StorageError as error:
        raise _cannot_write(url, error) from error
    return found is not None and found.get("type") != "directory"


def put(url: Url, content: bytes) -> None:
    """Write an object, in one request; what was there is replaced. Raises `OutputError`."""
    try:
        system, path = opened(str(url))
        attempt(lambda: system.pipe_file(path, content))
    except StorageError as error:
        raise _cannot_write(url, error) from error


@contextmanager
def appearing_at(url: Url) -> Iterator[IO[bytes]]:
    """Gather an object in memory; it is put at its place once all is written, and not at all after an error.

    Parameters
    ----------
    url : Url
        Where it shall be.

    Yields
    ------
    binary file
        What takes the content.

    Raises
    ------
    OutputError
        It cannot be written there.
    """
    gathered = io.BytesIO()
    yield gathered
    put(url, gathered.getvalue())


def _cannot_write(url: Url, error: StorageError) -> OutputError:
    return OutputError(f"{printable(url)} cannot be written: {error}")
