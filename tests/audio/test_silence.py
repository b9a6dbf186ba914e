"""Dead channels: what stands for no sound, and that whatever is done to a recording does not hide it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osscl.audio.batch import read_clips
from osscl.audio.reading import Clip, Fit, read_clip
from osscl.audio.silence import silence_of
from osscl.config import CLIP
from support.audio_files import N_SAMPLES, RATE_HZ, encoded, noise

TOGGLING = np.arange(N_SAMPLES) % 3 % 2
DEAD: dict[str, Any] = {
    "all samples are zero": np.zeros(N_SAMPLES),
    "all samples are 37": np.full(N_SAMPLES, 37),
    "all samples are -32768": np.full(N_SAMPLES, -32768),
    "all samples are 36 or 37": 36 + TOGGLING,
    "all samples are -1 or 0": -TOGGLING,
    "all samples are 0 or 1": np.arange(N_SAMPLES) == N_SAMPLES - 1,
}
SOUNDS: dict[str, Any] = {
    "noise": noise(),
    "three values": np.arange(N_SAMPLES) % 3,
    "the last bit but one": 2 * TOGGLING,
    "a square wave": np.where(np.arange(N_SAMPLES) % 80 < 40, 1000, -1000),
    "a single 5": 5 * (np.arange(N_SAMPLES) == 7),
    "a single -2 at the end": np.append(np.zeros(N_SAMPLES - 1), -2),
}


@pytest.mark.parametrize("told", DEAD)
def test_a_dead_channel_is_told(told: str) -> None:
    samples = DEAD[told].astype(np.int16)
    assert silence_of(samples) == told
    silence = silence_of((samples / 32768).astype(np.float32))
    assert silence is not None
    assert silence.startswith("all samples are ")


@pytest.mark.parametrize("name", SOUNDS)
def test_sound_is_sound(name: str) -> None:
    samples = SOUNDS[name].astype(np.int16)
    assert silence_of(samples) is None
    assert silence_of((samples / 32768).astype(np.float32)) is None


def test_what_is_said_of_floats() -> None:
    assert silence_of(np.full(9, 0.5, np.float32)) == "all samples are 0.5"
    assert silence_of(np.full(9, -0.0, np.float32)) == "all samples are zero"
    assert (
        silence_of(np.array([0.25, 0.25 + 2.0**-22] * 9, np.float32)) == "all samples are 0.25 or 0.250000238"
    )


FITS = [
    ({}, N_SAMPLES, 1, RATE_HZ),
    ({"pad": "zero"}, 2048, 1, RATE_HZ),
    ({"pad": "repeat"}, 2048, 1, RATE_HZ),
    ({"channel": 1}, N_SAMPLES, 2, RATE_HZ),
    ({"channel": "mean"}, N_SAMPLES, 2, RATE_HZ),
    ({"resample": True}, 441_000, 1, 44_100),
    ({"resample": True, "channel": "mean", "pad": "zero"}, 4096, 3, 8_000),
]


@pytest.mark.parametrize(("fit", "n_frames", "n_channels", "rate_hz"), FITS)
@pytest.mark.parametrize("kind", ["WAV", "FLAC"])
def test_nothing_hides_a_dead_channel(
    fit: Any, n_frames: int, n_channels: int, rate_hz: int, kind: str
) -> None:
    content = encoded(np.full((n_frames, n_channels), 37, np.int16), rate_hz, kind=kind)
    silence = read_clip(content, Fit(**fit)).silence
    assert silence in ("all samples are 37", "all samples are 0.00112915039")


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_rows_of_a_batch_tell_the_same(dtype: Any, tmp_path: Path) -> None:
    sounds = {**DEAD, **SOUNDS}
    contents = [
        (name, encoded(sound.astype(np.int16), kind=kind))
        for name, sound in sounds.items()
        for kind in ("WAV", "FLAC")
    ]
    paths = [tmp_path / f"{i}.wav" for i in range(len(contents))]
    for path, (_, content) in zip(paths, contents, strict=True):
        path.write_bytes(content)
    rows = np.empty((len(paths), N_SAMPLES), dtype)
    clips = read_clips(paths, rows, Fit(), CLIP, RATE_HZ, 2)
    for clip, (name, _) in zip(clips, contents, strict=True):
        assert isinstance(clip, Clip)
        assert (clip.silence is not None) == (name in DEAD)
        assert clip.silence is None or dtype == np.float32 or clip.silence == name
