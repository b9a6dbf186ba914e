"""Many things named in one sentence: the first of them, and how many more there are."""

from collections.abc import Iterable

from osscl.support.paths import printable


def listed(things: Iterable[str], most: int) -> str:
    """Name some paths or machines.

    Parameters
    ----------
    things : iterable of str
        What is to be named; paths are spelled as they can be printed.
    most : int
        How many are named.

    Returns
    -------
    str
        Such as "a.wav, b.wav and 3 more".
    """
    spelled = [*map(printable, things)]
    more = f" and {len(spelled) - most} more" if len(spelled) > most else ""
    return ", ".join(spelled[:most]) + more
