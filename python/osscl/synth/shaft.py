"""The turning shaft: its angle over time, and sounds that repeat with it."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from osscl.synth.spectrum import DURATION_S, N_SAMPLES, SAMPLE_RATE_HZ, Signal

_N_KNOTS = 26
_TABLE_SIZE = 16_384
_TIME_S = np.arange(N_SAMPLES) / SAMPLE_RATE_HZ


def slow_curve(rng: np.random.Generator, spread: float) -> Signal:
    """A curve that wanders slowly around zero, without steps.

    Parameters
    ----------
    rng : Generator
        Where it comes from.
    spread : float
        Standard deviation.

    Returns
    -------
    ndarray of float64, [N_SAMPLES]
        Random values every 0.4 s, smoothed over 1.2 s, with straight lines between them.
    """
    knots = np.convolve(rng.standard_normal(_N_KNOTS + 2), np.ones(3) / np.sqrt(3.0), "valid")
    return np.asarray(np.interp(_TIME_S, np.linspace(0.0, DURATION_S, _N_KNOTS), spread * knots))


def shaft_turns(speed_hz: float, drift: float, rng: np.random.Generator) -> Signal:
    """Turns that a shaft has made at each sample.

    Parameters
    ----------
    speed_hz : float
        Mean speed, turns a second.
    drift : float
        Standard deviation of the slow relative changes of speed.
    rng : Generator
        Where start angle and drift come from.

    Returns
    -------
    ndarray of float64, [N_SAMPLES]
        Turns, ascending: the integral of the momentary speed, in [0, 1) at the start.
    """
    start = rng.uniform()
    speed = speed_hz * (1.0 + slow_curve(rng, drift))
    return np.asarray(start + (np.cumsum(speed) - speed[0]) / SAMPLE_RATE_HZ)


def periodic(turns: Signal, orders: Mapping[int, float], rng: np.random.Generator) -> Signal:
    """Sum of cosines at whole multiples of the shaft's speed, with random phases.

    Parameters
    ----------
    turns : ndarray of float64, [N_SAMPLES]
        Turns that the shaft has made.
    orders : mapping of int to float
        Amplitude of each multiple.
    rng : Generator
        Where the phases come from.

    Returns
    -------
    ndarray of float64, [N_SAMPLES]
        The sum over orders k of a_k cos(2 pi k turns + theta_k).

    References
    ----------
    Order analysis: Randall, "Vibration-based Condition Monitoring", 2nd ed., chapter 3.
    """
    turn = np.zeros(_TABLE_SIZE // 2 + 1, np.complex128)
    highest = int(_TABLE_SIZE / 20)
    for order, height in orders.items():
        phase = rng.uniform(0.0, 2.0 * np.pi)
        if order <= highest:
            turn[order] += 0.5 * _TABLE_SIZE * height * np.exp(1j * phase)
    return look_up(np.fft.irfft(turn), turns)


def look_up(turn: npt.NDArray[np.float64], turns: Signal) -> Signal:
    """A curve over one turn, read at the angle of each sample, with straight lines between its points.

    Parameters
    ----------
    turn : ndarray of float64, [n_points]
        One turn of the curve.
    turns : ndarray of float64, [N_SAMPLES]
        Turns that the shaft has made, at least 0.

    Returns
    -------
    ndarray of float64, [N_SAMPLES]
        Value of the curve at each sample.
    """
    place = turns * len(turn)
    before = place.astype(np.int64)
    part = place - before
    before %= len(turn)
    steps = np.append(turn[1:], turn[0]) - turn
    return np.asarray(turn[before] + part * steps[before])
