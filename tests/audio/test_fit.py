"""Recordings that are made to fit: channels, length, sample rate."""

import io
import tracemalloc
from typing import Any

import numpy as np
import pytest
import soundfile

from osscl.audio.reading import Fit, read_clip
from osscl.errors import (
    AudioCorruptError,
    MissingExtraError,
)
from support.audio_files import (
    N_SAMPLES,
    RATE_HZ,
    encoded,
    noise,
)
from support.packages import hide


def test_a_channel_is_taken_as_it_is() -> None:
    samples = noise(n_channels=8)
    for kind in ("WAV", "WAVEX", "FLAC"):
        clip = read_clip(encoded(samples, kind=kind), Fit(channel=6))
        assert clip.samples.dtype == np.int16
        np.testing.assert_array_equal(clip.samples, samples[:, 6])


def test_the_mean_of_channels_is_float() -> None:
    samples = noise(n_channels=2)
    clip = read_clip(encoded(samples), Fit(channel="mean"))
    assert clip.samples.dtype == np.float32
    np.testing.assert_array_equal(clip.samples, samples.mean(axis=1) / 32768)  # exact: 17 bits


@pytest.mark.parametrize("channel", [0, "mean"])
def test_one_channel_needs_no_mixing(channel: Any) -> None:
    np.testing.assert_array_equal(read_clip(encoded(noise()), Fit(channel=channel)).samples, noise())


def test_only_the_channel_taken_must_be_finite() -> None:
    samples = noise(n_channels=2) / np.float32(32768)
    samples[5, 1] = np.nan
    content = encoded(samples, subtype="FLOAT")
    np.testing.assert_array_equal(read_clip(content, Fit(channel=0)).samples, samples[:, 0])
    for channel in (1, "mean"):
        with pytest.raises(AudioCorruptError, match="NaN or infinity"):
            read_clip(content, Fit(channel=channel))


def test_many_channels_are_read_in_bounded_memory() -> None:
    samples = noise(n_channels=64)
    content = encoded(samples, subtype="PCM_U8")  # 41 MB as float32
    expected = soundfile.read(io.BytesIO(content), dtype="float32")[0][:, 63]
    tracemalloc.start()
    try:
        clip = read_clip(content, Fit(channel=63))
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(clip.samples, expected)
    assert peak_bytes < 12e6


@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT"])
def test_padding(subtype: str) -> None:
    short = noise(70_000) if subtype == "PCM_16" else noise(70_000) / np.float32(32768)
    content = encoded(short, subtype=subtype)
    repeated = read_clip(content, Fit(pad="repeat"))
    np.testing.assert_array_equal(repeated.samples, np.concatenate([short, short, short[:20_000]]))
    filled = read_clip(content, Fit(pad="zero"))
    np.testing.assert_array_equal(filled.samples, np.concatenate([short, np.zeros(90_000)]))
    assert repeated.samples.dtype == filled.samples.dtype == short.dtype
    assert repeated.duration_s == filled.duration_s == 4.375


def test_a_single_sample_can_be_repeated() -> None:
    assert (read_clip(encoded(np.array([7], np.int16)), Fit(pad="repeat")).samples == 7).all()


def tone(frequency_hz: float, rate_hz: int, duration_s: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    return 0.5 * np.sin(2 * np.pi * frequency_hz * np.arange(round(rate_hz * duration_s)) / rate_hz)


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000])
def test_resampling_keeps_tones_and_removes_aliases(rate_hz: int) -> None:
    inner = slice(2_000, -2_000)  # the ends meet silence
    clip = read_clip(encoded(tone(1000.3, rate_hz, 10), rate_hz, "FLOAT"), Fit(resample=True))
    assert (clip.sample_rate_hz, clip.duration_s, len(clip.samples)) == (rate_hz, 10.0, N_SAMPLES)
    assert clip.samples.dtype == np.float32
    assert np.abs(clip.samples - tone(1000.3, RATE_HZ, 10))[inner].max() < 1e-5
    if rate_hz > 22_000:
        high = read_clip(encoded(tone(9_000, rate_hz, 10), rate_hz, "FLOAT"), Fit(resample=True))
        assert np.abs(high.samples)[inner].max() < 1e-5


@pytest.mark.parametrize("rate_hz", [1_000, 8_000, 15_999, 44_100, 48_000, 768_000])
def test_a_resampled_recording_may_go_on_after_the_cut(rate_hz: int) -> None:
    soxr = pytest.importorskip("soxr")
    samples = noise(12 * rate_hz)
    whole = soxr.resample(samples / np.float32(32768), rate_hz, RATE_HZ, quality="VHQ")[:N_SAMPLES]
    np.testing.assert_array_equal(read_clip(encoded(samples, rate_hz), Fit(resample=True)).samples, whole)


def test_channel_is_chosen_before_resampling_and_padding_comes_last() -> None:
    samples = noise(40_000, n_channels=2)
    both = read_clip(encoded(samples, 8_000), Fit(resample=True, channel=1, pad="repeat"))
    alone = read_clip(encoded(samples[:, 1], 8_000), Fit(resample=True, pad="zero"))
    np.testing.assert_array_equal(both.samples[:80_000], alone.samples[:80_000])
    np.testing.assert_array_equal(both.samples[80_000:], both.samples[:80_000])
    assert not alone.samples[80_000:].any()
    assert both.duration_s == alone.duration_s == 5.0


def test_resampling_without_soxr_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, "soxr")
    with pytest.raises(MissingExtraError, match=r'pip install "osscl\[resample\]"'):
        Fit(resample=True)
    read_clip(encoded(noise()))
