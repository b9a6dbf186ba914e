"""The time that the `bext` chunk of a broadcast WAV file tells: mostly one read of a file's beginning."""

import datetime
import os
import re
import struct
from collections.abc import Callable

from osscl.errors import StorageError
from osscl.storage.reading import open_object
from osscl.support.urls import is_url

_HEAD_BYTES = 4096
_MAX_CHUNKS = 64
_BYTE_ORDER = {b"RIFF": "<", b"RIFX": ">", b"RF64": "<", b"BW64": "<"}
_ORIGINATION_AT = 256 + 32 + 32  # behind description, originator and its reference
_ORIGINATION = re.compile(rb"(\d{4})[-_:. ](\d\d)[-_:. ](\d\d)(\d\d)[-_:. ](\d\d)[-_:. ](\d\d)")


def time_in_bext(source: str | os.PathLike[str] | bytes) -> str | None:
    """Read date and time of origination from a WAV file.

    Parameters
    ----------
    source : str, path or bytes
        The file, or what it holds.

    Returns
    -------
    str or None
        ISO 8601, without a zone, as the chunk has none. None for a file that has no such chunk before or
        behind its samples, that cannot be read, or whose chunk tells no time that ever was.

    References
    ----------
    EBU Tech 3285, "Specification of the Broadcast Wave Format", version 2.
    """
    if isinstance(source, bytes):
        return _found(lambda position, n_bytes: source[position : position + n_bytes])
    if is_url(source):
        return _in_object(os.fspath(source))
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    try:
        return _found(lambda position, n_bytes: os.pread(descriptor, n_bytes, position))
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _in_object(url: str) -> str | None:
    try:
        with open_object(url) as file:

            def read(position: int, n_bytes: int) -> bytes:
                file.seek(position)
                return file.read(n_bytes)

            return _found(read)
    except StorageError:  # reading it tells
        return None


_ReadAt = Callable[[int, int], bytes]
"""Takes a position and a number of bytes, gives those that are there."""


def _found(read: _ReadAt) -> str | None:
    head = read(0, _HEAD_BYTES)
    byte_order = _BYTE_ORDER.get(head[:4])
    if byte_order is None or head[8:12] != b"WAVE":
        return None
    position = 12
    for _ in range(_MAX_CHUNKS):
        header = _at(read, head, position, 8)
        if len(header) < 8:
            return None
        name, size = struct.unpack(byte_order + "4sI", header)
        if name == b"bext":
            return _origination(_at(read, head, position + 8 + _ORIGINATION_AT, 18))
        position += 8 + size + size % 2
    return None


def _at(read: _ReadAt, head: bytes, position: int, n_bytes: int) -> bytes:
    """Some bytes of the file, without a system call where its beginning has them."""
    end = position + n_bytes
    return head[position:end] if end <= len(head) else read(position, n_bytes)


def _origination(written: bytes) -> str | None:
    found = _ORIGINATION.fullmatch(written)
    if found is None:
        return None
    try:
        year, month, day, hour, minute, second = map(int, found.groups())
        return datetime.datetime(year, month, day, hour, minute, second).isoformat()
    except ValueError:
        return None
