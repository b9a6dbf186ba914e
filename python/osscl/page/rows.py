"""The lines of a table as the page holds them: packed, for its script to unpack."""

import base64
import zlib
from collections.abc import Mapping
from typing import NamedTuple

import msgspec
import numpy as np

from osscl.page.scored import NO_MACHINE, Scored
from osscl.scoring.record import place_of

MAX_UNFLAGGED = 10_000
"""All flagged clips are in the page's table, and so many of the highest others."""


class Rows(NamedTuple):
    """Lines for the page's script.

    Attributes
    ----------
    packed : str
        Columns as JSON, deflated, in base64.
    n_shown : int
        Lines in it.
    n_left_out : int
        Lines of the table that are not.
    """

    packed: str
    n_shown: int
    n_left_out: int


def packed_rows(scored: Scored, number_of_clip: Mapping[int, int]) -> Rows:
    """Pack lines.

    Parameters
    ----------
    scored : Scored
        The table.
    number_of_clip : mapping of int to int
        For the line of each clip that is shown with picture and sound, its number.

    Returns
    -------
    Rows
        All flagged clips; of the others the highest, 10,000 lines together at least. Those without a score
        come last.
    """
    excess, flagged = np.full(len(scored.records), -np.inf), np.zeros(len(scored.records), bool)
    for each in scored.machines:
        excess[each.lines], flagged[each.lines] = each.excess, each.flagged
    order = np.lexsort((np.arange(len(excess)), -excess, ~flagged))
    kept = order[: max(MAX_UNFLAGGED, int(flagged.sum()))]
    names = sorted({record.machine or NO_MACHINE for record in scored.records})
    number_of = {name: number for number, name in enumerate(names)}
    records = [scored.records[line] for line in kept]
    columns = {
        "machines": names,
        "clip": [number_of_clip.get(int(line)) for line in kept],
        "path": [place_of(record, record.path) for record in records],
        "machine": [number_of[record.machine or NO_MACHINE] for record in records],
        "flagged": [None if record.is_anomaly is None else int(record.is_anomaly) for record in records],
        "score": [None if record.score is None else _short(record.score) for record in records],
        "excess": [
            None if record.score is None else _short(excess[line])
            for line, record in zip(kept, records, strict=True)
        ],
        "p": [None if record.p_value is None else _short(record.p_value) for record in records],
        "time": [record.recorded_at for record in records],
        "said": [_said(record.explanation, None) for record in records],
        "doubt": [
            _said(record.quality, record.reason or (None if record.status in ("ok", "") else record.status))
            for record in records
        ],
    }
    content = zlib.compress(msgspec.json.encode(columns), 9)
    return Rows(base64.b64encode(content).decode(), len(kept), len(excess) - len(kept))


def _said(first: str | None, second: str | None) -> str | None:
    return "; ".join(filter(None, [first, second])) or None


def _short(value: float) -> float:
    return float(f"{value:.5g}")
