"""How fast work goes and how long it will take, from its first step on."""

import math
from datetime import timedelta

UNKNOWN = "-:--:--"


def mean_speed(n_done: int, seconds: float | None) -> float | None:
    """Steps in a second since the work began; None before the first.

    Parameters
    ----------
    n_done : int
        Steps done since then.
    seconds : float or None
        Time since then; None where it has not begun.
    """
    return n_done / seconds if n_done > 0 and seconds else None


def time_left(n_left: float | None, speed: float | None) -> str:
    """Say how long the rest takes.

    Parameters
    ----------
    n_left : float or None
        Steps left; None where nobody knows.
    speed : float or None
        Steps in a second; None where nobody knows.

    Returns
    -------
    str
        Such as 0:01:30.
    """
    if n_left is None or not speed:
        return UNKNOWN
    return str(timedelta(seconds=math.ceil(max(0.0, n_left) / speed)))


def rate(speed: float | None, unit: str) -> str:
    """Such as "12.5 clips/s", or "0.02 clips/s" of slow work; empty where nobody knows."""
    if not speed:
        return ""
    return f"{speed:.1f} {unit}/s" if speed >= 1 else f"{speed:.2g} {unit}/s"
