"""Slaney's mel scale, and the 32 bands in which levels are told."""

import numpy as np
import pytest

from osscl.audio.mel_bands import BAND_EDGES_HZ, mel_of_hz
from osscl.config import FRONTEND
from osscl.frontend import tables


@pytest.mark.parametrize(("hz", "mel"), [(0.0, 0.0), (200.0, 3.0), (1000.0, 15.0), (6400.0, 42.0)])
def test_the_scale_is_slaneys(hz: float, mel: float) -> None:
    assert mel_of_hz(hz) == pytest.approx(mel, abs=1e-12)


def test_each_band_holds_the_peaks_of_its_four_filters() -> None:
    _, filters = tables()  # [128, 1025]
    peaks_hz = filters.argmax(1) * FRONTEND.sample_rate_hz / FRONTEND.n_fft
    of_bands = peaks_hz.reshape(32, 4)
    bin_hz = FRONTEND.sample_rate_hz / FRONTEND.n_fft
    assert (of_bands.min(1) > BAND_EDGES_HZ[:-1] - bin_hz).all()
    assert (of_bands.max(1) < BAND_EDGES_HZ[1:] + bin_hz).all()
    assert np.all(np.diff(BAND_EDGES_HZ) > 0)
