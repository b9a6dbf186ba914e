"""Recordings that are accepted, bit by bit."""

import io
import wave
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from osscl.audio.reading import read_audio, read_clip
from osscl.config import ClipConfig
from support.audio_files import (
    N_SAMPLES,
    RATE_HZ,
    chunk,
    encoded,
    fmt_chunk,
    noise,
    riff,
)
from support.reference import Reference


class CountingStream(io.BytesIO):
    """Counts the bytes that were read."""

    n_read = 0

    def readinto(self, buffer: Any, /) -> int:
        """Read as usual."""
        n = super().readinto(buffer)
        self.n_read += n
        return n


@pytest.mark.parametrize("kind", ["WAV", "WAVEX", "RF64", "W64", "FLAC", "AIFF"])
def test_16_bit_samples_stay_as_they_are(kind: str) -> None:
    clip = read_clip(encoded(noise(), kind=kind))
    assert clip.samples.dtype == np.int16
    np.testing.assert_array_equal(clip.samples, noise())
    assert (clip.sample_rate_hz, clip.duration_s, clip.silence) == (RATE_HZ, 10.0, None)


def test_big_endian_wav_is_the_same_sound() -> None:
    np.testing.assert_array_equal(read_clip(encoded(noise(), endian="BIG")).samples, noise())


@pytest.mark.parametrize(
    ("kind", "subtype", "step"),
    [
        ("WAV", "PCM_U8", 2.0**-7),
        ("WAV", "PCM_24", 2.0**-23),
        ("WAV", "PCM_32", 2.0**-24),
        ("WAV", "FLOAT", 2.0**-25),
        ("WAV", "DOUBLE", 2.0**-25),
        ("FLAC", "PCM_S8", 2.0**-7),
        ("FLAC", "PCM_24", 2.0**-23),
    ],
)
def test_other_sample_formats_become_float_at_full_scale_1(kind: str, subtype: str, step: float) -> None:
    waveform = np.random.default_rng(1).uniform(-0.99, 0.99, N_SAMPLES)
    clip = read_clip(encoded(waveform, subtype=subtype, kind=kind))
    assert clip.samples.dtype == np.float32
    assert np.abs(clip.samples - waveform).max() <= step


def test_read_audio_divides_16_bit_samples_by_32768() -> None:
    extremes = np.resize(np.array([-32768, 32767, 1, 0], np.int16), N_SAMPLES)
    waveform = read_audio(encoded(extremes))
    assert waveform.dtype == np.float32
    np.testing.assert_array_equal(waveform[:4], np.array([-1.0, 32767 / 32768, 1 / 32768, 0.0], np.float32))


def test_chunks_before_and_after_the_sound_are_passed_over() -> None:
    content = riff(
        chunk(b"JUNK", bytes(27)), fmt_chunk(), chunk(b"LIST", b"INFOodd"), chunk(b"data", noise().tobytes())
    )
    np.testing.assert_array_equal(read_clip(content + b"junk" * 9).samples, noise())


def test_long_recordings_are_cut_to_their_first_ten_seconds() -> None:
    long = noise(400_000)
    for kind in ("WAV", "FLAC"):
        clip = read_clip(encoded(long, kind=kind))
        np.testing.assert_array_equal(clip.samples, long[:N_SAMPLES])
        assert clip.duration_s == 10.0


@pytest.mark.parametrize("kind", ["WAV", "FLAC"])
def test_only_the_start_of_a_long_recording_is_read(kind: str) -> None:
    stream = CountingStream(encoded(np.tile(noise(), 30), kind=kind))
    read_clip(stream)
    assert stream.n_read < 2 * N_SAMPLES * 1.5


def test_several_threads_may_read_at_once() -> None:
    contents = [encoded(noise(seed=seed), kind=kind) for seed in range(4) for kind in ("WAV", "FLAC")]
    with ThreadPoolExecutor(8) as pool:
        clips = list(pool.map(read_clip, contents * 8))
    for i, clip in enumerate(clips):
        np.testing.assert_array_equal(clip.samples, noise(seed=i % 8 // 2))


def test_clip_length_and_rate_are_the_callers() -> None:
    clip = read_clip(encoded(noise(), 8_000), clip=ClipConfig(n_samples=1000), sample_rate_hz=8_000)
    np.testing.assert_array_equal(clip.samples, noise()[:1000])
    assert clip.duration_s == 0.125


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_U8", "FLOAT"])
def test_silence_is_told_from_sound(subtype: str) -> None:
    samples = np.zeros(N_SAMPLES)
    assert read_clip(encoded(samples, subtype=subtype)).silence is not None
    samples[-1] = -0.01
    assert read_clip(encoded(samples, subtype=subtype)).silence is None


def test_float_samples_a_little_over_full_scale_pass() -> None:
    waveform = np.full(N_SAMPLES, 7.9, np.float32)
    np.testing.assert_array_equal(read_clip(encoded(waveform, subtype="FLOAT")).samples, waveform)


def test_recordings_equal_another_decoder(reference: Reference) -> None:
    for path in reference.clips:
        with wave.open(str(path)) as file:
            expected = np.frombuffer(file.readframes(N_SAMPLES), "<i2")
        np.testing.assert_array_equal(read_clip(path).samples, expected)
        np.testing.assert_array_equal(read_audio(path), expected / np.float32(32768))
