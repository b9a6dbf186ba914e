"""What a network learns to tell apart: machines, or each machine under several conditions.

A class is called after its machine, ``fan/section_00``; of conditions their attributes follow as they are spelled,
``fan/section_00/car_A1_spd_28V``, and a machine's clips without attributes are the class of its own name. Which
machine a class is of stands beside it wherever classes are kept: no name is taken apart to find out.
"""

import re

from osscl.errors import MachineError
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

    Raises
    ------
    MachineError
        Sections are asked for, and the machine has none.
    """
    machine = told.machine or ""
    if kind == "section" and not _SECTION.search(machine):
        raise MachineError(
            f"classes (--classes) is section, and {machine} names no section; choose machine, where each ID is "
            "a class"
        )
    return f"{machine}/{told.attributes}" if kind == "attributes" and told.attributes else machine
