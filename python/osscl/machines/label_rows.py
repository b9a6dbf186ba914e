"""Rows of a table of labels: a file, its machine, and what else is known of it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from osscl.machines.domains import DOMAINS
from osscl.machines.told import Told
from osscl.support.csv_rows import not_utf_8, shown

REQUIRED = ("path", "machine")
FILE = "file"
"""Column in place of ``path``: names of files, wherever they lie."""
OPTIONAL = ("label", "domain", "recording")
LABELS = {"normal": False, "anomaly": True}
"""Words of the column ``label``; an empty cell leaves it open."""


class RowError(Exception):
    """What is wrong with the row just read."""


class LabelRow(NamedTuple):
    """One row.

    Attributes
    ----------
    spelled : str
        Path or name as it is spelled.
    told : Told
        What the row tells.
    is_name : bool
        Whether it is the name of a file alone, in the column ``file``.
    """

    spelled: str
    told: Told
    is_name: bool


def rows_of(rows: Iterator[list[str]]) -> Iterator[LabelRow]:
    """Read the rows below the header.

    Parameters
    ----------
    rows : iterator of list of str
        All rows.

    Yields
    ------
    LabelRow
        What stands in it.

    Raises
    ------
    RowError
        A column is missing or there twice, or a row holds what its column may not.
    """
    header = next(rows, [])
    columns = _columns(header)
    is_name = FILE in columns
    has_domains: bool | None = None
    for row in rows:
        if not row:
            continue
        if len(row) != len(header):
            raise RowError(f"has {len(row)} values where the header names {len(header)} columns")
        cells = {name: row[at] for name, at in columns.items()}
        told = _told(cells)
        if "domain" in cells:
            if has_domains not in (None, told.domain is not None):
                here, above = ("no domain", "one") if has_domains else ("a domain", "none")
                raise RowError(f"has {here} where rows above have {above}; give it in every row, or in none")
            has_domains = told.domain is not None
        yield LabelRow(cells[FILE] if is_name else cells["path"], told, is_name)


def _columns(header: list[str]) -> dict[str, int]:
    """Where each column stands."""
    if "path" not in header and header.count(FILE) == header.count("machine") == 1:
        required: tuple[str, ...] = (FILE, "machine")
    else:
        required = REQUIRED
    if any(header.count(name) != 1 for name in required):
        raise RowError(f"the header must name the columns path and machine, once each; it is {shown(header)}")
    if twice := [name for name in OPTIONAL if header.count(name) > 1]:
        raise RowError(f"the header names the column {twice[0]} more than once; it is {shown(header)}")
    return {name: header.index(name) for name in (*required, *OPTIONAL) if name in header}


def _told(cells: dict[str, str]) -> Told:
    for name in ("machine", *OPTIONAL):
        if (problem := not_utf_8(cells.get(name, ""))) is not None:
            raise RowError(problem)
    if not cells["machine"]:
        raise RowError("machine is empty")
    for name in ("path", FILE):
        if "\0" in cells.get(name, ""):
            raise RowError(f"{name} holds a NUL character")
    if "/" in cells.get(FILE, ""):
        raise RowError(
            f"file is {shown([cells[FILE]])}; expected a name without folders: call the column path, whose "
            "rows count from the folder of the table"
        )
    label: str = _word(cells, "label", LABELS)
    domain: Any = _word(cells, "domain", DOMAINS) or None
    return Told(
        cells["machine"],
        is_anomaly=LABELS.get(label),
        domain=domain,
        recording=cells.get("recording") or None,
    )


def _word(cells: dict[str, str], column: str, known: dict[str, bool] | tuple[str, ...]) -> str:
    word = cells.get(column, "")
    if word and word not in known:
        raise RowError(f"{column} is {shown([word])}; expected {' or '.join(known)}, or an empty cell")
    return word


def differing(before: Told, here: Told) -> str:
    """The first thing that two rows say differently."""
    words: dict[bool | None, str] = {None: "none", False: "normal", True: "anomaly"}
    for column, above, below in (
        ("machine", before.machine, here.machine),
        ("label", words[before.is_anomaly], words[here.is_anomaly]),
        ("domain", before.domain, here.domain),
        ("recording", before.recording, here.recording),
    ):
        if above != below:
            return f"the {column} {above or 'none'} above and {below or 'none'} here"
    raise AssertionError("rows differ in one of these")
