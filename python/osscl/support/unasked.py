"""What stands in the place of a callable that nobody gave, with a name that signatures can show."""

from collections.abc import Callable
from typing import Any


class Unasked:
    """A default for what may be called: unlike that of a function, its representation is the same each time.

    Parameters
    ----------
    name : str
        What it is shown as.
    function : callable
        What it does.
    """

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        self.__name__ = self.__qualname__ = name
        self._function = function

    def __call__(self, *given: Any) -> Any:
        """Do it."""
        return self._function(*given)

    def __repr__(self) -> str:
        return self.__name__


NOBODY_LISTENS = Unasked("nobody_listens", lambda *_: None)
"""Takes whatever it is told, and does nothing."""
UNCHANGED = Unasked("unchanged", lambda given: given)
"""Gives back what it is given."""
