"""What a network learns to tell apart: machines, or each machine under several conditions.

A class is called after its machine, ``fan/section_00``; of conditions their attributes follow as they are
spelled, ``fan/section_00/car_A1_spd_28V``, and a machine's clips without attributes are the class of its own
name. Which machine a class is of stands beside it wherever classes are kept: no name is taken apart to find
out.
"""

import re
from collections.abc import Iterable

from osscl.errors import TrainingDataError
from osscl.machines.told import Told
from osscl.training.train_config import ClassKind

_SECTION = re.compile(r"/section_\d+$")


def class_of(told: Told, kind: ClassKind) -> str:
    """Name the class of a clip.

    Parameters
    ----------
    told : Told
        Its machine, and its attributes.
    kind : {"machine", "section", "attributes"}
        What the classes are.

    Returns
    -------
    str
        Such as ``fan/id_00``, or ``fan/section_00/m-n_W``.
    """
    machine = told.machine or ""
    return f"{machine}/{told.attributes}" if kind == "attributes" and told.attributes else machine


def check_kind(machines: Iterable[str], kind: ClassKind) -> None:
    """Refuse classes that the machines do not have.

    Parameters
    ----------
    machines : iterable of str
        All of them.
    kind : {"machine", "section", "attributes"}
        What the classes shall be.

    Raises
    ------
    TrainingDataError
        Sections are asked for, and a machine has none.
    """
    without = next((name for name in machines if not _SECTION.search(name)), None)
    if kind == "section" and without is not None:
        raise TrainingDataError(
            f"classes (--classes) is section, and {without} has no section in its name; choose machine, "
            "where each ID is a class"
        )
