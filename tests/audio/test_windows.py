"""Windows of long recordings: each is what the reader of clips gives of the recording cut off before it."""

import io
from typing import Any

import numpy as np
import pytest

from osscl.audio.fitting import AS_THEY_ARE, Clip, Fit
from osscl.audio.reading import read_clip
from osscl.audio.windows import open_windows
from osscl.errors import AudioError, AudioUnfitError, ConfigError
from support.audio_files import RATE_HZ, chunk, encoded, fmt_chunk, noise, open_w64, riff


class Read:
    """What the windows of a recording are."""

    def __init__(self, content: bytes, hop_s: float, fit: Fit = AS_THEY_ARE) -> None:
        self.starts: list[float] = []
        self.clips: list[Clip | AudioError] = []
        self.left_out_s, self.error = 0.0, ""
        try:
            with open_windows(content, hop_s, fit) as windows:
                for window in windows:
                    self.starts.append(window.start_s)
                    try:
                        self.clips.append(window.clip())
                    except AudioError as error:
                        self.clips.append(error)
            self.left_out_s = windows.left_out_s
        except AudioError as error:
            self.error = str(error)


def assert_equal(clip: Clip | AudioError, cut: bytes, fit: Fit) -> None:
    if isinstance(clip, AudioError):
        with pytest.raises(type(clip)) as told:
            read_clip(io.BytesIO(cut), fit)
        assert str(told.value) == str(clip)
        return
    wanted = read_clip(io.BytesIO(cut), fit)
    assert clip.samples.dtype == wanted.samples.dtype
    assert clip.samples.tobytes() == wanted.samples.tobytes()
    facts = (clip.sample_rate_hz, clip.duration_s, clip.silence, clip.recording_s)
    assert facts == (wanted.sample_rate_hz, wanted.duration_s, wanted.silence, wanted.recording_s)


FORMATS: dict[str, tuple[dict[str, Any], Fit]] = {
    "16 bits": ({}, Fit()),
    "24 bits": ({"subtype": "PCM_24"}, Fit()),
    "float": ({"subtype": "FLOAT"}, Fit()),
    "FLAC": ({"kind": "FLAC"}, Fit()),
    "W64": ({"kind": "W64"}, Fit()),
    "RF64": ({"kind": "RF64"}, Fit()),
    "one of two": ({"channels": 2}, Fit(channel=1)),
    "mean": ({"channels": 3}, Fit(channel="mean")),
    "44.1 kHz": ({"rate_hz": 44_100}, Fit(resample=True)),
    "8 kHz": ({"rate_hz": 8_000}, Fit(resample=True, channel="mean")),
}


@pytest.mark.parametrize("pad", [None, "repeat", "zero"])
@pytest.mark.parametrize("hop_s", [10.0, 3.7, 13.0])
@pytest.mark.parametrize("name", FORMATS)
def test_a_window_is_what_is_read_of_the_recording_cut_off_before_it(
    name: str, hop_s: float, pad: Any
) -> None:
    how, fit = dict(FORMATS[name][0]), FORMATS[name][1]
    fit = Fit(fit.resample, fit.channel, pad)
    rate_hz = how.setdefault("rate_hz", RATE_HZ)
    sound = noise(int(24.3 * rate_hz), how.pop("channels", 1)) / np.float32(32768)
    read = Read(encoded(sound, **how), hop_s, fit)
    hop = round(hop_s * rate_hz)
    n_whole = (len(sound) - 10 * rate_hz) // hop + 1
    whole_end = (n_whole - 1) * hop + 10 * rate_hz
    has_end = min(n_whole * hop, len(sound)) < len(sound) and whole_end < len(sound)
    assert read.error == ""
    assert len(read.clips) == n_whole + (has_end and pad is not None)
    assert read.starts == [k * hop / rate_hz for k in range(len(read.clips))]
    for k, clip in enumerate(read.clips):
        assert_equal(clip, encoded(sound[k * hop :], **how), fit)
    left_out = len(sound) - max(whole_end, min(n_whole * hop, len(sound)))
    assert read.left_out_s == (0 if pad else left_out / rate_hz)


