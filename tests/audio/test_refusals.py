"""Recordings that are refused, and in which words."""

import io
import pickle
from pathlib import Path
from typing import Any

import pytest

from osscl.audio.reading import Fit, read_audio, read_clip
from osscl.errors import (
    AudioCorruptError,
    AudioError,
    AudioUnfitError,
    ConfigError,
)
from support.audio_files import (
    N_SAMPLES,
    bad_files,
    chunk,
    encoded,
    fmt_chunk,
    noise,
    riff,
)

BAD = bad_files()
ANYHOW = Fit(resample=True, channel="mean", pad="repeat")


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_in_telling_words(name: str, tmp_path: Path) -> None:
    bad = BAD[name]
    path = tmp_path / name
    path.write_bytes(bad.content)
    for source in (path, str(path), bad.content, io.BytesIO(bad.content)):
        with pytest.raises(bad.error) as caught:
            read_clip(source)
        assert type(caught.value) is bad.error
        assert bad.telling in str(caught.value)
        assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("name", [name for name, bad in BAD.items() if bad.error is AudioUnfitError])
def test_unfit_files_can_be_made_to_fit(name: str) -> None:
    assert len(read_clip(BAD[name].content, ANYHOW).samples) == N_SAMPLES


@pytest.mark.parametrize("name", [name for name, bad in BAD.items() if bad.error is AudioCorruptError])
def test_nothing_makes_corrupt_files_fit(name: str) -> None:
    with pytest.raises(AudioCorruptError) as caught:
        read_clip(BAD[name].content, ANYHOW)
    assert BAD[name].telling in str(caught.value)


def test_one_message_names_everything_that_does_not_fit() -> None:
    with pytest.raises(AudioUnfitError) as caught:
        read_clip(encoded(noise(1000, n_channels=3), 8_000))
    assert str(caught.value) == (
        "sample rate is 8000 Hz, expected 16000 Hz; resample=True (--resample) converts it; and "
        "it has 3 channels, expected 1; channel=N or 'mean' (--channel N|mean) takes one, counted "
        "from 0, or mixes them; and "
        "it lasts 0.125 s, expected at least 10 s; pad='repeat' or 'zero' (--pad repeat|zero) fills it up"
    )


def test_a_recording_one_sample_short_is_short() -> None:
    with pytest.raises(AudioUnfitError, match=r"lasts 9\.99994 s, expected at least 10 s"):
        read_clip(encoded(noise(N_SAMPLES - 1)))


@pytest.mark.parametrize("n_channels", [1, 2])
def test_a_channel_that_is_not_there_is_named(n_channels: int) -> None:
    content = encoded(noise(n_channels=n_channels))
    with pytest.raises(
        AudioUnfitError, match=f"channel 2, counted from 0, was asked for and it has {n_channels}"
    ):
        read_clip(content, Fit(channel=2))


@pytest.mark.parametrize("rate_hz", [999, 768_001, 1_000_000_000])
def test_rates_of_damaged_headers_are_not_resampled(rate_hz: int) -> None:
    content = riff(fmt_chunk(rate_hz), chunk(b"data", noise().tobytes()))
    with pytest.raises(AudioUnfitError, match=f"rate is {rate_hz} Hz.*only rates from 1000 to 768000 Hz"):
        read_clip(content, ANYHOW)


def test_too_few_samples_to_resample_are_refused() -> None:
    with pytest.raises(AudioUnfitError, match="holds 1 samples at 44100 Hz: none is left"):
        read_clip(encoded(noise(1), 44_100), ANYHOW)


@pytest.mark.parametrize(
    ("name", "rate_hz", "duration_s"),
    [
        ("44_khz.wav", 44_100, 10.0),
        ("short.wav", 16_000, 5.0),
        ("stereo.wav", 16_000, 10.0),
        ("truncated_later.flac", 16_000, 30.0),
        ("nan.wav", 16_000, 10.0),
        ("contradiction.wav", 16_000, None),
        ("text.wav", None, None),
        ("empty.wav", None, None),
    ],
)
def test_errors_carry_what_the_header_says(name: str, rate_hz: int | None, duration_s: float | None) -> None:
    with pytest.raises(AudioError) as caught:
        read_clip(BAD[name].content)
    for error in (caught.value, pickle.loads(pickle.dumps(caught.value))):
        assert (error.sample_rate_hz, error.duration_s) == (rate_hz, duration_s)
        assert BAD[name].telling in str(error)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("resample", 1),
        ("channel", -1),
        ("channel", True),
        ("channel", "left"),
        ("channel", 1.0),
        ("pad", "mirror"),
    ],
)
def test_settings_outside_their_range_are_refused(setting: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"{setting} is {value!r}; it must be"):
        Fit(**{setting: value})
    with pytest.raises(ConfigError):
        read_audio(b"", **{setting: value})
