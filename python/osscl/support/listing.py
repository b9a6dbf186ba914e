"""Many things named in one sentence: the first of them, and how many more there are."""

from collections.abc import Iterable, Iterator

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


def listed_by_reason(reasons: Iterable[tuple[str, str | None]], most: int) -> Iterator[str]:
    """Say of many things what is wrong with them, each reason once.

    Parameters
    ----------
    reasons : iterable of (str, str or None)
        A thing, such as a machine, and its reason; None where nothing is wrong.
    most : int
        How many are named behind one reason.

    Yields
    ------
    str
        Such as "a, b and 3 more: too quiet", in the order in which the reasons are met.
    """
    things: dict[str, list[str]] = {}
    for thing, reason in reasons:
        if reason is not None:
            things.setdefault(reason, []).append(thing)
    for reason, named in things.items():
        yield f"{listed(named, most)}: {reason}"
