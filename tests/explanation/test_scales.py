"""Bands, rates and envelopes of an explanation are those of the features that it explains."""

import numpy as np
import pytest

from osscl.audio.mel_bands import BAND_EDGES_HZ
from osscl.config import FRONTEND
from osscl.decisions.blocks import BLOCKS
from osscl.explanation.heard import hear
from osscl.explanation.ranges import changed_ranges
from osscl.explanation.scales import (
    FAST,
    SLOW,
    fast_band_edges_hz,
    slow_band_edges_hz,
)
from osscl.explanation.spectra import pooled_spectra
from osscl.features import memory_features
from osscl.frontend import tables
from osscl.model_file.golden import golden_clips
from support.reference_features import BAND_STARTS, DB_BOUNDS, FAST_HZ, SLOW_HZ, short_frame_envelopes


def test_edges_lie_between_the_filters_that_they_part() -> None:
    _, filters = tables()  # [128, 1025]
    hz = np.arange(filters.shape[1]) * FRONTEND.sample_rate_hz / FRONTEND.n_fft
    centres = (filters @ hz) / filters.sum(1)  # [128]
    edges = BAND_EDGES_HZ
    assert (centres[3:-1:4] < edges[1:-1]).all()
    assert (centres[4::4] > edges[1:-1]).all()
    assert edges[0] < centres[0]
    assert edges[-1] > centres[-1]


def test_rates_and_bands_are_the_features_own() -> None:
    assert tuple(SLOW.edges_hz) == SLOW_HZ
    assert tuple(FAST.edges_hz) == FAST_HZ
    assert fast_band_edges_hz().tolist() == [62.5 * start for start in (*BAND_STARTS[::2], 128)]
    assert len(slow_band_edges_hz()) == 9
    assert BLOCKS["modulation"].size == 8 * (len(SLOW_HZ) - 1)
    assert BLOCKS["flutter"].size == 5 * (len(FAST_HZ) - 1)


def test_a_clip_is_heard_as_its_features_are_made() -> None:
    clip = golden_clips(1)[0]
    heard = hear(clip)
    features = memory_features(clip)
    assert np.array_equal(heard.features, features)
    assert np.abs(heard.bands.mean(1) - features[:32]).max() < 1e-3
    assert np.abs(heard.slow - heard.bands.reshape(16, 2, -1).mean(1)).max() < 1e-9
    assert np.abs(pooled_spectra(heard.slow, SLOW).ravel() - features[32:128]).max() < DB_BOUNDS["modulation"]
    assert np.abs(pooled_spectra(heard.fast, FAST).ravel() - features[128:328]).max() < DB_BOUNDS["flutter"]
    assert np.abs(heard.fast - short_frame_envelopes(clip / 32768)).max() < 1e-6


@pytest.mark.parametrize("correlated", [False, True])
def test_a_range_is_found_where_it_was_put(correlated: bool) -> None:
    rng = np.random.default_rng(3)
    covariance = 0.2 * np.eye(20) + 9.0 * correlated  # the level of a recording is free
    whitening = np.linalg.inv(np.linalg.cholesky(covariance))
    row = 3.0 * correlated + 0.2 * rng.standard_normal(20)
    row[6:9] += 5.0
    row[15] -= 3.0
    found = list(changed_ranges(whitening @ row, whitening, 2))
    assert [(each.first, each.end) for each in found] == [(6, 9), (15, 16)]
    assert abs(found[0].change - 5) < 0.5
    assert abs(found[1].change + 3) < 0.7
    assert found[0].z > 5 > 0 > found[1].z
