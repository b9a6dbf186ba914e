"""When recordings began: what their names or headers say, else what the user says. Never a guess."""

import datetime
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from osscl.audio.bext import time_in_bext
from osscl.audio.time_in_name import time_in_name
from osscl.errors import ConfigError
from osscl.storage.stored import Stored

_MINUTES = re.compile(r"\d\d:\d\d(Z|[+-]\d\d:\d\d)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class RecordingTimes:
    """What tells the times of recordings whose names and headers do not.

    Attributes
    ----------
    start : datetime or None
        When the first of them began.
    every_s : float or None
        Seconds from the beginning of one file to that of the next, in the order in which they are met.
    by_file_dates : bool
        Take the date at which each file was last written.

    Raises
    ------
    ConfigError
        Two of them contradict each other.
    """

    start: datetime.datetime | None = None
    every_s: float | None = None
    by_file_dates: bool = False

    def __post_init__(self) -> None:
        if self.start is not None and self.by_file_dates:
            raise ConfigError(
                "--start-time and --file-times are both given, and they may contradict each other: choose one"
            )
        if self.every_s is not None and self.start is None:
            raise ConfigError("--every needs the time at which the first file began: add --start-time")
        if self.every_s is not None and not 0 < self.every_s < 1e9:
            raise ConfigError(f"--every is {self.every_s:g}; expected seconds above 0")

    @property
    def is_of_one_file(self) -> bool:
        """Whether they tell the time of one file alone."""
        return self.start is not None and self.every_s is None

    def facts(self) -> dict[str, str | float | bool | None]:
        """What was asked for, ready for JSON."""
        return {
            "start_time": None if self.start is None else _spelled(self.start),
            "every": self.every_s,
            "file_times": self.by_file_dates,
        }

    def of(
        self,
        path: str | os.PathLike[str],
        number: int,
        content: bytes | None = None,
        stored: Stored | None = None,
    ) -> str | None:
        """Tell when a recording began.

        Parameters
        ----------
        path : str or path
            The file.
        number : int
            How many files were met before it.
        content : bytes, optional
            What the file holds, where it does not lie at `path`.
        stored : Stored, optional
            What its listing tells of it, where it lies in a store.

        Returns
        -------
        str or None
            ISO 8601: the time in its name; else in its ``bext`` chunk; else what is told here. None where
            nothing tells it.
        """
        written = time_in_name(path) or time_in_bext(path if content is None else content)
        return written or self._told(path, number, stored)

    def _told(self, path: str | os.PathLike[str], number: int, stored: Stored | None) -> str | None:
        if self.start is not None:
            try:
                began = self.start + datetime.timedelta(seconds=number * (self.every_s or 0.0))
            except OverflowError:
                return None
            return _spelled(began)
        return _written(path, stored) if self.by_file_dates else None


class TimesOfWalk(RecordingTimes):
    """Times of some files of a walk: those that come before in it count, wherever they are scored.

    Parameters
    ----------
    times : RecordingTimes
        Of all files of the walk.
    numbers : sequence of int
        Of each of these files, how many of the walk come before it.
    """

    def __init__(self, times: RecordingTimes, numbers: Sequence[int]) -> None:
        super().__init__(times.start, times.every_s, times.by_file_dates)
        object.__setattr__(self, "_numbers", numbers)

    def of(
        self,
        path: str | os.PathLike[str],
        number: int,
        content: bytes | None = None,
        stored: Stored | None = None,
    ) -> str | None:
        """Tell when a file began, which so many of these come before."""
        numbers: Sequence[int] = getattr(self, "_numbers")  # noqa: B009 - frozen, as all times are
        return super().of(path, numbers[number], content, stored)


AS_RECORDED = RecordingTimes()
"""What names and headers say, and nothing else."""


def moved(recorded_at: str, seconds: float) -> str | None:
    """Tell when a part of a recording began.

    Parameters
    ----------
    recorded_at : str
        When the recording began, as `RecordingTimes.of` says it.
    seconds : float
        From there to the part.

    Returns
    -------
    str or None
        As precise as the beginning is known: to the day, to the minute, or else exactly. None where there is
        no such time.
    """
    clock = recorded_at.partition("T")[2]
    try:
        began = datetime.datetime.fromisoformat(recorded_at) + datetime.timedelta(seconds=seconds)
    except (ValueError, OverflowError):
        return None
    if not clock:
        return began.date().isoformat()
    precision = "minutes" if _MINUTES.fullmatch(clock) else "milliseconds" if began.microsecond else "seconds"
    spelled = began.isoformat(timespec=precision)
    return spelled.replace("+00:00", "Z") if recorded_at.endswith("Z") else spelled


def parse_start(text: str) -> datetime.datetime:
    """Read a time as ISO 8601 spells it.

    Parameters
    ----------
    text : str
        Such as "2026-11-03T14:20:00" or "2026-11-03T14:20:00+01:00".

    Returns
    -------
    datetime
        In the zone that is written, or none.

    Raises
    ------
    ConfigError
        It is no time.
    """
    try:
        return datetime.datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            f"--start-time is '{text}'; expected ISO 8601, such as 2026-11-03T14:20:00 or "
            "2026-11-03T14:20:00+01:00"
        ) from None


def _spelled(time: datetime.datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")


def _written(path: str | os.PathLike[str], stored: Stored | None) -> str | None:
    """When a file was last written, UTC."""
    try:
        written_s = os.stat(path).st_mtime if stored is None else stored.written_s  # noqa: PTH116 - a str
        if written_s is None:
            return None
        seconds = int(written_s)
        return _spelled(datetime.datetime.fromtimestamp(seconds, datetime.UTC))
    except (OSError, ValueError, OverflowError):
        return None
