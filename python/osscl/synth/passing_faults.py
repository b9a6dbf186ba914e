"""Anomalies that a mean over the clip hides: a single event, a beat of the cycle, a wrong speed."""

from dataclasses import replace
from typing import ClassVar

import numpy as np

from osscl.errors import ConfigError
from osscl.synth.cycle import Cycle
from osscl.synth.fault_kind import Evidence, Fault, SoundingFault, Streams
from osscl.synth.machines import Machine
from osscl.synth.operation import OperatingPoint
from osscl.synth.spectrum import (
    DURATION_S,
    N_SAMPLES,
    SAMPLE_RATE_HZ,
    Signal,
    Spectrum,
    band,
    gaussian_noise,
    to_signal,
    to_spectrum,
)

_TIME_S = np.arange(N_SAMPLES) / SAMPLE_RATE_HZ
_EDGE_S = 0.01
_MARGIN_S = 0.5


class Event(SoundingFault, frozen=True, kw_only=True):
    """Something happens once: a part falls, a valve spits, a belt squeals.

    A burst of noise in a band; of two events of a level, the shorter is the louder.

    Attributes
    ----------
    low_hz, high_hz : float
        Where the middle of the band may lie, drawn evenly over octaves.
    narrow_octaves, broad_octaves : float
        How broad the band may be.
    shortest_s, longest_s : float
        How long the burst may last.
    """

    name: ClassVar[str] = "event"
    low_hz: float
    high_hz: float
    narrow_octaves: float
    broad_octaves: float
    shortest_s: float
    longest_s: float

    def sound(
        self, machine: Machine, turns: Signal, structure: Spectrum, rng: np.random.Generator
    ) -> Spectrum:
        """Noise of one band between two moments."""
        (low_hz, high_hz), (begin_s, end_s) = self._drawn(rng)
        noise = to_signal(gaussian_noise(rng, band(low_hz, high_hz)))
        from_edge = np.clip(np.minimum(_TIME_S - begin_s, end_s - _TIME_S) / _EDGE_S, 0.0, 1.0)
        return to_spectrum(noise * (0.5 - 0.5 * np.cos(np.pi * from_edge)))

    def evidence(self, machine: Machine, point: OperatingPoint, streams: Streams) -> Evidence:
        """Once, in its band."""
        band_hz, time_s = self._drawn(streams("fault"))
        return Evidence(band_hz=band_hz, time_s=time_s)

    def _drawn(self, rng: np.random.Generator) -> tuple[tuple[float, float], tuple[float, float]]:
        """Band and time, which are drawn first."""
        centre_hz = self.low_hz * (self.high_hz / self.low_hz) ** float(rng.uniform())
        half = 2.0 ** (0.5 * float(rng.uniform(self.narrow_octaves, self.broad_octaves)))
        lasts_s = float(rng.uniform(self.shortest_s, self.longest_s))
        # its reverberation lies within the clip too
        begin_s = float(rng.uniform(_MARGIN_S, DURATION_S - _MARGIN_S - lasts_s))
        return (centre_hz / half, centre_hz * half), (begin_s, begin_s + lasts_s)


class ChangedSpeed(Fault, frozen=True, kw_only=True):
    """The machine runs at a speed that none of its modes has: a wrong setting, a belt that slips."""

    name: ClassVar[str] = "changed_speed"

    def evidence(self, machine: Machine, point: OperatingPoint, streams: Streams) -> Evidence:
        """Once a turn."""
        return Evidence(rate_hz=point.speed_hz)


class CycleFault(Fault, frozen=True, kw_only=True):
    """Some beats of the work cycle are not as they should be; only machines in an operating mode have any.

    Attributes
    ----------
    beats : int
        How many neighbouring ones.
    """

    beats: int

    def disturb(self, cycle: Cycle) -> Cycle:
        """The work cycle under the fault.

        Parameters
        ----------
        cycle : Cycle
            That of the healthy machine.

        Returns
        -------
        Cycle
            The changed cycle.
        """
        raise NotImplementedError

    def alter(self, point: OperatingPoint) -> OperatingPoint:
        """With the changed cycle."""
        return replace(super().alter(point), cycle=self.disturb(self._cycle(point)))

    def evidence(self, machine: Machine, point: OperatingPoint, streams: Streams) -> Evidence:
        """While the beats are disturbed; the rate is that of all beats."""
        cycle = self._cycle(point)
        return Evidence(rate_hz=cycle.rate_hz, time_s=cycle.disturbed_s(streams("cycle")))

    def _cycle(self, point: OperatingPoint) -> Cycle:
        if point.cycle is None:
            raise ConfigError(
                f"{self.name} is a fault of work cycles, which only machines in an operating mode have; "
                "give the clip's key a mode"
            )
        return point.cycle


class MissingBeat(CycleFault, frozen=True, kw_only=True):
    """The load does not come: a batch, a stroke or a part is left out."""

    name: ClassVar[str] = "missing_beat"

    def disturb(self, cycle: Cycle) -> Cycle:
        """Without load."""
        return replace(cycle, missing=self.beats)


class ReversedCycle(CycleFault, frozen=True, kw_only=True):
    """The load comes slowly and goes at once: a valve or a controller works the wrong way round."""

    name: ClassVar[str] = "reversed_cycle"

    def disturb(self, cycle: Cycle) -> Cycle:
        """Backwards."""
        return replace(cycle, backwards=self.beats)
