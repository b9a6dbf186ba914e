"""Reading of recordings: what is accepted bit by bit, and what is refused in which words."""

import errno
import io
import os
import pickle
import tracemalloc
import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from osscl.audio.reading import Fit, read_audio, read_clip
from osscl.config import ClipConfig
from osscl.errors import (
    AudioCorruptError,
    AudioError,
    AudioReadError,
    AudioUnfitError,
    ConfigError,
    InputError,
    MissingExtraError,
)
from support.audio_files import (
    N_SAMPLES,
    RATE_HZ,
    bad_files,
    chunk,
    encoded,
    fmt_chunk,
    noise,
    open_the_way_to,
    ordinary_user,
    riff,
)
from support.packages import hide

BAD = bad_files()
ANYHOW = Fit(resample=True, channel="mean", pad="repeat")


class CountingStream(io.BytesIO):
    """Counts the bytes that were read."""

    n_read = 0

    def readinto(self, buffer: Any, /) -> int:
        """Read as usual."""
        n = super().readinto(buffer)
        self.n_read += n
        return n


# What is accepted


@pytest.mark.parametrize("kind", ["WAV", "WAVEX", "RF64", "FLAC", "AIFF"])
def test_16_bit_samples_stay_as_they_are(kind: str) -> None:
    clip = read_clip(encoded(noise(), kind=kind))
    assert clip.samples.dtype == np.int16
    np.testing.assert_array_equal(clip.samples, noise())
    assert (clip.sample_rate_hz, clip.duration_s, clip.is_silent) == (RATE_HZ, 10.0, False)


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
    assert read_clip(encoded(samples, subtype=subtype)).is_silent
    samples[-1] = -0.01
    assert not read_clip(encoded(samples, subtype=subtype)).is_silent


def test_float_samples_a_little_over_full_scale_pass() -> None:
    waveform = np.full(N_SAMPLES, 7.9, np.float32)
    np.testing.assert_array_equal(read_clip(encoded(waveform, subtype="FLOAT")).samples, waveform)


def test_real_recordings_equal_another_decoder(shared: Path) -> None:
    paths = sorted((shared / "data" / "dcase2020").rglob("*.wav"))
    assert len(paths) == 36
    for path in paths:
        with wave.open(str(path)) as file:
            expected = np.frombuffer(file.readframes(N_SAMPLES), "<i2")
        np.testing.assert_array_equal(read_clip(path).samples, expected)
        np.testing.assert_array_equal(read_audio(path), expected / np.float32(32768))


# What is made to fit


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


# What is refused


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
        "it has 3 channels, expected 1; channel=N, counted from 0, or channel='mean' (--channel N|mean) "
        "takes one or mixes them; and "
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
        ("from_pipe.flac", 16_000, None),
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


# Places that cannot be read


def test_read_audio_names_the_file_and_keeps_the_error(tmp_path: Path) -> None:
    path = tmp_path / "short.wav"
    path.write_bytes(BAD["short.wav"].content)
    for source in (path, str(path)):
        with pytest.raises(AudioUnfitError) as caught:
            read_audio(source)
        assert str(caught.value).startswith(f"{path}: it lasts 5 s")
        assert caught.value.duration_s == 5.0
    with pytest.raises(AudioUnfitError, match=r"^it lasts 5 s"):
        read_audio(path.read_bytes())


def test_a_missing_file() -> None:
    with pytest.raises(AudioReadError, match="cannot be opened: No such file"):
        read_clip("nowhere/x.wav")


def test_a_directory_named_like_a_file(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    path.mkdir()
    with pytest.raises(AudioReadError, match="is a directory"):
        read_clip(path)


def test_a_file_without_permission(tmp_path: Path) -> None:
    open_the_way_to(tmp_path)
    path = tmp_path / "x.wav"
    path.write_bytes(encoded(noise()))
    path.chmod(0o644)
    with ordinary_user():
        read_clip(path)
    path.chmod(0o000)
    with ordinary_user(), pytest.raises(AudioReadError, match="cannot be opened: Permission denied"):
        read_clip(path)


@pytest.mark.timeout(20)
def test_a_named_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.wav")
    with pytest.raises(AudioReadError, match="not a regular file"):
        read_clip(tmp_path / "x.wav")


def test_a_link_that_turns_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "x.wav").symlink_to("x.wav")
    with pytest.raises(AudioReadError, match="Too many levels of symbolic links"):
        read_clip(tmp_path / "x.wav")


@pytest.mark.parametrize("name", ["nul\0.wav", "surrogate\ud800.wav"])
def test_a_name_that_no_file_can_have(name: str) -> None:
    with pytest.raises(AudioReadError, match="cannot be opened"):
        read_audio(name)


def test_a_name_that_is_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.wav")
    path.write_bytes(encoded(noise()))
    np.testing.assert_array_equal(read_clip(path).samples, noise())
    path.write_bytes(b"")
    with pytest.raises(AudioCorruptError, match=r"caf\\xe9\.wav: the file is empty"):
        read_audio(path)


