"""By what a recording is known again: its path, size and date, so that a changed one is scored anew."""

import os
from typing import NamedTuple

from osscl.audio.candidate import Candidate
from osscl.errors import FolderReadError


class FileKey(NamedTuple):
    """A recording as it was met. Dates are compared for equality alone: a clock may be set back.

    Attributes
    ----------
    path : bytes
        As it was walked by.
    size, mtime_ns : int or None
        Bytes, and the date of the last change; None where nothing can be told of it. Of an object in a store,
        its revision stands in the date's place.
    """

    path: bytes
    size: int | None
    mtime_ns: int | None


def key_of(candidate: Candidate) -> FileKey:
    """Look at a candidate, before it is read: one that is changed meanwhile then counts as changed.

    Of a folder that cannot be listed nothing counts: its date says nothing of what is below it.
    """
    path = os.fsencode(candidate.path)
    if isinstance(candidate.problem, FolderReadError):
        return FileKey(path, None, None)
    return FileKey(path, *size_and_date_of(candidate))


def size_and_date_of(candidate: Candidate) -> tuple[int | None, int | None]:
    """Tell the same of a candidate; of one behind a URL by what its listing told, without asking again."""
    if candidate.stored is not None:
        return candidate.stored.size, candidate.stored.revision
    return size_and_date(os.fsencode(candidate.path))


def size_and_date(path: bytes) -> tuple[int | None, int | None]:
    """Tell a file's bytes and its date in nanoseconds; None of one that is gone or out of reach."""
    try:
        status = os.stat(path)  # noqa: PTH116 - a million of them
    except (OSError, ValueError):  # reading it tells
        return None, None
    return status.st_size, status.st_mtime_ns
