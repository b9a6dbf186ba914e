"""Long waveforms and recordings by the library: the windows of `score_windows`, `read_windows` and files."""

import logging
from pathlib import Path

import numpy as np
import pytest
import soundfile

import osscl
from osscl.audio.fitting import Fit
from osscl.audio.reading import read_clip
from osscl.audio.windows import open_windows
from osscl.errors import AudioCorruptError, ConfigError, InputError
from support.audio_files import encoded, noise
from support.remembering import faulty_clips, normal_clips, stored_memory, write_model

FAN = "fan/id_00"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("windows")
    write_model(root / "model.onnx", [stored_memory(FAN, normal_clips(1, 40))], rules={FAN: "memory"})
    return root


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    return np.concatenate([*normal_clips(2, 1), *faulty_clips(3, 1), *normal_clips(4, 2)])[:544_000]


@pytest.mark.parametrize("rule", ["memory", "network"])
@pytest.mark.parametrize("pad", [None, "repeat", "zero"])
@pytest.mark.parametrize("hop_s", [3.7, 10.0, 13.0])
def test_windows_of_an_array_are_those_of_the_file(
    home: Path, tmp_path: Path, sound: np.ndarray, hop_s: float, pad: str | None, rule: str
) -> None:
    soundfile.write(tmp_path / "x.wav", sound, 16_000)
    with osscl.load(home / "model.onnx", "cpu", rule=rule) as detector:  # type: ignore[arg-type]
        lines = list(detector.score_files([tmp_path / "x.wav"], FAN, hop_s=hop_s, pad=pad))  # type: ignore[arg-type]
        found = detector.score_windows(sound, FAN, hop_s, pad=pad)  # type: ignore[arg-type]
    windows, whole = lines[:-3], lines[-3:]
    assert found.start_s.tolist() == [line.start_s for line in windows]
    assert [float(str(score)) for score in found.scores.score] == [line.score for line in windows]
    assert found.scores.is_anomaly.tolist() == [line.is_anomaly for line in windows]
    assert found.scores.quality == [line.quality for line in windows]
    told = [None if np.isnan(p) else p for p in found.scores.p_value]
    assert told == [line.p_value for line in windows]
    assert [float(str(np.float32(each))) for each in (found.max, found.mean, found.q95)] == [
        line.score for line in whole
    ]
    assert (found.left_out_s > 0) == (pad is None)


def test_what_score_refuses_it_says_who_takes(home: Path, sound: np.ndarray) -> None:
    with osscl.load(home / "model.onnx", "cpu") as detector:
        with pytest.raises(InputError, match="score_windows scores one of any length"):
            detector.score(sound, FAN)
        with pytest.raises(InputError, match=r"lasts 1 s, expected at least 10 s; pad='repeat'"):
            detector.score_windows(sound[:16_000], FAN, 10.0)
        with pytest.raises(InputError, match="sample_rate_hz is 8000"):
            detector.score_windows(sound, FAN, 10.0, sample_rate_hz=8000)
        with pytest.raises(InputError, match="expected one waveform"):
            detector.score_windows(sound.reshape(2, -1), FAN, 10.0)
        with pytest.raises(ConfigError, match="hop is"):
            detector.score_windows(sound, FAN, 0.0)
        assert len(detector.score_windows(sound[:16_000], FAN, 10.0, pad="zero").start_s) == 1


def test_read_windows_gives_the_whole_recording(sound: np.ndarray, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "osscl"):
        windows = list(osscl.read_windows(encoded(sound), 10.0))
    assert [window.start_s for window in windows] == [0.0, 10.0, 20.0]
    np.testing.assert_array_equal(
        np.concatenate([window.waveform for window in windows]), sound[:480_000] / np.float32(32768)
    )
    assert "its last 4 s are shorter than a window and left out" in caplog.text
    with pytest.raises(ConfigError, match="hop is"):
        osscl.read_windows(encoded(sound), -1.0)
    read: list[osscl.Window] = []
    with pytest.raises(AudioCorruptError, match="cut short"):
        read.extend(osscl.read_windows(encoded(sound)[:-400_000], 10.0))
    assert len(read) == 2


def test_what_read_audio_leaves_out_is_said(
    tmp_path: Path, sound: np.ndarray, caplog: pytest.LogCaptureFixture
) -> None:
    paths = [tmp_path / "long.wav", tmp_path / "whole.flac"]
    soundfile.write(paths[0], sound, 16_000)
    soundfile.write(paths[1], sound[:160_000], 16_000)
    with caplog.at_level(logging.WARNING, "osscl"):
        osscl.read_audio(paths[1])
        assert caplog.text == ""
        osscl.read_audio(paths[0])
        assert "long.wav: the first 10 s of 34 s are read; osscl.read_windows reads them all" in caplog.text
        osscl.read_audio_batch(paths)
    assert "1 of 2 recordings are longer than 10 s" in caplog.text


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG"])
@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_a_clip_from_a_moment_on_is_the_window_that_begins_there(kind: str, rate_hz: int) -> None:
    subtype = "VORBIS" if kind == "OGG" else "PCM_16"
    content = encoded(noise(int(26 * rate_hz)), rate_hz, subtype, kind)
    fit = Fit(resample=True, pad="zero")
    with open_windows(content, 7.3, fit) as windows:
        for window in windows:
            wanted, got = window.clip(), read_clip(content, fit, start_s=window.start_s)
            assert got.samples.tobytes() == wanted.samples.tobytes()
            assert (got.duration_s, got.recording_s) == (wanted.duration_s, wanted.recording_s)
