"""What sounds in a healthy machine: rotor, blades, gears, impacts and flow, before resonances colour it."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from osscl.synth.shaft import look_up, periodic, slow_curve
from osscl.synth.spectrum import (
    FREQUENCY_HZ,
    N_SAMPLES,
    SAMPLE_RATE_HZ,
    Signal,
    amplitude,
    gaussian_noise,
    to_signal,
)

_ROTOR_ORDERS = range(1, 25)
_PASS_HARMONICS = range(1, 9)
_SIDEBANDS = range(-4, 5)
_LINE_JITTER_DB = 1.5
_COSINE = np.cos(2.0 * np.pi * np.arange(4096) / 4096)


def rotor(
    turns: Signal, slope_db: float, rng: np.random.Generator, own_lines_db: Sequence[float] = ()
) -> Signal:
    """Harmonics of a shaft: residual imbalance at 1x, misalignment and coupling above.

    Parameters
    ----------
    turns : ndarray of float64, [N_SAMPLES]
        Turns that the shaft has made.
    slope_db : float
        Fall of the harmonics, decibels an octave.
    rng : Generator
        Where phases and the small differences of the lines' heights come from.
    own_lines_db : sequence of float
        What this shaft's lines lie above the fall, from 1x on.

    Returns
    -------
    ndarray of float64, [N_SAMPLES]
        Sound with lines at k f_r, the first of amplitude about 1.

    References
    ----------
    Randall, "Vibration-based Condition Monitoring", 2nd ed., chapter 2.
    """
    lines = {k: amplitude(-slope_db * float(np.log2(k)) + _jitter_db(rng)) for k in _ROTOR_ORDERS}
    for k, own_db in enumerate(own_lines_db, start=1):
        lines[k] *= amplitude(own_db)
    return periodic(turns, lines, rng)


def blade_pass(turns: Signal, n_blades: int, slope_db: float, rng: np.random.Generator) -> Signal:
    """Tones of blades or vanes that pass a tongue: lines at multiples of n f_r.

    Parameters
    ----------
    turns : ndarray of float64, [N_SAMPLES]
        Turns that the shaft has made.
    n_blades : int
        Blades or vanes.
    slope_db : float
        Fall from each harmonic to the next, decibels.
    rng : Generator
        Where phases and the small differences of the lines' heights come from.

    Returns
    -------
    ndarray of float64, [N_SAMPLES]
        Sound, its first line of amplitude about 1.

    References
    ----------
    Neise, "Review of fan noise generation mechanisms and control methods", Fan Noise Symposium 1992.
    """
    lines = {h * n_blades: amplitude(-slope_db * (h - 1) + _jitter_db(rng)) for h in _PASS_HARMONICS}
    return periodic(turns, lines, rng)


def gear_mesh(
    turns: Signal, n_teeth: int, slope_db: float, sideband_db: float, rng: np.random.Generator
) -> Signal:
    """Gear mesh: lines at multiples of z f_r, each with side bands f_r apart.

    Parameters
    ----------
    turns : ndarray of float64, [N_SAMPLES]
        Turns that the shaft of the gear has made.
    n_teeth : int
        Teeth z of the gear on it.
    slope_db : float
        Fall from each harmonic of the mesh to the next, decibels.
    sideband_db : float
        Fall from a line to its first side band, and on to the second, and so on, decibels.
    rng : Generator
        Where phases and the small differences of the lines' heights come from.

    Returns
    -------
    ndarray of float64, [N_SAMPLES]
        Sound, its first carrier of amplitude about 1.

    References
    ----------
    Randall, "A new method of modeling gear faults", J. Mech. Des. 104 (1982): mesh frequency z f_r,
    side bands from modulation by the shaft.
    """
    lines: dict[int, float] = {}
    for h in _PASS_HARMONICS:
        for side in _SIDEBANDS:
            level_db = -slope_db * (h - 1) - sideband_db * abs(side) + _jitter_db(rng)
            order = h * n_teeth + side
            lines[order] = lines.get(order, 0.0) + amplitude(level_db)
    return periodic(turns, lines, rng)


def flow_noise(
    turns: Signal, peak_hz: float, pass_order: int, modulation: float, rng: np.random.Generator
) -> Signal:
    """Broadband noise of turbulent flow, modulated by blades, vanes or strokes.

    Its power rises with f^2 up to the peak and falls with f^-2 beyond.

    Parameters
    ----------
    turns : ndarray of float64, [N_SAMPLES]
        Turns that the shaft has made.
    peak_hz : float
        Frequency of the largest power.
    pass_order : int
        Modulations a turn.
    modulation : float
        Depth of the modulation, 0 to 1.
    rng : Generator
        Where the noise comes from.

    Returns
    -------
    ndarray of float64, [N_SAMPLES]
        Noise of any level.

    References
    ----------
    Spectrum over the Strouhal number f D / U: Neise (1992), as above; the modulation is what DEMON analysis
    of propeller noise looks for.
    """
    ratio = FREQUENCY_HZ / peak_hz
    noise = to_signal(gaussian_noise(rng, 2.0 * ratio / (1.0 + ratio**2)))
    wave = look_up(1.0 + modulation * _COSINE, turns * pass_order)
    return np.asarray(noise * wave * (1.0 + slow_curve(rng, 0.08)))


def impacts(turns: Signal, places: npt.ArrayLike, heights: npt.ArrayLike) -> Signal:
    """Short forces when the shaft stands at given turns.

    Parameters
    ----------
    turns : ndarray of float64, [N_SAMPLES]
        Turns that the shaft has made.
    places : array_like of float64, [n]
        Turns at which the impacts happen; those outside the clip are left out.
    heights : array_like of float64, [n]
        Momentum of each.

    Returns
    -------
    ndarray of float64, [N_SAMPLES]
        Each impact shared between its two neighbouring samples.
    """
    places, heights = np.broadcast_arrays(np.asarray(places, np.float64), np.asarray(heights, np.float64))
    inside = (places >= turns[0]) & (places < turns[-1])
    position = np.interp(places[inside], turns, np.arange(N_SAMPLES, dtype=np.float64))
    before = position.astype(np.int64)
    part = position - before
    signal = np.zeros(N_SAMPLES + 1)
    np.add.at(signal, before, (1.0 - part) * heights[inside])
    np.add.at(signal, before + 1, part * heights[inside])
    return signal[:N_SAMPLES]


def reciprocating(turns: Signal, n_strokes: int, rng: np.random.Generator) -> Signal:
    """Valves and pistons that strike a given number of times a turn, each stroke of its own strength.

    Parameters
    ----------
    turns : ndarray of float64, [N_SAMPLES]
        Turns that the crankshaft has made.
    n_strokes : int
        Strikes a turn.
    rng : Generator
        Where strengths and the jitter of 1 % of a stroke come from.

    Returns
    -------
    ndarray of float64, [N_SAMPLES]
        Impacts without their ringing.

    References
    ----------
    Elhaj et al., "Numerical simulation and experimental study of a two-stage reciprocating compressor
    for condition monitoring", Mech. Syst. Signal Process. 22 (2008).
    """
    first, last = int(np.floor(turns[0] * n_strokes)), int(np.ceil(turns[-1] * n_strokes))
    strokes = np.arange(first, last + 1)
    # strokes of one turn differ, and do so in every turn: the machine's own rhythm
    rhythm = 1.0 - 0.5 * ((strokes % n_strokes) * 0.618 % 1.0)
    places = (strokes + 0.01 * rng.standard_normal(len(strokes))) / n_strokes
    return impacts(turns, places, rhythm * (1.0 + 0.1 * rng.standard_normal(len(strokes))))


def inverter_whine(turns: Signal, carrier_hz: float, rng: np.random.Generator) -> Signal:
    """Whine of a motor fed by an inverter: pairs of lines around the switching frequency and twice that.

    Parameters
    ----------
    turns : ndarray of float64, [N_SAMPLES]
        Turns that the motor's shaft has made; with one pole pair, the periods of its supply.
    carrier_hz : float
        Switching frequency f_c.
    rng : Generator
        Where phases and the small difference of the pairs' heights come from.

    Returns
    -------
    ndarray of float64, [N_SAMPLES]
        Lines at f_c ± 2 f_r and 2 f_c ± f_r, of about the same height.

    References
    ----------
    Holmes and Lipo, "Pulse Width Modulation for Power Converters", chapter 3.
    """
    carrier = carrier_hz * np.arange(N_SAMPLES) / SAMPLE_RATE_HZ + rng.uniform()
    heights = [amplitude(_jitter_db(rng)) for _ in range(2)]
    first = look_up(_COSINE, carrier) * look_up(_COSINE, 2.0 * turns)
    second = look_up(_COSINE, 2.0 * carrier) * look_up(_COSINE, turns)
    return np.asarray(heights[0] * first + heights[1] * second)


def _jitter_db(rng: np.random.Generator) -> float:
    return _LINE_JITTER_DB * float(rng.standard_normal())
