"""From when on a page counts recordings: those before are history."""

import datetime
import re
from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from osscl.errors import ConfigError
from osscl.scoring.record import Record
from osscl.support.durations import parse_duration
from osscl.support.paths import printable

_SPAN = re.compile(r"\s*\d.*[a-z]\s*")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}|\d{8}")


class Since(NamedTuple):
    """A moment.

    Attributes
    ----------
    moment : datetime
        With its time zone: that of this computer, where none was said.
    """

    moment: datetime.datetime

    @classmethod
    def read(cls, text: str, now: datetime.datetime) -> Self:
        """Read a span back from now, or a date.

        Parameters
        ----------
        text : str
            Such as "24h" or "7d", or an ISO date with a time or without: "2026-11-20", "2026-11-20T06:10".
        now : datetime
            Now, with its time zone.

        Returns
        -------
        Since
            The moment.

        Raises
        ------
        ConfigError
            It is neither.
        """
        try:
            if _SPAN.fullmatch(text):
                return cls(now - datetime.timedelta(seconds=parse_duration(text)))
            return cls(_zoned(datetime.datetime.fromisoformat(text)))
        except (ConfigError, ValueError, OverflowError):
            raise ConfigError(
                f"--since is '{printable(text)}'; expected a span such as 24h or 7d, or a date such as "
                "2026-11-20 or 2026-11-20T06:10"
            ) from None

    def __str__(self) -> str:
        """As pages show it, by the clock of its zone."""
        return self.moment.strftime("%Y-%m-%d %H:%M")

    def is_before(self, time: str) -> bool:
        """Whether a time is this moment or later.

        Parameters
        ----------
        time : str
            ISO 8601. Without a zone it is by this computer's; a date alone is as late as its day.

        Returns
        -------
        bool
            False also of a text that is no time.
        """
        try:
            told = datetime.datetime.fromisoformat(time)
            if _DAY.fullmatch(time):
                told = datetime.datetime.combine(told, datetime.time.max)
            return _zoned(told) >= self.moment
        except (ValueError, OverflowError):
            return False

    def counting(self, records: Sequence[Record], scored_at: str | None) -> npt.NDArray[np.bool_]:
        """Tell which lines count: by when recordings were made, or else by when the table was scored.

        Parameters
        ----------
        records : sequence of Record
            Lines of a table.
        scored_at : str or None
            When its run ended; lines without a time count where that is not known.

        Returns
        -------
        ndarray of bool, [number of lines]
            Whether each was made at that moment or later.
        """
        untimed = scored_at is None or self.is_before(scored_at)
        return np.array(
            [self.is_before(each.recorded_at) if each.recorded_at else untimed for each in records], bool
        )


def local_time(time: str) -> str:
    """A time by this computer's clock, to the minute; one without a zone as it stands."""
    try:
        told = datetime.datetime.fromisoformat(time)
    except ValueError:
        return time[:16].replace("T", " ")
    return (told.astimezone().isoformat() if told.tzinfo else time)[:16].replace("T", " ")


def _zoned(moment: datetime.datetime) -> datetime.datetime:
    return moment if moment.tzinfo else moment.astimezone()
