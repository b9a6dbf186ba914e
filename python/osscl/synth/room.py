"""From the machine to the recording: room, microphone, background noise, recording level."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from osscl.synth.shaft import slow_curve
from osscl.synth.spectrum import (
    FREQUENCY_HZ,
    SAMPLE_RATE_HZ,
    Signal,
    Spectrum,
    amplitude,
    at_level,
    gaussian_noise,
    rms,
    to_signal,
    to_spectrum,
)

SNR_DB = (0.0, 15.0)
"""Bounds of the machine's level above the background noise, in all sets but the hard one."""

_SPEED_OF_SOUND_M_S = 343.0
_LONGEST_REVERB_S = 0.45
_SENSOR_NOISE_DBFS = -72.0
_PEAK = 0.99


class Hall(NamedTuple):
    """Bounds of what differs from clip to clip in one hall, see `Place`."""

    distance_m: tuple[float, float]
    reverberation_s: tuple[float, float]
    noise_slope_db: tuple[float, float]


FIRST_HALL = Hall(distance_m=(0.5, 2.0), reverberation_s=(0.15, 0.4), noise_slope_db=(4.0, 8.0))
"""Of all sets, but for second sites."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where and how one clip is recorded.

    Attributes
    ----------
    distance_m : float
        From the machine to the microphone.
    reverberation_s : float
        Time in which reverberation falls by 60 dB.
    tilt_db : float
        Slope of the microphone's response, decibels an octave.
    ripple_db : float
        Standard deviation of its unevenness.
    snr_db : float
        Level of the machine above the background noise.
    noise_slope_db : float
        Fall of the background noise's power, decibels an octave.
    level_dbfs : float
        Root mean square of the recording re full scale: whoever records sets the gain by the meter.
    """

    distance_m: float
    reverberation_s: float
    tilt_db: float
    ripple_db: float
    snr_db: float
    noise_slope_db: float
    level_dbfs: float


def draw_place(
    rng: np.random.Generator, snr_db: tuple[float, float] = SNR_DB, hall: Hall = FIRST_HALL
) -> Place:
    """Draw where and how a clip is recorded.

    Parameters
    ----------
    rng : Generator
        Where the choice comes from.
    snr_db : tuple of float
        Bounds of the level of the machine above the background noise.
    hall : Hall
        Bounds of the rest.

    Returns
    -------
    Place
        All figures drawn evenly between their bounds.
    """
    return Place(
        distance_m=float(rng.uniform(*hall.distance_m)),
        reverberation_s=float(rng.uniform(*hall.reverberation_s)),
        tilt_db=float(rng.uniform(-2.0, 2.0)),
        ripple_db=3.0,
        snr_db=float(rng.uniform(*snr_db)),
        noise_slope_db=float(rng.uniform(*hall.noise_slope_db)),
        level_dbfs=float(rng.uniform(-36.0, -24.0)),
    )


def room_response(place: Place, rng: np.random.Generator) -> Spectrum:
    """Direct sound, early reflections and reverberation.

    Six reflections by floor and walls, each with a longer way and some loss, then Gaussian noise that
    decays by 60 dB in the reverberation time.

    Parameters
    ----------
    place : Place
        Distance and reverberation time.
    rng : Generator
        Where the reflections come from.

    Returns
    -------
    ndarray of complex128, [N_BINS]
        Transfer function; the direct sound has amplitude 1 and no delay.

    References
    ----------
    Kuttruff, "Room Acoustics", 6th ed.
    """
    n_taps = int(_LONGEST_REVERB_S * SAMPLE_RATE_HZ)
    time_s = np.arange(n_taps) / SAMPLE_RATE_HZ
    taps = rng.standard_normal(n_taps) * 10.0 ** (-3.0 * time_s / place.reverberation_s)
    mixing = int(0.015 * SAMPLE_RATE_HZ)
    taps[:mixing] *= np.linspace(0.0, 1.0, mixing) ** 2
    # the reverberant field is as strong as the direct sound at the critical distance, here 2.5 m
    taps *= (place.distance_m / 2.5) / np.linalg.norm(taps)
    for detour_m in rng.uniform(0.4, 5.0, 6):
        delay = int(detour_m / _SPEED_OF_SOUND_M_S * SAMPLE_RATE_HZ)
        taps[delay] += rng.uniform(0.4, 0.8) * place.distance_m / (place.distance_m + detour_m)
    taps[0] = 1.0
    return to_spectrum(taps)


