"""Requests to stop: Ctrl-C, SIGTERM, and SIGHUP of a terminal that went away, all of them one thing.

Of the standard library alone and first to be imported: a Ctrl-C may come while the rest is still loading.
Handlers are set for all three because the first process of a container gets no signal without one.
"""

import os
import signal
from types import FrameType

_ASKING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
_received: list[int] = []


def end_at_once() -> None:
    """From now on a request ends the process with a line on stderr: nothing is there yet to be saved.

    An exception would not do. Modules in C that are loading make an ImportError of it, or lose it.
    """
    _listen(_end)


def raise_interrupts() -> None:
    """From now on a request raises KeyboardInterrupt in the main thread."""
    _listen(_interrupt)


def end_silently() -> None:
    """From now on a request ends the process, about which all has been said."""
    _listen(_leave)


def note(number: int) -> None:
    """Remember a request that somebody else handles."""
    _received.append(number)


def is_asked() -> bool:
    """Whether a request came."""
    return bool(_received)


def exit_code() -> int:
    """The shell's word for a process that the first request ended: 130 for Ctrl-C, 143 for SIGTERM."""
    return 128 + (_received[0] if _received else signal.SIGINT)


def handled() -> tuple[int, ...]:
    """Numbers of the signals that this process listens to: not those that its parent chose to ignore."""
    return tuple(number for number in _ASKING if signal.getsignal(number) is not signal.SIG_IGN)


def _listen(handler: object) -> None:
    for number in handled():
        signal.signal(number, handler)  # type: ignore[arg-type]


def _end(number: int, frame: FrameType | None) -> None:
    try:
        os.write(2, b"interrupted\n")
    finally:
        os._exit(128 + number)


def _leave(number: int, frame: FrameType | None) -> None:
    os._exit(128 + number)


def _interrupt(number: int, frame: FrameType | None) -> None:
    note(number)
    raise KeyboardInterrupt
