"""Rows of CSV as osscl writes and reads them: one dialect, and no cell that a spreadsheet would compute.

Lines end in a line feed, as in every other text that osscl writes; else RFC 4180, UTF-8. CR LF is read too.

A spreadsheet computes a cell that begins with one of ``= + - @``, their full-width forms, a tab or a line
end, so that a file named ``=HYPERLINK(...)`` would act when the table is opened. Such a text gets an
apostrophe in front. So does a text that begins with apostrophes before such a character, which makes the rule
reversible: reading takes one apostrophe away from each cell that begins with apostrophes and then such a
character. Numbers are no text: -1.5 stays -1.5.
"""

import csv
import os
import re
from collections.abc import Iterable, Iterator
from typing import Protocol, TextIO

from osscl.support.paths import brief
from osscl.support.regular_file import regular_only

_LIVE = re.compile("'*[=+\\-@\uff1d\uff0b\uff0d\uff20\t\r\n]")
_UNDECODED = re.compile("[\udc80-\udcff]")
_OTHER_KINDS = {  # how they begin, decoded as UTF-8
    ("\udcff\udcfe", "\udcfe\udcff"): 'a text in UTF-16, as Excel\'s "Unicode Text" is',
    ("PK\3\4",): "a workbook (.xlsx, .ods) or another ZIP archive",
    ("\udcd0\udccf\x11",): "a workbook of an old Excel (.xls)",
}
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


def open_csv(path: str | os.PathLike[str]) -> TextIO:
    """Open a regular file for `CsvReader`, which tells what in it is no UTF-8; raises `OSError`."""
    return open(path, encoding="utf-8-sig", errors="surrogateescape", newline="", opener=regular_only)


class CsvReader:
    """Rows of a CSV file, as `CsvWriter` or any other program wrote it; an iterator of lists of str.

    Parameters
    ----------
    lines : iterable of str
        A text file from `open_csv`.
    keeps_bytes : bool
        Whether bytes that are no UTF-8 are given as they were decoded, for the caller to judge.

    Raises
    ------
    csv.Error
        While it is read: it is no CSV, its columns are separated by something else than commas, or it is not
        in UTF-8.
    """

    def __init__(self, lines: Iterable[str], *, keeps_bytes: bool = False) -> None:
        self._n_lines = 0
        self._rows = csv.reader(self._checked(lines, keeps_bytes), strict=True)
        self._is_first = True

    def _checked(self, lines: Iterable[str], keeps_bytes: bool) -> Iterator[str]:
        for line in lines:
            self._n_lines += 1
            if self._n_lines == 1:
                _refuse_other_kinds(line)
            if not keeps_bytes and (problem := not_utf_8(line)) is not None:
                raise csv.Error(problem)
            yield line

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
        return max(1, self._n_lines)


def not_utf_8(text: str) -> str | None:
    """Say which byte of a decoded text is no UTF-8, and the remedy; None where all are."""
    found = _UNDECODED.search(text)
    if found is None:
        return None
    return (
        f"the byte 0x{ord(found[0]) - 0xDC00:02x} is no UTF-8: it was saved in another encoding, as Excel's "
        'plain "CSV" is; save it as "CSV UTF-8"'
    )


def shown(cells: Iterable[str]) -> str:
    """A row so that it fits into a sentence."""
    return brief(ascii(",".join(cells)))


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


def _refuse_other_kinds(line: str) -> None:
    kind = next((kind for beginnings, kind in _OTHER_KINDS.items() if line.startswith(beginnings)), None)
    if kind is None and "\0" in line[:4]:
        kind = "a text in UTF-16, or no text"
    if kind is not None:
        raise csv.Error(f'it is {kind}, not CSV; save it as "CSV UTF-8"')


def _refuse_other_separators(header: list[str]) -> None:
    if len(header) != 1:
        return
    for separator, name in _OTHER_SEPARATORS.items():
        if separator in header[0]:
            raise csv.Error(
                f"its columns are separated by {name}, as Excel does in some countries, not by commas: "
                f"it is {shown(header)}; save it with commas"
            )
