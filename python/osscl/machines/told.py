"""What the place and the name of a recording tell of it."""

from typing import Literal, NamedTuple, TypeAlias

from osscl.machines.domains import Domain

Purpose: TypeAlias = Literal["train", "test", "supplemental"]
"""What a recording is published for. ``supplemental``: the machine alone or noise alone, no training clip."""


class Told(NamedTuple):
    """What the place and the name of a recording tell of it; each is None where they do not tell it.

    Attributes
    ----------
    machine : str or None
        Such as ``fan/id_00`` or ``fan/section_00``.
    purpose : {"train", "test", "supplemental"} or None
        What it is published for.
    is_anomaly : bool or None
        Whether it is anomalous.
    domain : {"source", "target"} or None
        Which domain it comes from.
    attributes : str
        Conditions of the recording as they are spelled, such as ``car_A1_spd_28V_mic_1``; empty where none
        are told.
    recording : str or None
        What it was cut of, or taken together with; None where it is a recording of its own.
    """

    machine: str | None = None
    purpose: Purpose | None = None
    is_anomaly: bool | None = None
    domain: Domain | None = None
    attributes: str = ""
    recording: str | None = None


NOTHING = Told()
"""Of a recording whose place and name fit no layout."""
