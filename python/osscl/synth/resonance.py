"""Resonances: how structure and ducts colour what excites them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from osscl.synth.spectrum import FREQUENCY_HZ, SAMPLE_RATE_HZ, Spectrum, amplitude

# modes are computed on a coarse grid: they ring for much less than its inverse, half a second
_GRID_HZ = np.arange(0.0, SAMPLE_RATE_HZ / 2 + 1.0, 2.0)


@dataclass(frozen=True, slots=True)
class Mode:
    """One resonance.

    Attributes
    ----------
    frequency_hz : float
        Natural frequency.
    damping : float
        Damping ratio; the resonance is 2 x damping x frequency_hz wide at half its power.
    gain_db : float
        Height of its peak.
    """

    frequency_hz: float
    damping: float
    gain_db: float


def resonances(modes: Sequence[Mode], stiffness_db: float = -np.inf, detuning: float = 1.0) -> Spectrum:
    """Transfer function of modes side by side.

    Each mode is the velocity of a mass on a spring with a damper over the force on it,
    i 2 z f f_n / (f_n^2 - f^2 + i 2 z f f_n), which is 1 at its natural frequency f_n.

    Parameters
    ----------
    modes : sequence of Mode
        The resonances.
    stiffness_db : float
        Level of a path that colours nothing, in decibels; minus infinity leaves it out.
    detuning : float
        Factor on all natural frequencies.

    Returns
    -------
    ndarray of complex128, [N_BINS]
        Factors on amplitudes.

    References
    ----------
    Ewins, "Modal Testing", 2nd ed., chapter 2 (mobility of a single degree of freedom).
    """
    total = np.full(len(_GRID_HZ), amplitude(stiffness_db), np.complex128)
    for mode in modes:
        natural_hz = mode.frequency_hz * detuning
        damped = 2j * mode.damping * _GRID_HZ * natural_hz
        total += amplitude(mode.gain_db) * damped / (natural_hz**2 - _GRID_HZ**2 + damped)
    return np.asarray(np.interp(FREQUENCY_HZ, _GRID_HZ, total))
