"""What Ray's native code writes to stderr by itself: kept away, as Ray keeps it in files of its own."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def without_native_lines() -> Iterator[None]:
    """Leave stderr to Python alone for a while.

    Ray's core knows no setting that keeps it from warning there of what Ray Data itself does in every run.
    The same lines stand in the logs of its session. A program without stderr stays one.
    """
    ours = sys.stderr
    try:
        kept = None if ours is None or ours.fileno() != 2 else os.dup(2)
    except (OSError, ValueError):  # it is closed, or no file
        kept = None
    if kept is None:
        yield
        return
    ours.flush()
    with (
        os.fdopen(kept, "w", encoding=ours.encoding, errors=ours.errors, buffering=1) as python_only,
        Path(os.devnull).open("wb") as nowhere,
    ):
        os.dup2(nowhere.fileno(), 2)
        sys.stderr = python_only
        try:
            yield
        finally:
            sys.stderr = ours
            python_only.flush()
            os.dup2(kept, 2)
