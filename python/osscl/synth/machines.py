"""The machines: what tells the individuals of a type apart.

The character of a machine depends on its name alone, not on the seed of a data set: clips of every seed
come from the same machines.
"""

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from osscl.errors import ConfigError, MachineError
from osscl.synth.machine_types import TYPES, MachineType
from osscl.synth.resonance import Mode

MAX_IDS_OF_A_TYPE = 100
_IDENTITY_SEED = 20_240_917
_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0
_N_OWN_LINES = 12
_MODE_HZ = (260.0, 520.0, 1000.0, 1850.0, 3200.0, 5400.0)


@dataclass(frozen=True, slots=True)
class Bearing:
    """A rolling bearing.

    Attributes
    ----------
    n_balls : int
        Rolling elements.
    diameter_ratio : float
        Diameter of a ball over the pitch diameter.
    contact_angle_rad : float
        Angle of contact.
    ringing : Mode
        Resonance of the housing that impacts in the bearing excite.
    """

    n_balls: int
    diameter_ratio: float
    contact_angle_rad: float
    ringing: Mode

    @property
    def outer_race_order(self) -> float:
        """Impacts a turn of the shaft from a defect of the outer race (BPFO over speed).

        n/2 (1 - d/D cos phi); Randall, "Vibration-based Condition Monitoring", 2nd ed., chapter 2.
        """
        return 0.5 * self.n_balls * (1.0 - self.diameter_ratio * math.cos(self.contact_angle_rad))


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine and its character.

    Attributes
    ----------
    type : MachineType
        What it shares with others of its type.
    number : int
        Its number among them, from 0.
    speed_hz : float
        Speed of the shaft at half load, turns a second.
    pass_order : int
        Blades, vanes, teeth or valve strokes a turn.
    driven_ratio : float
        Turns of the driven shaft a turn of the first: teeth of the pinion over teeth of the wheel.
    rotor_slope_db : float
        Fall of the shaft's harmonics, decibels an octave.
    rotor_lines_db : tuple of float
        Its own deviations from that fall, from 1x on.
    carrier_hz : float
        Switching frequency of the inverter that feeds its motor.
    pass_slope_db : float
        Fall of the harmonics of blades, vanes or teeth, decibels from one to the next.
    sideband_db : float
        Level of the first side band of the gear mesh below its carrier.
    modulation : float
        Depth of the modulation of the flow noise by blades, vanes or strokes.
    flow_peak_hz : float
        Where its flow noise is strongest.
    flow_db : float
        Its flow noise against the usual of its type.
    modes : tuple of Mode
        Resonances of structure and ducts.
    bearing : Bearing
        Its bearing.
    """

    type: MachineType
    number: int
    speed_hz: float
    pass_order: int
    driven_ratio: float
    rotor_slope_db: float
    rotor_lines_db: tuple[float, ...]
    carrier_hz: float
    pass_slope_db: float
    sideband_db: float
    modulation: float
    flow_peak_hz: float
    flow_db: float
    modes: tuple[Mode, ...]
    bearing: Bearing

    @property
    def machine_id(self) -> str:
        """Its ID as it stands in file names."""
        return f"id_{self.number:02d}"

    @property
    def name(self) -> str:
        """Type and ID, as a model names its classes."""
        return f"{self.type.name}/{self.machine_id}"


@functools.cache
def machine(name: str) -> Machine:
    """Look up a machine by its name.

    Parameters
    ----------
    name : str
        Type and ID, such as ``blower/id_00``.

    Returns
    -------
    Machine
        The machine with its character.

    Raises
    ------
    MachineError
        If there is no such machine.
    """
    for machine_type in TYPES:
        for number in range(MAX_IDS_OF_A_TYPE):
            if name == f"{machine_type.name}/id_{number:02d}":
                return _with_character(machine_type, number)
    types = ", ".join(machine_type.name for machine_type in TYPES)
    raise MachineError(f"there is no machine {name!r}; expected one of {types}, then /id_00 to /id_99")


def machines_of_ids(ids: Sequence[int]) -> tuple[Machine, ...]:
    """The machines of every type that have given IDs.

    Parameters
    ----------
    ids : sequence of int
        Numbers of the IDs, each 0 to 99.

    Returns
    -------
    tuple of Machine
        The first ID of every type, then the next of every type, and so on.

    Raises
    ------
    ConfigError
        If a number is out of range or stands there twice, or there is none.
    """
    if not ids:
        raise ConfigError("ids is empty; expected at least one number")
    for place, number in enumerate(ids):
        if not 0 <= number < MAX_IDS_OF_A_TYPE:
            raise ConfigError(f"ids has {number}; expected numbers from 0 to {MAX_IDS_OF_A_TYPE - 1}")
        if number in ids[:place]:
            raise ConfigError(f"ids has {number} twice; name each ID once")
    return tuple(machine(f"{kind.name}/id_{number:02d}") for number in ids for kind in TYPES)


def machines(count: int) -> tuple[Machine, ...]:
    """The first machines, spread over the types.

    Parameters
    ----------
    count : int
        Number of machines, at least 1.

    Returns
    -------
    tuple of Machine
        ``id_00`` of every type, then ``id_01`` of every type, and so on.

    Raises
    ------
    ConfigError
        If `count` is out of range.
    """
    most = MAX_IDS_OF_A_TYPE * len(TYPES)
    if not 1 <= count <= most:
        raise ConfigError(f"machines is {count}; expected a number from 1 to {most}")
    return tuple(
        machine(f"{TYPES[place % len(TYPES)].name}/id_{place // len(TYPES):02d}") for place in range(count)
    )


def _with_character(kind: MachineType, number: int) -> Machine:
    draw = character_source(kind, number)
    bounds_hz, orders = kind.speed_hz, kind.pass_order
    speed_hz = draw(*bounds_hz)
    pass_order = round(draw(*orders))
    modes = tuple(
        Mode(centre_hz * 2.0 ** draw(-0.08, 0.08), draw(0.02, 0.04), draw(-2.0, 2.0) - 1.5 * step)
        for step, centre_hz in enumerate(_MODE_HZ)
    )
    ringing = Mode(draw(2600.0, 4600.0), draw(0.02, 0.03), 0.0)
    return Machine(
        type=kind,
        number=number,
        speed_hz=speed_hz,
        pass_order=pass_order,
        driven_ratio=pass_order / round(draw(41, 67)),
        rotor_slope_db=draw(3.0, 6.0),
        rotor_lines_db=tuple(draw(-5.0, 5.0) for _ in range(_N_OWN_LINES)),
        carrier_hz=draw(1900.0, 3300.0),
        pass_slope_db=draw(3.0, 6.0),
        sideband_db=draw(5.0, 11.0),
        modulation=draw(0.1, 0.5),
        flow_peak_hz=draw(*kind.flow_peak_hz),
        flow_db=draw(-1.0, 1.0),
        modes=modes,
        bearing=Bearing(round(draw(7, 12)), draw(0.18, 0.28), draw(0.0, 0.35), ringing),
    )


def character_source(kind: MachineType, number: int, purpose: str = "") -> Callable[[float, float], float]:
    """Numbers that differ clearly between neighbours: steps of the golden ratio from a random start.

    Parameters
    ----------
    kind : MachineType
        Type of the machine.
    number : int
        Its number among them.
    purpose : str
        What the numbers decide; those for one purpose do not depend on those for others.

    Returns
    -------
    callable
        Gives the next number between two bounds, always the same ones for a machine and a purpose.
    """
    starts = np.random.default_rng([_IDENTITY_SEED, TYPES.index(kind), *purpose.encode()])

    def draw(low: float, high: float) -> float:
        part = (float(starts.uniform()) + number * _GOLDEN) % 1.0
        return low + (high - low) * part

    return draw
