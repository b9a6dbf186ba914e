"""The two operating modes of each machine in the hard set: each its speed, its load and its work cycle."""

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, get_args

from osscl.synth.cycle import Cycle
from osscl.synth.machines import Machine, character_source
from osscl.synth.operation import OperatingPoint

ModeName: TypeAlias = Literal["low", "high"]
MODES: tuple[ModeName, ...] = get_args(ModeName)
"""Names of the operating modes."""

_PURPOSE = "operating modes"
# the hard set is frozen: none of these figures was or may be chosen by what a method makes of it
_SPEED = {"low": (0.90, 0.95), "high": (1.05, 1.10)}
_LOAD_DB = {"low": (-4.0, -2.0), "high": (2.0, 4.0)}
_BEATS_HZ = {"low": (0.8, 1.1), "high": (1.3, 1.8)}
_DEPTH_DB = (5.0, 8.0)
_RISE = (0.15, 0.30)


@dataclass(frozen=True, slots=True)
class OperatingMode:
    """One way in which a machine is run.

    Attributes
    ----------
    speed : float
        Factor on the machine's speed.
    load_db : float
        Change of what gears, blades, strokes and flow radiate.
    cycle : Cycle
        How its load comes and goes.
    """

    speed: float
    load_db: float
    cycle: Cycle

    def alter(self, point: OperatingPoint) -> OperatingPoint:
        """State of the machine in this mode.

        Parameters
        ----------
        point : OperatingPoint
            Its state at half load, without a mode.

        Returns
        -------
        OperatingPoint
            The changed state.
        """
        return replace(point.at(self.speed, self.load_db), cycle=self.cycle)


def operating_mode(machine: Machine, name: ModeName) -> OperatingMode:
    """An operating mode of a machine, which depends on the machine's name alone, as its character does.

    Parameters
    ----------
    machine : Machine
        The machine.
    name : {"low", "high"}
        Which of its two modes.

    Returns
    -------
    OperatingMode
        The mode.
    """
    draw = character_source(machine.type, machine.number, f"{_PURPOSE}: {name}")
    return OperatingMode(
        speed=draw(*_SPEED[name]),
        load_db=draw(*_LOAD_DB[name]),
        cycle=Cycle(rate_hz=draw(*_BEATS_HZ[name]), depth_db=draw(*_DEPTH_DB), rise=draw(*_RISE)),
    )
