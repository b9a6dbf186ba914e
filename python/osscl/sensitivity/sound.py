"""A normal recording that changes are laid into, with what they are made from."""

from functools import cached_property

import numpy as np

from osscl.audio.samples import Samples, to_waveform
from osscl.synth.spectrum import FREQUENCY_HZ, N_SAMPLES, Signal, Spectrum, to_signal, to_spectrum

LEAST_POWER = 1e-12
"""Of a band in which there is nothing: what is laid into it is measured against this."""


class Sound:
    """One clip of a recording.

    Parameters
    ----------
    samples : ndarray of int16 or float32, [160000]
        Its samples at 16 kHz.

    Attributes
    ----------
    waveform : ndarray of float64, [160000]
        The same at full scale ±1.
    """

    def __init__(self, samples: Samples) -> None:
        self.waveform: Signal = to_waveform(samples).astype(np.float64)
        self._bands: dict[tuple[float, float], Signal] = {}

    @cached_property
    def spectrum(self) -> Spectrum:
        """Its spectrum, a bin each 0.1 Hz."""
        return to_spectrum(self.waveform)

    def band(self, low_hz: float, high_hz: float) -> Signal:
        """The part between two frequencies.

        Parameters
        ----------
        low_hz, high_hz : float
            The lower belongs to it, the higher does not.

        Returns
        -------
        ndarray of float64, [160000]
            The same array at each call.
        """
        known = self._bands.get((low_hz, high_hz))
        if known is None:
            inside = (low_hz <= FREQUENCY_HZ) & (high_hz > FREQUENCY_HZ)
            known = self._bands[low_hz, high_hz] = to_signal(np.where(inside, self.spectrum, 0.0))
        return known

    def power(self, low_hz: float, high_hz: float) -> float:
        """Mean square between two frequencies, `LEAST_POWER` at least.

        Parameters
        ----------
        low_hz, high_hz : float
            As `band` takes them.

        Returns
        -------
        float
            Of samples at full scale ±1.
        """
        first, last = np.searchsorted(FREQUENCY_HZ, [low_hz, high_hz])
        inside = np.square(np.abs(self.spectrum[first:last])).sum()
        return max(2.0 * float(inside) / N_SAMPLES**2, LEAST_POWER)
