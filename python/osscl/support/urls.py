"""Whether what the user named is a URL, and no path of this machine."""

import os
import re
from typing import Any

_URL = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]+::)*[A-Za-z][A-Za-z0-9+.-]+://")


def is_url(place: str | bytes | os.PathLike[Any]) -> bool:
    """Tell a URL such as ``s3://bucket/key`` or ``zip://*::s3://bucket/a.zip`` from a path.

    A path is never taken for one unless its first folder's name ends in a colon and two slashes follow;
    ``./`` before it makes it a path again.
    """
    text = os.fspath(place)
    if isinstance(text, bytes):
        return b"://" in text and _URL.match(os.fsdecode(text)) is not None
    return "://" in text and _URL.match(text) is not None