def microphone_response(place: Place, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Amplitude response of the microphone where it happens to stand.

    Parameters
    ----------
    place : Place
        Tilt and unevenness.
    rng : Generator
        Where the unevenness comes from.

    Returns
    -------
    ndarray of float64, [N_BINS]
        Factors on amplitudes: second-order high pass at 20 Hz, tilt around 1 kHz, and a smooth ripple.
    """
    octaves = np.log2(np.maximum(FREQUENCY_HZ, 20.0) / 1000.0)
    knots = place.ripple_db * rng.standard_normal(10)
    ripple_db = np.interp(octaves, np.linspace(octaves[0], octaves[-1], len(knots)), knots)
    high_pass = FREQUENCY_HZ**2 / (FREQUENCY_HZ**2 + 20.0**2)
    return np.asarray(high_pass * 10.0 ** ((ripple_db + place.tilt_db * octaves) / 20.0))


def background(place: Place, rng: np.random.Generator) -> Spectrum:
    """Noise of the hall: falls with frequency, has two broad humps, swells and fades.

    Parameters
    ----------
    place : Place
        Its slope.
    rng : Generator
        Where the noise comes from.

    Returns
    -------
    ndarray of complex128, [N_BINS]
        Noise of any level.
    """
    octaves = np.log2(np.maximum(FREQUENCY_HZ, 40.0) / 40.0)
    shape_db = -place.noise_slope_db * octaves
    for _ in range(2):
        centre, width = rng.uniform(1.0, 7.0), rng.uniform(0.3, 0.8)
        shape_db += rng.uniform(0.0, 6.0) * np.exp(-0.5 * ((octaves - centre) / width) ** 2)
    noise = to_signal(gaussian_noise(rng, 10.0 ** (shape_db / 20.0)))
    return to_spectrum(noise * 10.0 ** (slow_curve(rng, 1.0) / 20.0))


def add_noise(sound: Spectrum, noise: Spectrum, snr_db: float) -> Spectrum:
    """Sum of a sound and a noise at a given ratio of their powers.

    Parameters
    ----------
    sound, noise : ndarray of complex128, [N_BINS]
        Neither silent.
    snr_db : float
        Level of the sound above the noise's, decibels.

    Returns
    -------
    ndarray of complex128, [N_BINS]
        The sound as it is, plus the scaled noise.
    """
    return sound + noise * (rms(sound) / rms(noise) * amplitude(-snr_db))


def record(
    sound: Spectrum,
    place: Place,
    rng: np.random.Generator,
    response: npt.NDArray[np.float64] | float = 1.0,
    hum: Signal | None = None,
) -> npt.NDArray[np.float32]:
    """Record a machine: room, background, microphone, level, noise of the sensor.

    Parameters
    ----------
    sound : ndarray of complex128, [N_BINS]
        The machine, at any level.
    place : Place
        Where and how.
    rng : Generator
        Where everything random comes from.
    response : ndarray of float64, [N_BINS], or float
        Factors on amplitudes of what stays in all recordings of a site.
    hum : ndarray of float64, [N_SAMPLES], optional
        Tones of root mean square 1 that the background has as much of as of noise.

    Returns
    -------
    ndarray of float32, [N_SAMPLES]
        Samples within ±1; a recording that would clip is turned down.
    """
    in_room, noise = sound * room_response(place, rng), background(place, rng)
    if hum is not None:
        noise = noise + to_spectrum(hum) * rms(noise)
    heard = add_noise(in_room, noise, place.snr_db)
    heard = heard * microphone_response(place, rng) * response
    heard[0] = 0.0
    heard = at_level(heard, place.level_dbfs)
    heard += at_level(gaussian_noise(rng), _SENSOR_NOISE_DBFS)
    samples: Signal = to_signal(heard)
    peak = float(np.abs(samples).max())
    return (samples * min(1.0, _PEAK / peak)).astype(np.float32)
