"""Domain of a recording, as DCASE has it since 2021: the machine as it was, or as it has become."""

import os
import re
from typing import Literal, TypeAlias, get_args

from osscl.errors import MachineError
from osscl.support.paths import printable

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


def domain_of(path: str | os.PathLike[str]) -> Domain | None:
    """Read the domain of a recording in its name, or else in the name of the folder that it lies in.

    Parameters
    ----------
    path : path-like
        Such as ``fan/source_test/section_00_source_test_normal_0000.wav``.

    Returns
    -------
    {"source", "target"} or None
        None where neither tells.

    Raises
    ------
    MachineError
        The two contradict each other.
    """
    folder, name = os.path.split(os.fsdecode(path))
    folder_name = os.path.basename(folder)  # noqa: PTH119 - a str, as all paths of a walk
    in_name, in_folder = domain_in(name), domain_in(folder_name)
    if in_name is not None and in_folder is not None and in_name != in_folder:
        raise MachineError(
            f"its name says the domain {in_name} and its folder {printable(folder_name)} says {in_folder}; "
            "rename one of them (to score, --domain says it of all recordings)"
        )
    return in_name or in_folder
