"""Rows of CSV as osscl writes and reads them: one dialect, and no cell that a spreadsheet would compute.

Lines end in a line feed, as in every other text that osscl writes; else RFC 4180, UTF-8. CR LF is read too.

A spreadsheet computes a cell that begins with one of ``= + - @``, their full-width forms, a tab or a line
end, so that a file named ``=HYPERLINK(...)`` would act when the table is opened. Such a text gets an
apostrophe in front. So does a text that begins with apostrophes before such a character, which makes the rule
reversible: reading takes one apostrophe away from each cell that begins with apostrophes and then such a
character. Numbers are no text: -1.5 stays -1.5.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from typing import Protocol

_LIVE = re.compile("'*[=+\\-@\uff1d\uff0b\uff0d\uff20\t\r\n]")
_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs"}


class TextSink(Protocol):
    """What rows are written to."""

    def write(self, text: str, /) -> object:
        """Take some text."""


class CsvWriter:
    """Writes rows.

    Parameters
    ----------
    file : text file
        Where to; opened with ``newline=""``.
    """

    def __init__(self, file: TextSink) -> None:
        self._writer = csv.writer(_LineFeeds(file))

    def write(self, cells: Iterable[object]) -> None:
        """Write a row; None is an empty cell."""
        self._writer.writerow([disarmed(cell) if isinstance(cell, str) else cell for cell in cells])


class CsvReader:
    """Rows of a CSV file, as `CsvWriter` or any other program wrote it; an iterator of lists of str.

    Parameters
    ----------
    lines : iterable of str
        A text file opened with ``newline=""``.

    Raises
    ------
    csv.Error
        While it is read: it is no CSV, or its columns are separated by something else than commas.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._rows = csv.reader(lines, strict=True)
        self._is_first = True

    def __iter__(self) -> Iterator[list[str]]:
        return self

    def __next__(self) -> list[str]:
        cells = next(self._rows)
        if self._is_first:
            _refuse_other_separators(cells)
            self._is_first = False
        return [rearmed(cell) for cell in cells]

    @property
    def line_num(self) -> int:
        """Lines read so far; at least 1, so that it can stand in a message."""
        return max(1, self._rows.line_num)


def disarmed(text: str) -> str:
    """Spell a text so that no spreadsheet takes it for a formula."""
    return f"'{text}" if _LIVE.match(text) else text


def rearmed(cell: str) -> str:
    """Undo `disarmed`."""
    return cell[1:] if cell.startswith("'") and _LIVE.match(cell) else cell


class _LineFeeds:
    """Ends rows in a line feed; the writer must not know, or it would leave a lone CR in a cell unquoted."""

    def __init__(self, file: TextSink) -> None:
        self._file = file

    def write(self, row: str) -> None:
        self._file.write(row.removesuffix("\r\n") + "\n")


def _refuse_other_separators(header: list[str]) -> None:
    if len(header) != 1:
        return
    for separator, name in _OTHER_SEPARATORS.items():
        if separator in header[0]:
            raise csv.Error(
                f"its columns are separated by {name}, as Excel does in some countries, not by commas: "
                f"it is {header[0]!a}; save it with commas"
            )
