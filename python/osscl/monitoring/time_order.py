"""Clips in the order in which they were recorded, as far as their times tell it."""

import datetime
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from osscl.support.plurals import counted, plural, verb

_EPOCH = datetime.datetime(1970, 1, 1)


class TimeOrder(NamedTuple):
    """Clips in the order of time.

    Attributes
    ----------
    order : ndarray of int, [N]
        Numbers of the clips.
    seconds : ndarray of float64, [N], or None
        Time of each in that order; None where they are in the order of the table.
    note : str or None
        What is to be said of it.
    """

    order: npt.NDArray[np.intp]
    seconds: npt.NDArray[np.float64] | None
    note: str | None

    @property
    def step_s(self) -> float | None:
        """Median time between neighbours; None where it is not known, or zero."""
        if self.seconds is None or len(self.seconds) < 2:
            return None
        return float(np.median(np.diff(self.seconds))) or None


def time_order(times: Sequence[str | None]) -> TimeOrder:
    """Bring clips into the order of time.

    Parameters
    ----------
    times : sequence of (str or None), [N]
        When each was recorded, ISO 8601, in the order of the table.

    Returns
    -------
    TimeOrder
        Equal times stay in the order of the table, and so do all clips where a time is missing, is no time,
        or has a time zone while others have none: those cannot be compared.
    """
    as_given = np.arange(len(times))
    known = [each for each in times if each is not None]
    if not known:
        return TimeOrder(as_given, None, None)
    if len(known) < len(times):
        missing = len(times) - len(known)
        return TimeOrder(
            as_given,
            None,
            f"{missing} of {counted(len(times), 'clip')} {verb(missing, 'has', 'have')} no time: "
            f"{_AS_IN_TABLE}",
        )
    try:
        moments = [datetime.datetime.fromisoformat(each) for each in known]
    except ValueError as error:
        return TimeOrder(as_given, None, f"a time cannot be read ({error}): {_AS_IN_TABLE}")
    if len({moment.tzinfo is None for moment in moments}) > 1:
        return TimeOrder(as_given, None, f"some times have a time zone and others none: {_AS_IN_TABLE}")
    seconds = np.array([_seconds(moment) for moment in moments])
    order = np.argsort(seconds, kind="stable")
    n_back = int(np.count_nonzero(np.diff(seconds) < 0))
    places = f"{n_back} {plural(n_back, 'place')}"
    note = f"times go back at {places} of the table: its clips are taken in the order of time"
    return TimeOrder(order, seconds[order], note if n_back else None)


def _seconds(moment: datetime.datetime) -> float:
    """Seconds since 1970, of a clock without a time zone by its own reading."""
    return moment.timestamp() if moment.tzinfo else (moment - _EPOCH).total_seconds()


_AS_IN_TABLE = "clips are taken in the order of the table"
