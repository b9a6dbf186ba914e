"""FLAC files whose header leaves the number of samples open, as encoders write them to a pipe."""

from typing import Any

import numpy as np
import pytest

from osscl.audio.reading import Fit, read_clip
from osscl.errors import AudioCorruptError, AudioUnfitError
from support.audio_files import N_SAMPLES, RATE_HZ, encoded, noise

# around the encoder's blocks of 4096, and the decoder's of 2**20
LENGTHS = (1, 4096, 4097, 159_999, N_SAMPLES, 2**20 - 1, 2**20, 2**20 + 1, 3 * 2**20)


def without_length(samples: Any, **options: Any) -> bytes:
    """A FLAC file of these samples that says neither how many they are nor their hash."""
    content = bytearray(encoded(samples, kind="FLAC", **options))
    content[21] &= 0xF0  # STREAMINFO starts at byte 8; its 36-bit count ends with its 18th byte
    content[22:42] = bytes(20)
    return bytes(content)


@pytest.mark.parametrize("n_samples", LENGTHS)
def test_it_is_as_long_as_what_it_holds(n_samples: int) -> None:
    samples = np.resize(noise(), n_samples)
    clip = read_clip(without_length(samples), Fit(pad="zero"))
    assert clip.samples.dtype == np.int16
    n_read = min(n_samples, N_SAMPLES)
    np.testing.assert_array_equal(clip.samples[:n_read], samples[:n_read])
    assert not clip.samples[n_read:].any()
    assert clip.duration_s == n_read / RATE_HZ


@pytest.mark.parametrize("subtype", ["PCM_S8", "PCM_16", "PCM_24"])
@pytest.mark.parametrize("n_channels", [1, 3, 8])
def test_it_is_read_as_with_a_length(n_channels: int, subtype: str) -> None:
    samples = noise(n_channels=n_channels)
    content = without_length(samples, subtype=subtype)
    for fit in (Fit(channel=n_channels - 1), Fit(channel="mean")):
        expected = read_clip(encoded(samples, kind="FLAC", subtype=subtype), fit)
        clip = read_clip(content, fit)
        np.testing.assert_array_equal(clip.samples, expected.samples)
        assert clip.samples.dtype == expected.samples.dtype


def test_a_short_one_is_short() -> None:
    with pytest.raises(AudioUnfitError, match=r"lasts 9\.99994 s, expected at least 10 s"):
        read_clip(without_length(noise(N_SAMPLES - 1)))


def test_one_behind_a_tag_is_read() -> None:
    tag = b"ID3\3\0\0\0\0\0\x0a" + bytes(10)
    np.testing.assert_array_equal(read_clip(tag + without_length(noise())).samples, noise())


@pytest.mark.parametrize("n_missing", [1, 3, 99, 3000, 100_000])
def test_one_cut_inside_a_frame_is_refused(n_missing: int) -> None:
    for samples in (noise(), np.tile(noise(), 8)):
        with pytest.raises(AudioCorruptError, match="damaged or cut short"):
            read_clip(without_length(samples)[:-n_missing], Fit(pad="repeat"))


def test_a_damaged_one_is_refused() -> None:
    content = without_length(noise())
    with pytest.raises(AudioCorruptError, match="damaged"):
        read_clip(content[:150_000] + bytes(99) + content[150_099:])


def test_one_without_any_sound_is_refused() -> None:
    with pytest.raises(AudioCorruptError, match="it holds no samples"):
        read_clip(without_length(noise())[:42])
