"""Which domain a recording comes from, as DCASE has it since 2021: the machine as it was, or as it became."""

import re
from typing import Literal, TypeAlias, get_args

Domain: TypeAlias = Literal["source", "target"]
"""``source``: the conditions of most training clips; ``target``: others, of which few clips are known."""

DOMAINS: tuple[Domain, ...] = get_args(Domain)

_WORD = re.compile(r"(?<![A-Za-z0-9])(source|target)(?![A-Za-z0-9])")


def domain_in(name: str) -> Domain | None:
    """Read the domain in the name of a recording or of its folder.

    Parameters
    ----------
    name : str
        Such as ``section_00_source_train_normal_0000_strength_1_ambient.wav``, or ``source_test``.

    Returns
    -------
    {"source", "target"} or None
        The first of the two words that stands by itself; None where there is none.

    References
    ----------
    File names of DCASE Task 2 from 2021 on.
    """
    found = _WORD.search(name)
    return None if found is None else found[1]  # type: ignore[return-value]
