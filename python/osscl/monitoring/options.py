"""How machines are watched."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from osscl.decisions.alarms import AlarmRule
from osscl.decisions.conformal import check_rate
from osscl.errors import ConfigError

SECONDS = {
    "second": 1.0,
    "minute": 60.0,
    "hour": 3600.0,
    "day": 86400.0,
    "week": 604800.0,
    "month": 2629746.0,
    "year": 31556952.0,
}
_RATE = re.compile(r"(?a:(\d+(?:\.\d+)?))\s*/\s*([a-z]+)")


_DEFAULT_ALARM = AlarmRule()


class AlarmBudget(NamedTuple):
    """False alarms that may be raised of one machine.

    Attributes
    ----------
    number : float
        How many.
    per : str
        In which time, one of `SECONDS`.
    """

    number: float
    per: str

    @property
    def per_second(self) -> float:
        """The same, in a second."""
        return self.number / SECONDS[self.per]

    def __str__(self) -> str:
        return f"{self.number:g}/{self.per}"

    @classmethod
    def parse(cls, text: str) -> "AlarmBudget":
        """Read a number of false alarms.

        Parameters
        ----------
        text : str
            Such as "1/week".

        Returns
        -------
        AlarmBudget
            The same.

        Raises
        ------
        ConfigError
            It is no number and no time of `SECONDS`.
        """
        found = _RATE.fullmatch(text.strip().lower())
        if found is None or found[2] not in SECONDS or float(found[1]) <= 0:
            raise ConfigError(
                f"false_alarms is '{text}'; expected a number and a time, one of: "
                f"{', '.join(SECONDS)}, such as 1/week"
            )
        return cls(float(found[1]), found[2])


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchOptions:
    """How machines are watched.

    Attributes
    ----------
    drift_rate : float
        Share of machines without a change that may ever be reported as changed, in (0, 1).
    alarm : AlarmRule
        When an alarm is raised; its n and m are chosen anew where `false_alarms` is given.
    false_alarms : AlarmBudget or None
        How many false alarms of a machine may be raised.
    every_s : float or None
        Seconds from clip to clip; by default as the times of the clips say.
    distance : int or None
        Every so many clips one is taken to tell drift; estimated by default.
    audio_root : path or None
        Folder that the table's paths are relative to; by default the working folder.

    Raises
    ------
    ConfigError
        A value lies outside its range.
    """

    drift_rate: float = 0.001
    alarm: AlarmRule = _DEFAULT_ALARM
    false_alarms: AlarmBudget | None = None
    every_s: float | None = None
    distance: int | None = None
    audio_root: str | os.PathLike[str] | None = None

    def __post_init__(self) -> None:
        check_rate(self.drift_rate, "drift_rate")
        if self.every_s is not None and not self.every_s > 0:
            raise ConfigError(f"clips come every {self.every_s:g} s; expected a time above zero")
        if self.distance is not None and self.distance < 1:
            raise ConfigError(f"distance is {self.distance}; expected a number of clips from 1")

    def file_of(self, path: str) -> Path:
        """Tell where a recording of the table lies.

        Parameters
        ----------
        path : str
            As the table names it.

        Returns
        -------
        Path
            Below `audio_root`, where there is one.
        """
        return Path(path) if self.audio_root is None else Path(self.audio_root, path)
