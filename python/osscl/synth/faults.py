"""Six faults that sound, each from its physics. They last through the whole clip."""

from dataclasses import replace
from typing import ClassVar

import numpy as np

from osscl.synth.fault_kind import Evidence, Fault, SoundingFault, Streams
from osscl.synth.machines import Machine
from osscl.synth.operation import OperatingPoint
from osscl.synth.resonance import resonances
from osscl.synth.shaft import look_up, periodic, slow_curve
from osscl.synth.sources import impacts
from osscl.synth.spectrum import Signal, Spectrum, amplitude, band, gaussian_noise, to_signal, to_spectrum

_TURN = 2.0 * np.pi * np.arange(2048) / 2048
_RUMBLE_HZ = (60.0, 260.0)
_STALL_ORDER = 0.32


class Imbalance(SoundingFault, frozen=True, kw_only=True):
    """The centre of mass lies beside the axis.

    The centrifugal force m r (2 pi f_r)^2 turns with the shaft: the 1x line rises, its low harmonics
    with it, and the shaft's orbit changes clearances once a turn, which modulates blades, gears and flow:
    side bands at ± f_r. ISO 21940-1; Randall, "Vibration-based Condition Monitoring", chapter 2.

    Attributes
    ----------
    modulation : float
        Depth of the modulation once a turn, 0 to 1.
    slope_db : float
        Fall of the added harmonics from one to the next, decibels.
    """

    name: ClassVar[str] = "imbalance"
    depths: ClassVar[tuple[str, ...]] = (*Fault.depths, "modulation")
    modulation: float
    slope_db: float

    def modulate(self, turns: Signal) -> Signal:
        """Once a turn."""
        return look_up(1.0 + self.modulation * np.cos(_TURN), turns)

    def sound(
        self, machine: Machine, turns: Signal, structure: Spectrum, rng: np.random.Generator
    ) -> Spectrum:
        """Low harmonics of the shaft."""
        lines = {k: amplitude(-self.slope_db * (k - 1)) for k in range(1, 13)}
        return to_spectrum(periodic(turns, lines, rng)) * structure

    def evidence(self, machine: Machine, point: OperatingPoint, streams: Streams) -> Evidence:
        """Once a turn."""
        return Evidence(rate_hz=point.speed_hz)


class BearingDefect(SoundingFault, frozen=True, kw_only=True):
    """A spall on the outer race.

    Each ball that rolls over it strikes the housing: impacts n/2 f_r (1 - d/D cos phi) times a second,
    their spacing uncertain by the balls' slip, each ringing a resonance of the housing. The strength follows
    the shaft. McFadden and Smith, "Model for the vibration produced by a single point defect in a rolling
    element bearing", J. Sound Vib. 96 (1984); slip: Randall and Antoni, "Rolling element bearing
    diagnostics, a tutorial", Mech. Syst. Signal Process. 25 (2011).

    Attributes
    ----------
    slip : float
        Standard deviation of the spacing over the spacing.
    load_modulation : float
        Depth of the change of strength once a turn, 0 to 1.
    """

    name: ClassVar[str] = "bearing_defect"
    slip: float
    load_modulation: float

    def sound(
        self, machine: Machine, turns: Signal, structure: Spectrum, rng: np.random.Generator
    ) -> Spectrum:
        """Ringing of the housing."""
        order = machine.bearing.outer_race_order
        n_impacts = int((turns[-1] - turns[0]) * order * 1.1) + 8
        spacing = (1.0 + self.slip * rng.standard_normal(n_impacts)) / order
        places = turns[0] + np.cumsum(spacing) - spacing[0] * rng.uniform()
        strength = 1.0 + self.load_modulation * np.cos(2.0 * np.pi * places)
        strength *= 1.0 + 0.15 * rng.standard_normal(n_impacts)
        return to_spectrum(impacts(turns, places, strength)) * resonances([machine.bearing.ringing], -26.0)

    def evidence(self, machine: Machine, point: OperatingPoint, streams: Streams) -> Evidence:
        """Each ball, where the housing rings at more than half its power."""
        ringing = machine.bearing.ringing
        half_width_hz = ringing.damping * ringing.frequency_hz
        return Evidence(
            band_hz=(ringing.frequency_hz - half_width_hz, ringing.frequency_hz + half_width_hz),
            rate_hz=point.speed_hz * machine.bearing.outer_race_order,
        )


class Looseness(SoundingFault, frozen=True, kw_only=True):
    """A foot or a bearing seat has play.

    Less stiffness lowers the resonances, and the part rattles: the motion is cut off on one side and settles
    into a period of two turns, so that lines stand at f_r / 2 and all its multiples over a broad band.
    Goldman and Muszynska, "Rotor-to-stator, rub-related, thermal/mechanical effects in rotating machinery",
    Chaos, Solitons & Fractals 5 (1995); Randall, "Vibration-based Condition Monitoring", chapter 2.

    Attributes
    ----------
    slope_db : float
        Fall of the lines, decibels an octave.
    """

    name: ClassVar[str] = "looseness"
    slope_db: float

    def sound(
        self, machine: Machine, turns: Signal, structure: Spectrum, rng: np.random.Generator
    ) -> Spectrum:
        """Multiples of half the speed, the odd ones as strong as the even."""
        lines = {
            k: amplitude(-self.slope_db * float(np.log2(k)) + 2.0 * float(rng.standard_normal()))
            for k in range(1, 121)
        }
        rattle = periodic(0.5 * turns, lines, rng) * (1.0 + slow_curve(rng, 0.1))
        return to_spectrum(rattle) * structure

    def evidence(self, machine: Machine, point: OperatingPoint, streams: Streams) -> Evidence:
        """Every second turn."""
        return Evidence(rate_hz=0.5 * point.speed_hz)


