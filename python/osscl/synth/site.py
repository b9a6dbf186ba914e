"""The second site of a machine: what is other there than where its normal recordings were made.

It is the domain shift of DCASE Task 2 from 2022 on: many normal recordings of the source, few of the target.
"""

import functools
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from osscl.synth.machines import Machine, character_source, machine
from osscl.synth.operation import OperatingPoint
from osscl.synth.room import Hall
from osscl.synth.spectrum import FREQUENCY_HZ, N_SAMPLES, SAMPLE_RATE_HZ, Signal, amplitude

SiteName: TypeAlias = Literal["source", "target"]
"""``source``: where a machine stands in all other sets; ``target``: its second site."""

SECOND_HALL = Hall(distance_m=(2.0, 4.0), reverberation_s=(0.3, 0.45), noise_slope_db=(0.0, 4.0))
"""A larger and harder room with a brighter noise, and the microphone further away."""
LESS_SNR_DB = 3.0
"""What the machine is nearer to the noise by."""

_PURPOSE = "second site"
# drawn for each machine: slower or faster than slip alone would make it, under another load
_SPEED = (0.06, 0.14)
_LOAD_DB = (2.0, 5.0)
_LOW_HZ = (60.0, 180.0)
_TREBLE_DB = (-5.0, 3.0)
_TREBLE_FROM_HZ = 1500.0
_COLOUR_DB = 4.0
_N_KNOTS = 12
_HUM_HZ = (85.0, 190.0)
_HUM_HARMONICS = 5
_SEED = 20_231_101


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """Where and how a machine runs and is recorded, for all of its clips there.

    Attributes
    ----------
    speed : float
        Factor on the machine's speed.
    load_db : float
        Change of what gears, blades, strokes and flow radiate.
    response : ndarray of float64, [N_BINS]
        Factors on amplitudes: microphone and room that stay where they are.
    hum : ndarray of float64, [N_SAMPLES]
        Tones of the machine next to it, of root mean square 1.
    """

    speed: float
    load_db: float
    response: npt.NDArray[np.float64]
    hum: Signal

    def alter(self, point: OperatingPoint) -> OperatingPoint:
        """State of the machine at this site.

        Parameters
        ----------
        point : OperatingPoint
            Its state at the first one.

        Returns
        -------
        OperatingPoint
            The changed state.
        """
        return point.at(self.speed, self.load_db)


@functools.lru_cache(maxsize=4)
def second_site(name: str) -> Site:
    """The second site of a machine, which depends on the machine's name alone, as its character does.

    Parameters
    ----------
    name : str
        Type and ID, such as ``blower/id_00``.

    Returns
    -------
    Site
        The site.
    """
    of = machine(name)
    draw = character_source(of.type, of.number, _PURPOSE)
    rng = np.random.default_rng([_SEED, *name.encode()])
    is_slower = of.number % 2 == 0
    sign = -1.0 if is_slower else 1.0
    speed = 1.0 + sign * draw(*_SPEED)
    load_db = sign * draw(*_LOAD_DB)
    response = _microphone(draw(*_LOW_HZ), draw(*_TREBLE_DB)) * _colour(rng)
    return Site(speed, load_db, response, _hum(draw(*_HUM_HZ), rng))


def nominal_speed_rpm(of: Machine, site: SiteName) -> int:
    """Speed of a machine at half load, turns a minute: the attribute that its file names tell."""
    factor = second_site(of.name).speed if site == "target" else 1.0
    return round(60.0 * of.speed_hz * factor)


def _microphone(low_hz: float, treble_db: float) -> npt.NDArray[np.float64]:
    """Amplitude response: a second-order high pass, and a slope above 1.5 kHz, decibels an octave."""
    high_pass = FREQUENCY_HZ**2 / (FREQUENCY_HZ**2 + low_hz**2)
    octaves = np.log2(np.maximum(FREQUENCY_HZ / _TREBLE_FROM_HZ, 1.0))
    return np.asarray(high_pass * 10.0 ** (treble_db * octaves / 20.0))


def _colour(rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """What the room and the place in it add and take, smooth over frequency."""
    octaves = np.log2(np.maximum(FREQUENCY_HZ, 40.0))
    knots = _COLOUR_DB * rng.standard_normal(_N_KNOTS)
    shape_db = np.interp(octaves, np.linspace(octaves[0], octaves[-1], _N_KNOTS), knots)
    return np.asarray(10.0 ** (shape_db / 20.0))


def _hum(first_hz: float, rng: np.random.Generator) -> Signal:
    """Tone and harmonics of a machine next to it, which turns evenly."""
    time_s = np.arange(N_SAMPLES) / SAMPLE_RATE_HZ
    tones = sum(
        amplitude(-4.0 * (k - 1)) * np.cos(2.0 * np.pi * (k * first_hz * time_s + rng.uniform()))
        for k in range(1, _HUM_HARMONICS + 1)
    )
    hum = np.asarray(tones, np.float64)
    return hum / float(np.sqrt(np.mean(hum**2)))