@pytest.mark.parametrize(("duration_s", "n_windows", "left_out_s"), [(10, 1, 0), (19.5, 1, 9.5), (30, 3, 0)])
def test_the_last_part_is_left_out_or_filled_up(duration_s: float, n_windows: int, left_out_s: float) -> None:
    content = encoded(noise(int(duration_s * RATE_HZ)))
    read = Read(content, 10.0)
    assert (len(read.clips), read.left_out_s) == (n_windows, left_out_s)
    padded = Read(content, 10.0, Fit(pad="zero"))
    assert (len(padded.clips), padded.left_out_s) == (n_windows + (left_out_s > 0), 0)


def test_a_recording_shorter_than_a_window_is_unfit_or_filled_up() -> None:
    with (
        pytest.raises(AudioUnfitError, match="lasts 4 s, expected at least 10 s"),
        open_windows(encoded(noise(64_000)), 5.0),
    ):
        pass
    read = Read(encoded(noise(64_000)), 1.0, Fit(pad="repeat"))
    assert read.starts == [0.0]
    assert_equal(read.clips[0], encoded(noise(64_000)), Fit(pad="repeat"))


def test_silence_and_samples_that_are_no_sound_are_told_of_their_window_alone() -> None:
    sound = noise(640_000) / np.float32(32768)
    sound[160_000:320_000] = 0
    sound[400_000] = np.nan
    read = Read(encoded(sound, subtype="FLOAT"), 10.0)
    said = [str(each) if isinstance(each, AudioError) else each.silence for each in read.clips]
    assert said == [
        None,
        "all samples are zero",
        "samples hold NaN or infinity; expected finite numbers within ±1",
        None,
    ]


LONG = np.tile(noise(), 5)
PCM = LONG.tobytes()
DAMAGED = {
    "a WAV file cut short": (encoded(LONG)[:-400_000], 3, "are present: the file is cut short"),
    "one that was never closed": (riff(fmt_chunk(), chunk(b"data", PCM, 0)), 5, "was never written"),
    "one from a pipe": (riff(fmt_chunk(), chunk(b"data", PCM, 0xFFFF_FFFF)), 5, "was never written"),
    "a W64 file cut short": (encoded(LONG, kind="W64")[:-400_000], 3, "are present: the file is cut short"),
    "a W64 file from a pipe": (open_w64(encoded(LONG, kind="W64")), 0, "was never written"),
    "a W64 file that was never closed": (open_w64(encoded(LONG, kind="W64"), 0), 5, "was never written"),
    "a FLAC file cut short": (encoded(LONG, kind="FLAC")[:-450_000], 3, "cut short"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_windows_before_the_damage_are_given_and_then_it_is_told(name: str) -> None:
    content, n_windows, telling = DAMAGED[name]
    read = Read(content, 10.0)
    assert len(read.clips) == n_windows
    for clip in read.clips:
        assert isinstance(clip, Clip)
        np.testing.assert_array_equal(clip.samples, noise())
    assert telling in read.error


def test_a_flac_file_damaged_in_the_middle_gives_what_comes_before() -> None:
    content = bytearray(encoded(LONG, kind="FLAC"))
    middle = len(content) // 2
    content[middle : middle + 99] = bytes(99)
    read = Read(bytes(content), 10.0)
    assert len(read.clips) == 2
    assert "damaged" in read.error


def test_a_flac_file_cut_in_the_part_that_is_left_out_is_told_too() -> None:
    content = encoded(LONG[:300_000], kind="FLAC")
    assert "cut short" in Read(content[:-99], 10.0).error


@pytest.mark.parametrize("hop_s", [0.0, -1.0, 0.001, 1e6, float("nan"), float("inf")])
def test_a_hop_that_is_none_is_refused(hop_s: float) -> None:
    with (
        pytest.raises(ConfigError, match="from one window's beginning to the next"),
        open_windows(b"", hop_s),
    ):
        pass
