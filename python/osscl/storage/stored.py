"""An object as a store lists it: what it is called, how large it is, and by what a changed one is known."""

import datetime
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

_TAGS = ("ETag", "etag", "md5Hash", "checksum")
_DATES = ("LastModified", "last_modified", "updated", "mtime", "created")


class Stored(NamedTuple):
    """What a listing tells of an object.

    Attributes
    ----------
    size : int or None
        Bytes; None where the store does not tell.
    revision : int or None
        Another number for other content: of the store's own tag of it, else its date in nanoseconds.
    written_s : float or None
        When it was last written, seconds since 1970.
    """

    size: int | None = None
    revision: int | None = None
    written_s: float | None = None


def stored_of(told: Mapping[str, Any]) -> Stored:
    """Read what the listing of any file system of fsspec says of a file."""
    size = told.get("size", told.get("Size"))
    written_s = _seconds(next((told[name] for name in _DATES if told.get(name) is not None), None))
    tag = next((str(told[name]) for name in _TAGS if told.get(name)), None)
    if tag is not None:
        revision: int | None = int.from_bytes(blake2b(tag.encode(), digest_size=7).digest())
    else:
        revision = None if written_s is None else int(written_s * 1e9)
    return Stored(size if isinstance(size, int) else None, revision, written_s)


def _seconds(date: Any) -> float | None:
    if isinstance(date, str):
        try:
            date = datetime.datetime.fromisoformat(date)
        except ValueError:
            return None
    if isinstance(date, datetime.datetime):
        zoned = date if date.tzinfo is not None else date.replace(tzinfo=datetime.UTC)
        return zoned.timestamp()
    return float(date) if isinstance(date, int | float) else None
