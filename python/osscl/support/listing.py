"""Many things named in one sentence: the first of them, and how many more there are."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from osscl.support.paths import printable
from osscl.support.plurals import plural

T = TypeVar("T")


def first_of(things: Iterable[T], most: int) -> tuple[list[T], int]:
    """Take the first of some things, and never leave one alone unnamed: it takes no more room than "1 more".

    Parameters
    ----------
    things : iterable
        What is to be named.
    most : int
        How many are named where more than one would be left.

    Returns
    -------
    first : list
        Those that are named.
    n_left : int
        How many are not: none, or 2 and more.
    """
    every = [*things]
    first = every if len(every) <= most + 1 else every[:most]
    return first, len(every) - len(first)


def and_more(n_left: int, noun: str = "") -> str:
    """Say how many are not named: " and 4 more", " and 4 more files"; nothing for none."""
    return f" and {n_left:,} more{f' {plural(n_left, noun)}' if noun else ''}" if n_left else ""


def listed(things: Iterable[str], most: int) -> str:
    """Name some paths or machines.

    Parameters
    ----------
    things : iterable of str
        What is to be named; paths are spelled as they can be printed.
    most : int
        How many are named where more than one would be left.

    Returns
    -------
    str
        Such as "a.wav, b.wav and 3 more".
    """
    first, n_left = first_of(map(printable, things), most)
    return ", ".join(first) + and_more(n_left)


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
