"""The end of the interpreter, as seen by threads that are in other packages' native code."""

import atexit
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_changed = threading.Condition()
_inside: set[int] = set()  # threads
_is_ending = False


@contextmanager
def finished_before_the_end() -> Iterator[None]:
    """Let the interpreter end only when what is called here has returned.

    Before Python 3.14, a thread that comes back from native code when the interpreter has ended is unwound,
    which aborts the whole process where that code is C++. Threads that come here later sleep until the
    process is gone. The main thread needs no such care: it is the one that ends the interpreter.
    """
    if threading.current_thread() is threading.main_thread():
        yield
        return
    me = threading.get_ident()
    with _changed:
        while _is_ending:
            _changed.wait()
        _inside.add(me)
    try:
        yield
    finally:
        with _changed:
            _inside.discard(me)
            _changed.notify_all()


@atexit.register
def _wait_for_all() -> None:
    global _is_ending
    interrupt_by_default()
    with _changed:
        _is_ending = True
        _changed.wait_for(lambda: not _inside)


def interrupt_by_default() -> None:
    """Let Ctrl-C end the process at once, where it would raise an exception that nobody handles any more."""
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def _in_forked_child() -> None:
    """A child has none of its parent's other threads."""
    global _changed
    _changed = threading.Condition()
    _inside.clear()


os.register_at_fork(after_in_child=_in_forked_child)