class Leak(SoundingFault, frozen=True, kw_only=True):
    """Gas or liquid escapes through a small opening.

    A turbulent jet: steady hiss with a broad maximum near 0.2 U / d, far above the machine's flow noise. What
    is lost unloads blades and motor: flow noise falls, the slip too.
    Lighthill, "On sound generated aerodynamically", Proc. R. Soc. A 211 (1952).

    Attributes
    ----------
    low_hz, high_hz : float
        Where the hiss begins and ends.
    """

    name: ClassVar[str] = "leak"
    low_hz: float
    high_hz: float

    def sound(
        self, machine: Machine, turns: Signal, structure: Spectrum, rng: np.random.Generator
    ) -> Spectrum:
        """Noise of one band."""
        return gaussian_noise(rng, band(*self._band_hz(rng), order=3))

    def _band_hz(self, rng: np.random.Generator) -> tuple[float, float]:
        """What is drawn first."""
        shift = float(rng.uniform(0.92, 1.08))
        return self.low_hz * shift, self.high_hz

    def evidence(self, machine: Machine, point: OperatingPoint, streams: Streams) -> Evidence:
        """All the time, in its band."""
        return Evidence(band_hz=self._band_hz(streams("fault")))


class Clogging(SoundingFault, frozen=True, kw_only=True):
    """Dirt closes the way of the flow.

    Less flow, and a motor that labours: the speed falls, flow noise falls, resonances of the partly filled
    passages fall, and the throttled flow separates from the blades: a stall cell turns at a fraction of the
    speed, which pulses the flow and rumbles. Greitzer, "Surge and rotating stall in axial flow compressors",
    J. Eng. Power 98 (1976).

    Attributes
    ----------
    surge : float
        Depth of the pulsation, 0 to 1.
    """

    name: ClassVar[str] = "clogging"
    depths: ClassVar[tuple[str, ...]] = (*Fault.depths, "surge")
    surge: float

    def alter(self, point: OperatingPoint) -> OperatingPoint:
        """Slower, with less flow and lower resonances, and pulsing."""
        return replace(super().alter(point), surge=self.surge)

    def sound(
        self, machine: Machine, turns: Signal, structure: Spectrum, rng: np.random.Generator
    ) -> Spectrum:
        """Rumble of the stalled flow, in the rhythm of the stall cell."""
        rumble = to_signal(gaussian_noise(rng, band(*_RUMBLE_HZ, order=2)))
        return to_spectrum(rumble * stall(turns, 0.8))

    def evidence(self, machine: Machine, point: OperatingPoint, streams: Streams) -> Evidence:
        """As often as the stall cell turns."""
        return Evidence(band_hz=_RUMBLE_HZ, rate_hz=_STALL_ORDER * point.speed_hz)


class Rubbing(SoundingFault, frozen=True, kw_only=True):
    """The rotor touches the casing during a part of each turn.

    Friction noise in bursts, once a turn; contact brakes the rotor and stiffens it. Muszynska,
    "Rotor-to-stationary element rub-related vibration phenomena in rotating machinery: literature survey",
    Shock Vib. Dig. 21 (1989).

    Attributes
    ----------
    low_hz, high_hz : float
        Where the friction noise begins and ends.
    contact : float
        Part of the turn with contact, 0 to 1.
    """

    name: ClassVar[str] = "rubbing"
    low_hz: float
    high_hz: float
    contact: float

    def sound(
        self, machine: Machine, turns: Signal, structure: Spectrum, rng: np.random.Generator
    ) -> Spectrum:
        """Noise while the rotor touches."""
        friction = to_signal(gaussian_noise(rng, band(self.low_hz, self.high_hz, order=2)))
        # a smooth bump, half of it inside the contact
        bump = np.exp(-np.log(2.0) * ((_TURN - np.pi) / (np.pi * self.contact)) ** 2)
        return to_spectrum(friction * look_up(bump, turns) * (1.0 + slow_curve(rng, 0.15)))

    def evidence(self, machine: Machine, point: OperatingPoint, streams: Streams) -> Evidence:
        """Once a turn, in its band."""
        return Evidence(band_hz=(self.low_hz, self.high_hz), rate_hz=point.speed_hz)


def stall(turns: Signal, depth: float) -> Signal:
    """Pulsation of a stall cell.

    Parameters
    ----------
    turns : ndarray of float64, [N_SAMPLES]
        Turns that the shaft has made.
    depth : float
        Depth of the pulsation, 0 to 1.

    Returns
    -------
    ndarray of float64, [N_SAMPLES]
        Factor on the flow: 1 + depth cos(2 pi 0.32 turns); a cell turns at a third to a half of the speed.
    """
    return look_up(1.0 + depth * np.cos(_TURN), _STALL_ORDER * turns)
