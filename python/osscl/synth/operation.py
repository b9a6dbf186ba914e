"""How a machine runs during one clip: load, speed, temperature."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from osscl.synth.cycle import Cycle
from osscl.synth.machines import Machine

# slip of an induction motor between no load and full load, and what the mains add
_SLIP = 0.012
_MAINS_SPREAD = 0.003
_SOURCE_SPREAD_DB = 1.5


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """State of a machine in one clip.

    Attributes
    ----------
    speed_hz : float
        Mean speed of the shaft, turns a second.
    drift : float
        Standard deviation of the slow relative changes of speed.
    rotor_db, pass_db, mesh_db, impact_db, flow_db, whine_db : float
        Levels of the sources against those of the machine type.
    detuning : float
        Factor on the resonances' frequencies.
    surge : float
        Depth of slow pulsations of the flow, 0 to 1.
    cycle : Cycle, optional
        How the load comes and goes; None where it stays.
    """

    speed_hz: float
    drift: float
    rotor_db: float
    pass_db: float
    mesh_db: float
    impact_db: float
    flow_db: float
    whine_db: float
    detuning: float = 1.0
    surge: float = 0.0
    cycle: Cycle | None = None

    def at(self, speed: float, load_db: float) -> Self:
        """The same state at another speed and load.

        Parameters
        ----------
        speed : float
            Factor on the speed.
        load_db : float
            Change of what gears, blades, strokes and flow radiate.

        Returns
        -------
        OperatingPoint
            The changed state.
        """
        return replace(
            self,
            speed_hz=self.speed_hz * speed,
            pass_db=self.pass_db + load_db,
            mesh_db=self.mesh_db + load_db,
            impact_db=self.impact_db + load_db,
            flow_db=self.flow_db + load_db,
        )


def draw_operating_point(machine: Machine, rng: np.random.Generator) -> OperatingPoint:
    """Draw the state of a healthy machine.

    Load lowers the speed by slip, and raises what gears, strokes and flow radiate. Temperature moves
    the resonances by half a per cent.

    Parameters
    ----------
    machine : Machine
        The machine.
    rng : Generator
        Where the state comes from.

    Returns
    -------
    OperatingPoint
        Its state in one clip.

    References
    ----------
    Slip of induction motors: Randall, "Vibration-based Condition Monitoring", 2nd ed., chapter 2.
    """
    load = float(rng.uniform(-1.0, 1.0))
    mains = float(rng.standard_normal())
    jitter = _SOURCE_SPREAD_DB * rng.standard_normal(6)
    return OperatingPoint(
        speed_hz=machine.speed_hz * (1.0 - _SLIP * load + _MAINS_SPREAD * mains),
        drift=float(rng.uniform(0.001, 0.003)),
        rotor_db=float(jitter[0]),
        pass_db=1.5 * load + float(jitter[1]),
        mesh_db=1.5 * load + float(jitter[2]),
        impact_db=1.5 * load + float(jitter[3]),
        flow_db=machine.flow_db + 2.0 * load + float(jitter[4]),
        whine_db=1.0 * load + float(jitter[5]),
        detuning=1.0 + 0.005 * float(rng.standard_normal()),
    )
