"""Whether the sound of a band comes in beats, at rates that may be higher than those of the features."""

import numpy as np
import numpy.typing as npt

from osscl.audio.samples import Samples, to_waveform
from osscl.config import FRONTEND
from osscl.explanation.spectra import fine_spectra, fundamental, power_of_two, prominence

Floats = npt.NDArray[np.float64]

_LOWEST_HZ = 5.0
_HIGHEST_HZ = 400.0
_FRAMES_HZ = 1000.0
_PROMINENCE = 60.0


def beats_of_band(waveform: Samples, low_hz: float, high_hz: float) -> float | None:
    """Rate at which the power of a band comes and goes.

    Parameters
    ----------
    waveform : ndarray of int16 or float32, [n_samples]
        One clip.
    low_hz, high_hz : float
        The band.

    Returns
    -------
    float or None
        None where no rate from 5 to 400 Hz stands out, or the band is too narrow for one.
    """
    samples = to_waveform(waveform).astype(np.float64)
    spectrum = np.fft.rfft(samples)
    hz = np.fft.rfftfreq(len(samples), 1.0 / FRONTEND.sample_rate_hz)
    inside = (hz >= low_hz) & (hz < high_hz)
    band = spectrum[inside]  # shifted to zero, the band is its own complex envelope
    n_times = power_of_two(max(len(band), int(_FRAMES_HZ * len(samples) / FRONTEND.sample_rate_hz)))
    envelope = np.abs(np.fft.ifft(band, n_times)) ** 2
    frames_hz = n_times * FRONTEND.sample_rate_hz / len(samples)
    rates_hz, power = fine_spectra(envelope[np.newaxis], frames_hz)
    wanted = (rates_hz >= _LOWEST_HZ) & (rates_hz <= min(_HIGHEST_HZ, 0.5 * (high_hz - low_hz)))
    if not wanted.any():
        return None
    heard = np.where(wanted, power[0], 0.0)
    if not heard.any():
        return None
    rate_hz = fundamental(rates_hz, heard)
    return rate_hz if prominence(rates_hz, power[0], rate_hz) >= _PROMINENCE else None
