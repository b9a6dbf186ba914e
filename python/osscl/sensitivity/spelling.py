"""Frequencies, sizes and lengths in words."""

import math


def rounded(size: float, *, signed: bool = False) -> str:
    """Round a size to two digits, away from zero: a limit is not made smaller by rounding.

    Parameters
    ----------
    size : float
        Any.
    signed : bool
        Whether a plus stands before what is positive.

    Returns
    -------
    str
        Such as "+2.1".
    """
    if size == 0:
        return "0"
    digits = 1 - math.floor(math.log10(abs(size)))
    # what is a float's width above a round number is that number
    away = math.ceil(abs(size) * 10.0**digits - 1e-6) / 10.0**digits
    return f"{math.copysign(away, size):{'+' if signed else ''}.{max(digits, 0)}f}"


def hertz(frequency_hz: float) -> str:
    """Spell a frequency.

    Parameters
    ----------
    frequency_hz : float
        In Hz.

    Returns
    -------
    str
        Such as "63 Hz" or "1.4 kHz".
    """
    if frequency_hz >= 1000:
        return f"{frequency_hz / 1000:.2g} kHz"
    return f"{frequency_hz:.3g} Hz"


def band_in_words(low_hz: float, high_hz: float) -> str:
    """Spell a band.

    Parameters
    ----------
    low_hz, high_hz : float
        Its edges.

    Returns
    -------
    str
        Such as "1 to 2 kHz".
    """
    low, high = hertz(low_hz), hertz(high_hz)
    same = low.endswith("kHz") == high.endswith("kHz")
    return f"{low.split()[0] if same else low} to {high}"


def one_of_s(duration_s: float) -> str:
    """Spell a length with its article.

    Parameters
    ----------
    duration_s : float
        In s.

    Returns
    -------
    str
        Such as "a 0.2 s".
    """
    return f"a {duration_s:.2g} s"
