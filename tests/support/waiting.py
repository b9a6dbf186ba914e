"""Waiting for what another thread or process does: for the event itself, however long it takes.

What never comes is ended by pytest's own time-out for a test; no test fails because a machine is slow.
"""

import threading
from collections.abc import Callable
from subprocess import Popen
from typing import Any, TypeVar

_LOOK_AGAIN_S = 0.01

Found = TypeVar("Found")


def wait_until(look: Callable[[], Found | None], process: "Popen[Any] | None" = None) -> Found:
    """Look again and again until something is found.

    Parameters
    ----------
    look : callable
        What is there; None or False where nothing is yet.
    process : Popen, optional
        Who is to bring it about; that it ended meanwhile is an error, since nothing can come any more.

    Returns
    -------
    object
        What was found.
    """
    while True:
        has_ended = process is not None and process.poll() is not None
        found = look()
        if found is not None and found is not False:
            return found
        assert not has_ended, "the process ended before"
        threading.Event().wait(_LOOK_AGAIN_S)
