"""Durations as people write them: 10s, 5min, 1h, 1d; a number alone is seconds."""

import re

from osscl.errors import ConfigError

_DURATION = re.compile(r"(?a:(\d+(?:\.\d+)?)\s*(s|min|h|d)?)")
_UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def parse_duration(text: str) -> float:
    """Read a duration.

    Parameters
    ----------
    text : str
        Such as "10s", "5min", "1h" or "1d"; a number alone is seconds.

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
            f"a time is '{text}'; expected a number and s, min, h or d, such as 10s (10 is the same)"
        )
    return float(found[1]) * _UNITS[found[2] or "s"]
