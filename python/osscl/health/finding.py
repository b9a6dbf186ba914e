"""One thing that was checked, and what to do about it."""

from typing import Literal

import msgspec


class Finding(msgspec.Struct, frozen=True):
    """One thing that was checked.

    Attributes
    ----------
    what : str
        The thing.
    state : {"ok", "missing", "broken"}
        Whether it works; "missing" is no fault, unless its use is wanted.
    found : str
        What was found.
    remedy : str or None
        What to do, where there is something to do.
    """

    what: str
    state: Literal["ok", "missing", "broken"]
    found: str
    remedy: str | None = None
