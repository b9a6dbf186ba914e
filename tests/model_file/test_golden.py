"""Golden clips follow their written specification to the last bit."""

import hashlib

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osscl.model_file.golden import golden_clips
from support.reference_log_mel import reference_log_mel

N_SAMPLES = 160_000
# SHA-256 of each clip's samples as little-endian int16.
PINNED = [
    "ae9b4b1e577daa451f05b419b66dc09915261d3d0a18bbf54b7a368ca55bf798",
    "6e812de0f2d39e74a6e2729558d8c7701509baf343d9fa743ee488c24642f588",
    "8e21aee580eb244005a34c12fdc2491bfce6b89cab6c94660f394739c7a3afe5",
    "71a5b773387548f3503cbbecfcd06da3e93fee75e2197d68cab3e543a6002ac4",
    "8303c600f48dbaec88a8d47b8df725ac4d8c0fffb3cd068006b8ce9e3178c2e2",
]


def hashed(x: int) -> int:
    x ^= x >> 16
    x = x * 0x8411A90F % 2**32
    x ^= x >> 16
    x = x * 0x4D0A6767 % 2**32
    return x ^ x >> 16


def specified_sample(c: int, i: int) -> int:
    """One sample, written line by line as the specification is."""
    noise = (hashed((i + hashed((c + 1) % 2**32)) % 2**32) >> 16) - 32768
    saw = (i * (20000003 + 1234567 * c) % 2**32 >> 16) - 32768
    t = i * (230000017 + 9876543 * c) % 2**32 >> 16
    triangle = 2 * min(t, 65535 - t) - 32768
    if c % 4 == 0:
        return (noise + saw) >> 1
    if c % 4 == 1:
        return noise >> 9
    if c % 4 == 2:
        return (saw >> 2) + (triangle >> (1 + 4 * ((i >> 13) & 1))) + (noise >> 10)
    return noise >> ((i & 4095) >> 8)


def test_bytes_are_pinned() -> None:
    digests = [hashlib.sha256(clip.astype("<i2").tobytes()).hexdigest() for clip in golden_clips(len(PINNED))]
    assert digests == PINNED


@pytest.mark.parametrize("number", range(4))
def test_a_slow_loop_over_the_specification_agrees(number: int) -> None:
    clip = golden_clips(4)[number].tolist()
    assert clip == [specified_sample(number, i) for i in range(N_SAMPLES)]


@settings(max_examples=20, deadline=None)
@given(number=st.integers(4, 63), i=st.integers(0, N_SAMPLES - 1))
def test_any_sample_of_any_clip_agrees(number: int, i: int) -> None:
    assert golden_clips(number + 1)[number, i] == specified_sample(number, i)


def test_the_first_clips_do_not_depend_on_the_count() -> None:
    clips = golden_clips(64)
    assert clips.dtype == np.int16
    assert clips.shape == (64, N_SAMPLES)
    np.testing.assert_array_equal(golden_clips(5), clips[:5])
    assert len({clip.tobytes() for clip in clips}) == 64


def test_clips_differ_in_level_and_kind() -> None:
    loud, quiet, tonal, impulsive = golden_clips(4).astype(np.float64) / 32768
    assert 0.99 < np.abs(loud).max() < 1.0
    assert level_db(quiet) == pytest.approx(-59.0, abs=0.5)
    # The triangle wave fades by a factor of 16 every second half.
    assert level_db(tonal[:8192]) > level_db(tonal[8192:16384]) + 3.0
    # Each burst falls by half every 256 samples.
    bursts = impulsive[: 39 * 4096].reshape(39, 16, 256)
    assert level_db(bursts[:, 0]) == pytest.approx(level_db(bursts[:, 4]) + 24.0, abs=0.5)


@pytest.mark.parametrize("number", range(4))
def test_every_mel_band_is_filled(number: int) -> None:
    log_mel_db, _ = reference_log_mel(golden_clips(4)[number] / 32768.0)  # [128, 313]
    # Above the floor of -100 dB, and where float32 arithmetic still resolves it.
    assert log_mel_db.min() > -70.0
    assert log_mel_db.min() > log_mel_db.max() - 90.0


def level_db(waveform: npt.NDArray[np.float64]) -> float:
    return float(10.0 * np.log10(np.mean(waveform**2)))