# File objects


class Unreliable(io.BytesIO):
    """Fails after some bytes, as a file on a network may."""

    def __init__(self, content: bytes, good_bytes: int, error: BaseException) -> None:
        super().__init__(content)
        self._good_bytes = good_bytes
        self._error = error

    def readinto(self, buffer: Any, /) -> int:
        """Read as usual, as long as it goes well."""
        if self.tell() + len(buffer) > self._good_bytes:
            raise self._error
        return super().readinto(buffer)


class Plain:
    """A file object that has only the methods that are needed, and reads little at once."""

    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)
        self.tell = self._file.tell

    def read(self, size: int) -> bytes:
        """Read at most 1000 bytes."""
        return self._file.read(min(size, 1000))

    def seek(self, offset: int, whence: int = 0) -> None:
        """Seek, as some do, without telling the position."""
        self._file.seek(offset, whence)


def test_open_files_are_read_from_their_start_and_left_open(tmp_path: Path) -> None:
    path = tmp_path / "x.flac"
    path.write_bytes(encoded(noise(), kind="FLAC"))
    with path.open("rb") as file:
        file.seek(77)
        for _ in range(2):
            np.testing.assert_array_equal(read_clip(file).samples, noise())


@pytest.mark.parametrize("kind", ["WAV", "FLAC"])
def test_the_simplest_file_object_does(kind: str) -> None:
    plain: Any = Plain(encoded(noise(), kind=kind))
    np.testing.assert_array_equal(read_clip(plain).samples, noise())


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_content_in_memory(wrap: Any) -> None:
    np.testing.assert_array_equal(read_clip(wrap(encoded(noise()))).samples, noise())


@pytest.mark.parametrize("good_bytes", [0, 20, 1000, 200_000])
@pytest.mark.parametrize("kind", ["WAV", "FLAC"])
def test_an_error_of_the_file_is_told_not_taken_for_its_end(
    kind: str, good_bytes: int, capfd: pytest.CaptureFixture[str]
) -> None:
    error = OSError(errno.EIO, "Input/output error")
    with pytest.raises(AudioReadError, match="cannot be read: Input/output error") as caught:
        read_clip(Unreliable(encoded(noise(), kind=kind), good_bytes, error))
    assert caught.value.__cause__ is error
    assert capfd.readouterr() == ("", "")


def test_an_interrupt_inside_a_file_object_comes_through() -> None:
    with pytest.raises(KeyboardInterrupt):
        read_clip(Unreliable(encoded(noise()), 1000, KeyboardInterrupt()))


def test_a_stream_that_cannot_seek() -> None:
    reading, writing = os.pipe()
    os.close(writing)
    with (
        os.fdopen(reading, "rb") as pipe,
        pytest.raises(AudioReadError, match=r"cannot seek.*pass the bytes"),
    ):
        read_clip(pipe)


def test_a_closed_file() -> None:
    file = io.BytesIO(encoded(noise()))
    file.close()
    with pytest.raises(AudioReadError, match="closed file"):
        read_clip(file)


@pytest.mark.parametrize("source", [io.StringIO("text"), 3, None, np.zeros(N_SAMPLES)], ids=type)
def test_what_is_no_audio_source(source: Any) -> None:
    with pytest.raises(InputError, match=f"not an object of type {type(source).__name__}"):
        read_audio(source)


# Any bytes


def mutated(content: bytes) -> st.SearchStrategy[bytes]:
    """The content with some bytes changed, most of them in its header, and perhaps cut short."""
    changes = st.lists(
        st.tuples(st.integers(0, 100) | st.integers(0, len(content) - 1), st.integers(0, 255)), max_size=6
    )

    def change(edits: list[tuple[int, int]], end: int | None) -> bytes:
        changed = bytearray(content)
        for at, value in edits:
            changed[at] = value
        return bytes(changed[:end])

    return st.builds(change, changes, st.none() | st.integers(0, len(content)))


SEEDS = [
    encoded(noise(2000)),
    encoded(noise(2000, n_channels=2), kind="WAVEX", subtype="FLOAT"),
    encoded(noise(2000), kind="RF64"),
    encoded(noise(2000), kind="FLAC"),
]


@settings(deadline=None)
@given(
    st.one_of([mutated(seed) for seed in SEEDS]) | st.binary(max_size=200), st.sampled_from([Fit(), ANYHOW])
)
def test_any_bytes_give_a_clip_or_one_of_our_errors(content: bytes, fit: Fit) -> None:
    try:
        clip = read_clip(content, fit)
    except AudioError as error:
        assert str(error)  # noqa: PT017 - no error is as good an answer
    else:
        assert clip.samples.shape == (N_SAMPLES,)
        assert np.isfinite(clip.samples).all()
