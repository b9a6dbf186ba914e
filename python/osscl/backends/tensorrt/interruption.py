"""Ctrl-C while a library works that knows no exceptions."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Event
from typing import TypeVar

_Result = TypeVar("_Result")
_LOOK_EVERY_S = 0.2


def run_interruptibly(work: Callable[[Callable[[], bool]], _Result]) -> _Result:
    """Do some work in a thread of its own, so that Ctrl-C is seen at once and the work asked to stop.

    Parameters
    ----------
    work : callable
        Given a function that tells whether it shall stop.

    Returns
    -------
    object
        What the work returns.

    Raises
    ------
    KeyboardInterrupt
        Ctrl-C came, once the work has stopped.
    """
    stopped = Event()
    with ThreadPoolExecutor(1, "osscl-build") as thread:
        done = thread.submit(work, stopped.is_set)
        try:
            while not wait([done], _LOOK_EVERY_S).done:  # a signal that another thread got is seen then
                pass
            return done.result()
        except BaseException:
            stopped.set()
            raise
