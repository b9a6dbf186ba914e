"""Detection limits, as people read them."""

from collections.abc import Iterable

import rich.markup
import rich.table

from osscl.cli.console import percent
from osscl.model_file.limits import DetectionLimit, MachineLimits
from osscl.support.plurals import counted


def in_one_line(limits: MachineLimits) -> str:
    """Say what a machine's score finds, by its smallest limits.

    Parameters
    ----------
    limits : MachineLimits
        Of the machine.

    Returns
    -------
    str
        Such as "fan/id_00 (memory, at 5 %, 100 recordings): a 0.2 s burst of +5 dB in 1 to 2 kHz; ...".
    """
    found = "; ".join(each.text for each in limits.smallest())
    return f"{heading(limits)}: {found or 'none of the changes that were tried'}"


def heading(limits: MachineLimits) -> str:
    """Say whose limits they are, and at which rate: "fan/id_00 (memory, at 5 %, 100 recordings)"."""
    rate, n = percent(limits.false_alarm_rate), limits.n_recordings
    return f"{limits.machine} ({limits.rule}, at {rate}, {counted(n, 'recording')})"


def table_of(limits: Iterable[DetectionLimit]) -> rich.table.Table:
    """Make a table of limits, one a line.

    Parameters
    ----------
    limits : iterable of DetectionLimit
        Of one machine.

    Returns
    -------
    rich.table.Table
        The change in words, and the sizes that are found 50 and 90 times of 100.
    """
    table = rich.table.Table(box=None, pad_edge=False)
    table.add_column("found 9 times of 10, with 95 % confidence", overflow="fold")
    for name in ("a50", "a90", "a90/95", "unit"):
        table.add_column(name, justify="right")
    for each in limits:
        sizes = ("-" if size is None else f"{size:.3g}" for size in (each.a50, each.a90, each.a90_95))
        table.add_row(rich.markup.escape(each.text), *sizes, each.unit)
    return table
