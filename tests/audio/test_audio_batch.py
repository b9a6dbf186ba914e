"""Several recordings at once: every row is what `read_audio` gives for its file."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import osscl
from osscl.audio.batch import read_clips
from osscl.audio.reading import Clip, Fit, read_clip
from osscl.audio.samples import to_waveform
from osscl.audio.silence import silence_of
from osscl.config import CLIP
from osscl.errors import (
    AudioCorruptError,
    AudioError,
    AudioReadError,
    AudioUnfitError,
    ConfigError,
    InputError,
)
from support.audio_files import N_SAMPLES, RATE_HZ, encoded, noise

KINDS = [("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("WAV", "PCM_24"), ("WAV", "FLOAT"), ("WAV", "PCM_U8")]


@pytest.fixture(name="paths")
def recordings(tmp_path: Path) -> list[Path]:
    """Ten recordings, plain WAV files and others."""
    paths = []
    for i in range(10):
        kind, subtype = KINDS[i % len(KINDS)]
        paths.append(tmp_path / f"{i}.{kind.lower()}")
        sound = noise(seed=i) if subtype == "PCM_16" else noise(seed=i) / 32768
        paths[-1].write_bytes(encoded(sound, kind=kind, subtype=subtype))
    return paths


@pytest.mark.parametrize("threads", [1, 2, 7, None])
def test_rows_are_the_waveforms_in_order(paths: list[Path], threads: int | None) -> None:
    batch = osscl.read_audio_batch(paths, threads=threads)
    assert batch.dtype == np.float32
    np.testing.assert_array_equal(batch, np.stack([osscl.read_audio(path) for path in paths]))


def alone(path: Path, in_floats: bool) -> Clip | AudioError:
    """What `read_clip` gives for a file, or raises."""
    try:
        clip = read_clip(path)
    except AudioError as error:
        return error
    if not in_floats:
        return clip
    waveform = to_waveform(clip.samples)
    return replace(clip, samples=waveform, silence=silence_of(waveform))


def told(clip: Clip | AudioError) -> tuple[Any, ...]:
    """All of it, as something that can be compared."""
    if isinstance(clip, AudioError):
        return type(clip), str(clip), clip.sample_rate_hz, clip.duration_s
    samples = clip.samples.dtype, clip.samples.tobytes()
    return *samples, clip.sample_rate_hz, clip.duration_s, clip.silence


@pytest.mark.parametrize("threads", [1, 2, 7])
@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_clips_are_those_that_are_read_one_by_one(
    paths: list[Path], tmp_path: Path, dtype: Any, threads: int
) -> None:
    (tmp_path / "silent.flac").write_bytes(encoded(noise() * 0, kind="FLAC"))
    (tmp_path / "silent.wav").write_bytes(encoded(noise() * 0))
    (tmp_path / "short.wav").write_bytes(encoded(noise(1000)))
    names = ["silent.wav", "missing.wav", "silent.flac", "short.wav"]
    paths = [tmp_path / "short.wav", *paths[:5], *(tmp_path / name for name in names), *paths[5:]]
    rows = np.full((len(paths), N_SAMPLES), 99, dtype)
    clips = read_clips(paths, rows, Fit(), CLIP, RATE_HZ, threads)
    for path, row, clip in zip(paths, rows, clips, strict=True):
        assert told(clip) == told(alone(path, in_floats=dtype == np.float32))
        # rows that cannot hold a clip exactly do not hold it at all
        is_in_row = isinstance(clip, Clip) and np.shares_memory(clip.samples, row)
        assert is_in_row == (isinstance(clip, Clip) and clip.samples.dtype == dtype)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("osscl-reader")]


def test_the_callers_array_receives_the_batch(paths: list[Path]) -> None:
    out = np.full((2, N_SAMPLES), np.nan, np.float32)
    assert osscl.read_audio_batch((str(path) for path in paths[:2]), out=out) is out
    np.testing.assert_array_equal(out, np.stack([osscl.read_audio(path) for path in paths[:2]]))


def test_no_paths_give_an_empty_batch() -> None:
    assert osscl.read_audio_batch([]).shape == (0, N_SAMPLES)


def test_files_that_do_not_fit_are_made_to_fit_as_one_by_one(tmp_path: Path) -> None:
    contents = [encoded(noise(n_channels=2)), encoded(noise(70_000)), encoded(noise(80_000, 2), 8_000)]
    paths = [tmp_path / f"{i}.wav" for i in range(3)]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    fits: list[dict[str, Any]] = [{"channel": 0}, {"channel": "mean"}]
    for fit in fits:
        fit |= {"pad": "repeat", "resample": True}
        expected = np.stack([osscl.read_audio(path, **fit) for path in paths])
        np.testing.assert_array_equal(osscl.read_audio_batch(paths, **fit), expected)


def test_the_first_unusable_file_is_named(paths: list[Path], tmp_path: Path) -> None:
    (tmp_path / "short.wav").write_bytes(encoded(noise(1000)))
    (tmp_path / "cut.wav").write_bytes(encoded(noise())[:-2])
    bad = [tmp_path / "short.wav", tmp_path / "cut.wav", tmp_path / "missing.wav"]
    for error in (AudioUnfitError, AudioCorruptError, AudioReadError):
        with pytest.raises(error) as alone:
            osscl.read_audio(bad[0])
        with pytest.raises(error) as caught:
            osscl.read_audio_batch([*paths[:3], *bad])
        assert str(caught.value) == str(alone.value)
        assert str(caught.value).startswith(f"{bad.pop(0)}: ")


def test_wrong_arguments_are_refused(paths: list[Path]) -> None:
    wrong: Any
    for wrong in (str(paths[0]), paths[0], b"x.wav"):
        with pytest.raises(InputError, match="pass a list of paths"):
            osscl.read_audio_batch(wrong)
    for wrong in (paths[0].read_bytes(), 3, None):
        with pytest.raises(InputError, match=f"object of type {type(wrong).__name__}"):
            osscl.read_audio_batch([paths[0], wrong])
    with pytest.raises(InputError, match=r"out is float64 \[1, 160000\]; expected a writeable"):
        osscl.read_audio_batch(paths[:1], out=np.empty((1, N_SAMPLES)))  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="threads is 0"):
        osscl.read_audio_batch(paths, threads=0)
    with pytest.raises(ConfigError, match="channel is -1"):
        osscl.read_audio_batch(paths, channel=-1)


def test_a_name_that_no_file_can_have_is_told(paths: list[Path]) -> None:
    with pytest.raises(AudioReadError, match="cannot be opened"):
        osscl.read_audio_batch([*paths, "surrogate\ud800.wav"])
