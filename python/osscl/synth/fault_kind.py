"""What a fault is: how it changes the machine, what it adds to the sound, and where it shows."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, TypeAlias

import msgspec
import numpy as np

from osscl.synth.machines import Machine
from osscl.synth.operation import OperatingPoint
from osscl.synth.spectrum import Signal, Spectrum, amplitude

Streams: TypeAlias = Callable[[str], np.random.Generator]
"""The random numbers of one clip for a purpose, from their beginning: `ClipKey.stream`."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where in a clip a fault shows.

    Attributes
    ----------
    band_hz : tuple of float, optional
        Lower and upper frequency of what it adds; None where that is no band.
    rate_hz : float, optional
        How often a second it comes again; None where it does not.
    time_s : tuple of float, optional
        From when to when it lasts; None where that is the whole clip.
    """

    band_hz: tuple[float, float] | None = None
    rate_hz: float | None = None
    time_s: tuple[float, float] | None = None


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fault of a given severity.

    Attributes
    ----------
    name : str
        Name of the kind of fault.
    depths : tuple of str
        Figures that say how far it changes the machine.
    speed : float
        Relative change of the speed.
    flow_db : float
        Change of the flow noise, and of the tones of blades or vanes, decibels.
    resonance : float
        Relative change of the resonances' frequencies.
    """

    name: ClassVar[str]
    depths: ClassVar[tuple[str, ...]] = ("speed", "flow_db", "resonance")
    speed: float
    flow_db: float
    resonance: float

    def fainter(self, by_db: float) -> "Fault":
        """The same fault, less strong.

        Parameters
        ----------
        by_db : float
            Decibels that what it adds is lowered by; what it changes, it changes less by the same factor.

        Returns
        -------
        Fault
            The changed fault.
        """
        changed = {depth: getattr(self, depth) * amplitude(-by_db) for depth in self.depths}
        return msgspec.structs.replace(self, **changed)

    def alter(self, point: OperatingPoint) -> OperatingPoint:
        """State of the machine under the fault.

        Parameters
        ----------
        point : OperatingPoint
            State of the healthy machine.

        Returns
        -------
        OperatingPoint
            The changed state.
        """
        return replace(
            point,
            speed_hz=point.speed_hz * (1.0 + self.speed),
            flow_db=point.flow_db + self.flow_db,
            pass_db=point.pass_db + self.flow_db,
            detuning=point.detuning * (1.0 + self.resonance),
        )

    def modulate(self, turns: Signal) -> Signal | float:
        """Factor on the sound of blades, gears, strokes and flow.

        Parameters
        ----------
        turns : ndarray of float64, [N_SAMPLES]
            Turns that the shaft has made.

        Returns
        -------
        ndarray of float64, [N_SAMPLES], or float
            1 where the fault modulates nothing.
        """
        return 1.0

    def evidence(self, machine: Machine, point: OperatingPoint, streams: Streams) -> Evidence:
        """Where the fault shows in a clip.

        Parameters
        ----------
        machine : Machine
            The machine.
        point : OperatingPoint
            Its state under the fault.
        streams : callable
            The clip's random numbers.

        Returns
        -------
        Evidence
            Band, rate and time, as far as the fault has them.
        """
        return Evidence()


class SoundingFault(Fault, frozen=True, kw_only=True):
    """A fault that adds a sound of its own.

    Attributes
    ----------
    level_db : float
        Level of the sound that the fault adds, over the whole clip, against all of the healthy machine's.
    """

    level_db: float

    def fainter(self, by_db: float) -> "SoundingFault":
        """The same fault, less strong, its sound too.

        Parameters
        ----------
        by_db : float
            Decibels, as of every fault.

        Returns
        -------
        SoundingFault
            The changed fault.
        """
        changed = super().fainter(by_db)
        return msgspec.structs.replace(changed, level_db=self.level_db - by_db)  # type: ignore[return-value]

    def sound(
        self, machine: Machine, turns: Signal, structure: Spectrum, rng: np.random.Generator
    ) -> Spectrum:
        """Sound that the fault adds, before it is brought to its level.

        Parameters
        ----------
        machine : Machine
            The machine.
        turns : ndarray of float64, [N_SAMPLES]
            Turns that the shaft has made.
        structure : ndarray of complex128, [N_BINS]
            Transfer function of the machine's structure.
        rng : Generator
            Where noise and phases come from.

        Returns
        -------
        ndarray of complex128, [N_BINS]
            At any level.
        """
        raise NotImplementedError
