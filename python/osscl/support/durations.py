"""Durations as people write them: 10s, 5min, 1h, 1d, a number alone is seconds; and as they read them."""

import re

from osscl.errors import ConfigError

_DURATION = re.compile(r"(?a:(\d+(?:\.\d+)?)\s*(s|min|h|d)?)")
_UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def parse_duration(text: str, name: str = "a time") -> float:
    """Read a duration.

    Parameters
    ----------
    text : str
        Such as "10s", "5min", "1h" or "1d"; a number alone is seconds.
    name : str
        What it is, for messages.

    Returns
    -------
    float
        Seconds, above zero.

    Raises
    ------
    ConfigError
        It is none.
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None or float(found[1]) <= 0:
        raise ConfigError(
            f"{name} is '{text}'; expected a number and s, min, h or d, such as 10s (10 is the same)"
        )
    return float(found[1]) * _UNITS[found[2] or "s"]


def in_words(seconds: float) -> str:
    """Write a duration for people.

    Parameters
    ----------
    seconds : float
        Zero or more.

    Returns
    -------
    str
        Such as "45 s", "34 min", "2 h 10 min" or "3 d 4 h": to a part in a hundred or so.
    """
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours + (minutes >= 30), 24)
    return f"{days} d {hours} h" if hours else f"{days} d"
