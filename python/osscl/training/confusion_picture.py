"""The matrix of true and nearest classes, in numbers of an SVG picture."""

from collections.abc import Sequence
from typing import NamedTuple

from osscl.support.plurals import counted, verb
from osscl.training.separation import Confusion

MAX_SHOWN = 60
"""Of more classes than that, those are shown that take part in most mistakes."""
_LARGEST_CELL, _SMALLEST_CELL, _WIDTH = 44.0, 13.0, 560.0
_NUMBERED_FROM = 22.0
"""Size of a cell from which its number of clips stands in it."""
_LETTER = 0.56
"""Width of a letter as a share of the size of a font."""


class Cell(NamedTuple):
    """Clips of one class that lie nearest to one class: pixels, and what stands there."""

    x: float
    y: float
    share: float
    n_clips: int
    is_right: bool
    text: str


class Label(NamedTuple):
    """A class's name at a row and a column: pixels."""

    name: str
    at: float


class Matrix(NamedTuple):
    """The picture.

    Attributes
    ----------
    cells : list of Cell
        Those that hold clips.
    labels : list of Label
        At rows and columns.
    size : float
        Of a cell, pixels.
    left, top : float
        Where the cells begin, pixels.
    side : float
        Of all cells, pixels.
    font : float
        Size of the names, pixels.
    has_numbers : bool
        Whether there is room for numbers in the cells.
    n_left_out : int
        Classes that are not shown.
    """

    cells: list[Cell]
    labels: list[Label]
    size: float
    left: float
    top: float
    side: float
    font: float
    has_numbers: bool
    n_left_out: int


def matrix(classes: Sequence[str], confusion: Confusion) -> Matrix:
    """Draw which classes are taken for which.

    Parameters
    ----------
    classes : sequence of str, [K]
        Their names.
    confusion : tuple of tuple of int, [K][K]
        Clips by true and nearest class.

    Returns
    -------
    Matrix
        A row a true class, a column a nearest one; shares are of the row.
    """
    shown = _shown(confusion)
    size = min(_LARGEST_CELL, max(_SMALLEST_CELL, _WIDTH / len(shown)))
    font = min(13.0, 0.85 * size)
    left = 8 + font * _LETTER * max(len(classes[at]) for at in shown)
    top = 8 + 0.87 * left  # names stand slanted there, by 60 degrees
    cells = []
    for row, true in enumerate(shown):
        of_class = sum(confusion[true])
        for column, nearest in enumerate(shown):
            n_clips = confusion[true][nearest]
            if n_clips:
                named = f"{n_clips} of {counted(of_class, 'clip')} of {classes[true]}"
                text = f"{named} {verb(n_clips, 'lies', 'lie')} nearest to {classes[nearest]}"
                place = left + column * size, top + row * size
                cells.append(Cell(*place, n_clips / of_class, n_clips, true == nearest, text))
    labels = [Label(classes[at], (number + 0.5) * size) for number, at in enumerate(shown)]
    return Matrix(
        cells,
        labels,
        size,
        left,
        top,
        size * len(shown),
        font,
        size >= _NUMBERED_FROM,
        len(classes) - len(shown),
    )


def _shown(confusion: Confusion) -> list[int]:
    numbers = range(len(confusion))
    if len(numbers) <= MAX_SHOWN:
        return list(numbers)
    mistakes = [
        sum(confusion[at]) + sum(row[at] for row in confusion) - 2 * confusion[at][at] for at in numbers
    ]
    return sorted(sorted(numbers, key=lambda at: -mistakes[at])[:MAX_SHOWN])
