"""Rows of a table of labels: a file, its machine, and what else is known of it."""

from collections.abc import Iterator
from typing import Any

from osscl.machines.domains import DOMAINS
from osscl.machines.told import Told
from osscl.support.csv_rows import not_utf_8, shown

REQUIRED = ("path", "machine")
OPTIONAL = ("label", "domain", "recording")
LABELS = {"normal": False, "anomaly": True}
"""Words of the column ``label``; an empty cell leaves it open."""


class RowError(Exception):
    """What is wrong with the row just read."""


def rows_of(rows: Iterator[list[str]]) -> Iterator[tuple[str, Told]]:
    """Read the rows below the header.

    Parameters
    ----------
    rows : iterator of list of str
        All rows.

    Yields
    ------
    path, told : str, Told
        Path as it is spelled, and what the row tells.

    Raises
    ------
    RowError
        A column is missing or there twice, or a row holds what its column may not.
    """
    header = next(rows, [])
    columns = _columns(header)
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
        yield cells["path"], told


def _columns(header: list[str]) -> dict[str, int]:
    """Where each column stands."""
    if any(header.count(name) != 1 for name in REQUIRED):
        raise RowError(f"the header must name the columns path and machine, once each; it is {shown(header)}")
    if twice := [name for name in OPTIONAL if header.count(name) > 1]:
        raise RowError(f"the header names the column {twice[0]} more than once; it is {shown(header)}")
    return {name: header.index(name) for name in (*REQUIRED, *OPTIONAL) if name in header}


def _told(cells: dict[str, str]) -> Told:
    for name in ("machine", *OPTIONAL):
        if (problem := not_utf_8(cells.get(name, ""))) is not None:
            raise RowError(problem)
    if not cells["machine"]:
        raise RowError("machine is empty")
    if "\0" in cells["path"]:
        raise RowError("path holds a NUL character")
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
