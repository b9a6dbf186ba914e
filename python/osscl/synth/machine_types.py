"""The four types of machines."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MachineType:
    """What all machines of a type share.

    Attributes
    ----------
    name : str
        Name of the folder of its recordings.
    speed_hz : tuple of float
        Range of the shaft's speed, turns a second.
    pass_order : tuple of int
        Range of events a turn: blades, vanes, teeth or valve strokes.
    rotor_db, pass_db, mesh_db, impact_db, flow_db : float
        Levels of the sources against each other; minus infinity where there is none.
    flow_peak_hz : tuple of float
        Range of the frequency where flow noise is strongest before resonances colour it.
    faults : tuple of str
        Faults that it can have.
    """

    name: str
    speed_hz: tuple[float, float]
    pass_order: tuple[int, int]
    rotor_db: float
    pass_db: float
    mesh_db: float
    impact_db: float
    flow_db: float
    flow_peak_hz: tuple[float, float]
    faults: tuple[str, ...]


_NONE = -math.inf
_ALL = ("imbalance", "bearing_defect", "looseness", "leak", "clogging", "rubbing")
TYPES = (
    MachineType("blower", (23.0, 31.0), (7, 13), -7.0, -3.0, _NONE, _NONE, 0.0, (400.0, 700.0), _ALL),
    MachineType("waterpump", (40.0, 48.5), (5, 9), -6.0, -2.0, _NONE, _NONE, -2.0, (900.0, 1500.0), _ALL),
    MachineType(
        "gearbox",
        (19.0, 26.0),
        (19, 37),
        -6.0,
        _NONE,
        0.0,
        _NONE,
        -5.0,
        (550.0, 950.0),
        ("imbalance", "bearing_defect", "looseness", "rubbing"),
    ),
    MachineType(
        "compressor",
        (10.0, 13.0),
        (3, 4),
        -5.0,
        _NONE,
        _NONE,
        0.0,
        -4.0,
        (650.0, 1150.0),
        ("bearing_defect", "looseness", "leak", "clogging", "rubbing"),
    ),
)
"""The types; machines are counted through them in turn."""
