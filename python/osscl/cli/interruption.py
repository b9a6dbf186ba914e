"""Ctrl-C for commands that finish what they are at and save it, instead of breaking off."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from osscl.cli import signals
from osscl.cli.messages import say


@contextmanager
def postponed_interrupt(message: str) -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C, or a request to terminate, into a question that the work asks now and then.

    Parameters
    ----------
    message : str
        Said when it comes; a second one breaks off at once.

    Yields
    ------
    callable
        Whether the work shall stop.
    """
    # one that came before was raised, and lost: modules in C that are loading do that
    is_asked = signals.is_asked()
    if is_asked:
        say(message)

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal is_asked
        if is_asked:
            raise KeyboardInterrupt
        is_asked = True
        signals.note(number)
        say(message)

    before = {number: signal.signal(number, ask) for number in signals.handled()}
    try:
        yield lambda: is_asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
