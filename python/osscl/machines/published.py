"""Which published data sets a folder may be a copy of, by its layout, machine types and sections.

Sources: the task descriptions of DCASE Task 2, 2020 to 2025, and the papers that `osscl.machines.layouts`
names.
"""

from collections.abc import Collection
from typing import NamedTuple

_TOYS = frozenset({"ToyCar", "ToyTrain"})
_OF_DUE = frozenset({"fan", "gearbox", "pump", "slider", "valve"})
_OF_DG = frozenset({"bearing", "fan", "gearbox", "slider", "valve"})
_FIRST_SHOT = _OF_DG | _TOYS
_DEVELOPMENT = frozenset({"section_00", "section_01", "section_02"})
_EVALUATION = frozenset({"section_03", "section_04", "section_05"})
_ONE_SECTION = frozenset({"section_00"})


class PublishedSet(NamedTuple):
    """A data set.

    Attributes
    ----------
    name : str
        Such as "DCASE 2023".
    layout : str
        Key of its layout.
    types : frozenset of str
        Machine types, those of its evaluation set included.
    sections : tuple of frozenset of str
        Sections of each part; empty where the IDs are not told apart here.
    has_supplement : bool
        Whether it holds clips of the machine alone, or of noise alone.
    """

    name: str
    layout: str
    types: frozenset[str]
    sections: tuple[frozenset[str], ...] = ()
    has_supplement: bool = False


PUBLISHED_SETS: tuple[PublishedSet, ...] = (
    PublishedSet(
        "DCASE 2020", "dcase2020", frozenset({"fan", "pump", "slider", "valve", "ToyCar", "ToyConveyor"})
    ),
    PublishedSet("DCASE 2021", "dcase2021", _OF_DUE | _TOYS, (_DEVELOPMENT, _EVALUATION)),
    PublishedSet("MIMII DUE", "dcase2021", _OF_DUE, (_DEVELOPMENT, _EVALUATION)),
    PublishedSet("DCASE 2022", "dcase2022", _OF_DG | _TOYS, (_DEVELOPMENT, _EVALUATION)),
    PublishedSet("MIMII DG", "dcase2022", _OF_DG, (_DEVELOPMENT,)),
    PublishedSet(
        "DCASE 2023",
        "dcase2022",
        _FIRST_SHOT | {"Vacuum", "ToyTank", "ToyNscale", "ToyDrone", "bandsaw", "grinder", "shaker"},
        (_ONE_SECTION,),
    ),
    PublishedSet(
        "DCASE 2024",
        "dcase2022",
        _FIRST_SHOT
        | {"3DPrinter", "AirCompressor", "BrushlessMotor", "HairDryer", "HoveringDrone"}
        | {"RoboticArm", "Scanner", "ToothBrush", "ToyCircuit"},
        (_ONE_SECTION,),
    ),
    PublishedSet(
        "DCASE 2025",
        "dcase2022",
        _FIRST_SHOT
        | {"AutoTrash", "BandSealer", "CoffeeGrinder", "HomeCamera"}
        | {"Polisher", "ScrewFeeder", "ToyPet", "ToyRCCar"},
        (_ONE_SECTION,),
        has_supplement=True,
    ),
    PublishedSet("MIMII", "mimii", frozenset({"fan", "pump", "slider", "valve"})),
    PublishedSet("ToyADMOS 2", "toyadmos2", _TOYS),
    PublishedSet("IDMT-ISA electric engine", "idmt", frozenset({"electric_engine"})),
    PublishedSet("IDMT-ISA electric engine", "idmt_cut", frozenset({"electric_engine"})),
)


def sets_that_may_be(
    layouts: Collection[str], types: Collection[str], ids: Collection[str], *, has_supplement: bool
) -> list[str]:
    """Name the data sets that a folder may be a copy of, or of a part of.

    Parameters
    ----------
    layouts : collection of str
        Keys of the layouts that all its recordings fit.
    types, ids : collection of str
        Machine types, and IDs or sections that are there.
    has_supplement : bool
        Whether supplemental clips are there.

    Returns
    -------
    list of str
        Where some sets have just these sections, those alone; else all that hold them. Empty where no set has
        these types and sections.
    """
    able = [
        each
        for each in PUBLISHED_SETS
        if each.layout in layouts
        and each.types.issuperset(types)
        and (not each.sections or frozenset().union(*each.sections).issuperset(ids))
        and (each.has_supplement or not has_supplement)
    ]
    whole = [each for each in able if _is_whole(each, ids, has_supplement=has_supplement)]
    return [each.name for each in whole or able]


def _is_whole(candidate: PublishedSet, ids: Collection[str], *, has_supplement: bool) -> bool:
    """Whether whole parts are there, as far as sections and supplemental clips tell."""
    parts = [part for part in candidate.sections if part & set(ids)]
    return frozenset().union(*parts) == set(ids if candidate.sections else ()) and (
        has_supplement or not candidate.has_supplement
    )
