"""Tables before they are drawn, and how figures are spelled in their cells."""

from typing import NamedTuple

from osscl.evaluation.figures import Figure

UNDEFINED, TOO_FEW = "undefined", "too few"


class Grid(NamedTuple):
    """A table before it is drawn: cells of text, the first column to the left, the others to the right.

    A second line in a cell is the interval of the first.
    """

    title: str
    header: list[str]
    groups: list[list[list[str]]]


def percent(figure: Figure | None) -> str:
    """A figure in per cent."""
    return UNDEFINED if figure is None else f"{100 * figure.value:.2f}"


def with_interval(figure: Figure | None, *, has_many_clips: bool = True) -> str:
    """A figure in per cent, its interval in a second line."""
    return "\n".join(filter(None, [percent(figure), interval_of(figure, has_many_clips=has_many_clips)]))


def interval_of(figure: Figure | None, *, has_many_clips: bool = True) -> str:
    """The interval of a figure, in per cent; empty where there is none, and words where it means nothing."""
    if figure is None or figure.low is None or figure.high is None:
        return ""
    if not has_many_clips:
        return TOO_FEW
    low, high = (f"{100 * end:.1f}".replace("100.0", "100") for end in (figure.low, figure.high))
    return f"{low}–{high}"
