"""Float64 log-mel, written to be obviously right: what the native front end and the graph's are held to."""

import numpy as np
import numpy.typing as npt

SAMPLE_RATE_HZ = 16_000
N_FFT = 2048
HOP_LENGTH = 512
N_MELS = 128
F_MAX_HZ = 8000.0
POWER_FLOOR = 1e-10

Float64 = npt.NDArray[np.float64]


def slaney_mel(frequency_hz: npt.ArrayLike) -> Float64:
    """Frequency in Hz -> mel: linear up to 1000 Hz (15 mel), then logarithmic, 27 mel for a factor of 6.4."""
    f = np.asarray(frequency_hz, dtype=np.float64)
    return np.where(
        f < 1000.0, 3.0 * f / 200.0, 15.0 + 27.0 * np.log(np.maximum(f, 1000.0) / 1000.0) / np.log(6.4)
    )


def slaney_frequency_hz(mel: npt.ArrayLike) -> Float64:
    """Mel -> frequency in Hz, the inverse of `slaney_mel`."""
    m = np.asarray(mel, dtype=np.float64)
    return np.where(m < 15.0, 200.0 * m / 3.0, 1000.0 * 6.4 ** ((m - 15.0) / 27.0))


def periodic_hann() -> Float64:
    """Periodic Hann window [2048]."""
    return 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(N_FFT) / N_FFT)


def mel_filter_bank() -> Float64:
    """Triangular filters [128, 1025], Slaney scale, each of area 1 over Hz (2 / width at the top)."""
    bin_hz = np.arange(N_FFT // 2 + 1) * (SAMPLE_RATE_HZ / N_FFT)
    edges_hz = slaney_frequency_hz(np.linspace(slaney_mel(0.0), slaney_mel(F_MAX_HZ), N_MELS + 2))
    filters = np.zeros((N_MELS, N_FFT // 2 + 1))
    for i in range(N_MELS):
        lower, centre, upper = edges_hz[i : i + 3]
        rising = (bin_hz - lower) / (centre - lower)
        falling = (upper - bin_hz) / (upper - centre)
        filters[i] = np.maximum(0.0, np.minimum(rising, falling)) * 2.0 / (upper - lower)
    return filters


def reference_log_mel(waveform: npt.ArrayLike) -> tuple[Float64, Float64]:
    """Log-mel and mel power of waveforms, in float64 throughout.

    Parameters
    ----------
    waveform : array_like, [..., n_samples]
        Samples, full scale ±1.

    Returns
    -------
    log_mel_db : ndarray of float64, [..., 128, 1 + n_samples // 512]
        Decibels, at least -100.
    mel_power : ndarray of float64, [..., 128, 1 + n_samples // 512]
        Power before the floor and the logarithm.
    """
    x = np.asarray(waveform, dtype=np.float64)
    padding = [(0, 0)] * (x.ndim - 1) + [(N_FFT // 2, N_FFT // 2)]
    padded = np.pad(x, padding)
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT, axis=-1)[..., ::HOP_LENGTH, :]
    power = np.abs(np.fft.rfft(frames * periodic_hann(), axis=-1)) ** 2  # [..., n_frames, 1025]
    mel_power = np.swapaxes(power @ mel_filter_bank().T, -1, -2)  # [..., 128, n_frames]
    return 10.0 * np.log10(np.maximum(mel_power, POWER_FLOOR)), mel_power


def assert_within_bounds(
    got: npt.NDArray[np.floating], reference: npt.NDArray[np.floating], peak_db: float
) -> None:
    """1e-3 dB within 70 dB of the clip's peak, 1e-2 dB within 90 dB, finite and above the floor elsewhere."""
    error = np.abs(got - reference)
    assert np.isfinite(got).all()
    assert got.min() >= -100.0
    assert error[reference >= peak_db - 70.0].max() <= 1e-3
    assert error[reference >= peak_db - 90.0].max() <= 1e-2
