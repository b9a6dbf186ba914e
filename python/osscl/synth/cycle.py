"""Work cycles: the load comes and goes, beat after beat."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from osscl.synth.shaft import look_up, shaft_turns
from osscl.synth.spectrum import N_SAMPLES, SAMPLE_RATE_HZ, Signal

_RATE_DRIFT = 0.02
_SHAPE_SIZE = 4096
_TIME_S = np.arange(N_SAMPLES) / SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True)
class Cycle:
    """How the load of a machine comes and goes.

    Attributes
    ----------
    rate_hz : float
        Beats a second.
    depth_db : float
        Level under load above the level without.
    rise : float
        Part of a beat in which the load comes, 0 to 1; it goes in the rest.
    missing : int
        Neighbouring beats of the clip without load.
    backwards : int
        Neighbouring beats of the clip that run backwards.
    """

    rate_hz: float
    depth_db: float
    rise: float
    missing: int = 0
    backwards: int = 0

    @property
    def disturbed(self) -> int:
        """Neighbouring beats that are not as they should be."""
        return max(self.missing, self.backwards)

    def beats(self, rng: np.random.Generator) -> tuple[Signal, int]:
        """Draw when the beats of a clip fall, and which one is disturbed first if any is.

        Parameters
        ----------
        rng : Generator
            Where both come from.

        Returns
        -------
        ndarray of float64, [N_SAMPLES]
            Beats done at each sample.
        int
            The first disturbed beat; it and all disturbed after it lie wholly within the clip.
        """
        beats = shaft_turns(self.rate_hz, _RATE_DRIFT, rng)
        last = int(beats[-1]) - max(self.disturbed, 1)
        return beats, int(rng.integers(1, last, endpoint=True))

    def load(self, rng: np.random.Generator) -> Signal:
        """Factor on all that depends on the load.

        Parameters
        ----------
        rng : Generator
            Where beats and disturbance come from.

        Returns
        -------
        ndarray of float64, [N_SAMPLES]
            1 under full load, less without.
        """
        beats, first = self.beats(rng)
        place = beats % 1.0
        disturbed = (beats >= first) & (beats < first + self.disturbed)
        if self.backwards:
            place = np.where(disturbed, (1.0 - place) % 1.0, place)
        if self.missing:
            place = np.where(disturbed, 0.0, place)
        return look_up(self._shape(), place)

    def disturbed_s(self, rng: np.random.Generator) -> tuple[float, float]:
        """From when to when beats are disturbed.

        Parameters
        ----------
        rng : Generator
            The same random numbers as for `load`.

        Returns
        -------
        tuple of float
            Seconds from the beginning of the clip.
        """
        beats, first = self.beats(rng)
        begin, end = np.interp([first, first + self.disturbed], beats, _TIME_S)
        return float(begin), float(end)

    def _shape(self) -> npt.NDArray[np.float64]:
        """Factor over one beat: half a cosine up, half a cosine down, in decibels."""
        place = np.arange(_SHAPE_SIZE) / _SHAPE_SIZE
        part = np.where(place < self.rise, place / self.rise, (1.0 - place) / (1.0 - self.rise))
        load = 0.5 - 0.5 * np.cos(np.pi * part)
        return np.asarray(10.0 ** (self.depth_db * (load - 1.0) / 20.0))
