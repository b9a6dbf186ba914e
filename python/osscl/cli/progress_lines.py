"""Progress as lines, where stderr is no terminal: in the log of a run that nobody sees a bar of."""

import time
from collections.abc import Callable

EVERY_S = 60.0
"""Seconds between lines: a run that is shorter says nothing on its way."""


class ProgressLines:
    """Says now and then how far the work is.

    Parameters
    ----------
    say : callable
        Takes each line.
    clock : callable
        Gives seconds.
    """

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say, self._clock = say, clock
        self._due = clock() + EVERY_S

    @property
    def is_due(self) -> bool:
        """Whether the last line was said long enough ago."""
        return self._clock() >= self._due

    def show(self, what: str, n_done: int, total: int | None, speed: str, left: str) -> None:
        """Say a line.

        Parameters
        ----------
        what : str
            What is counted, in the plural.
        n_done : int
            How many are done.
        total : int or None
            How many there are, where that is known.
        speed, left : str
            As the bar of a terminal has them.
        """
        self._due = self._clock() + EVERY_S
        of_all = "" if total is None else f" of {total:,}"
        parts = [f"{n_done:,}{of_all} {what}", speed, f"left {left}" if total is not None else ""]
        self._say(", ".join(filter(None, parts)))
