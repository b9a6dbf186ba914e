"""WAV files from the field whose headers are wrong: sound where there is no doubt, else a true sentence."""

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import osscl
from osscl.audio.reading import Fit, read_clip
from osscl.config import ClipConfig
from osscl.errors import AudioCorruptError, AudioError
from support.audio_files import RATE_HZ, chunk, encoded, fmt_chunk, noise, riff

N = 2048
CLIP = ClipConfig(n_samples=N)
SOUND = noise(N)
PCM = SOUND.tobytes()
DATA = chunk(b"data", PCM)
# 24 bits of which the low ones are in use
DEEP = (SOUND.astype(np.int32) << 6) + np.arange(N, dtype=np.int32) % 61


def outcome(source: Any, fit: Fit | None = None) -> Any:
    """The samples of a recording, or its error's words and what it carries."""
    try:
        return read_clip(source, fit or Fit(), CLIP).samples
    except AudioError as error:
        return type(error), str(error), error.sample_rate_hz, error.duration_s


def read(content: bytes, path: Path, fit: Fit | None = None) -> Any:
    """The outcome, which must be the same for a path, its content and an open file."""
    path.write_bytes(content)
    by_path = outcome(path, fit)
    for source in (content, io.BytesIO(content)):
        np.testing.assert_equal(outcome(source, fit), by_path)
    return by_path


@pytest.fixture(name="file")
def one_file(tmp_path: Path) -> Path:
    """Where a test puts its file."""
    return tmp_path / "x.wav"


def header(tag: int = 1, channels: int = 1, block: int = 2, bits: int = 16) -> bytes:
    """Format chunk whose fields may contradict each other."""
    return chunk(b"fmt ", struct.pack("<HHIIHH", tag, channels, RATE_HZ, RATE_HZ * block, block, bits))


def extensible(
    tag: int = 1, channels: int = 1, block: int = 2, bits: int = 16, valid_bits: int = 16
) -> bytes:
    """The same as an extensible format chunk."""
    fields = (0xFFFE, channels, RATE_HZ, RATE_HZ * block, block, bits, 22, valid_bits, 0, tag)
    guid_tail = bytes.fromhex("00001000800000aa00389b71")
    return chunk(b"fmt ", struct.pack("<HHIIHHHHII", *fields) + guid_tail)


# Contradictions

CONTRADICTIONS = {
    "stereo written as mono": header(block=4),
    "mono written as stereo": header(channels=2, block=2),
    "16 bits in 3 bytes": header(block=3),
    "24 bits in 2 bytes": header(bits=24, block=2),
    "32 bits in 2 bytes": header(bits=32, block=2),
    "32 bits in 8 bytes": header(bits=32, block=8),
    "8 bits in 2 bytes": header(bits=8, block=2),
    "no bits": header(bits=0, block=2),
    "20 bits in 4 bytes": header(bits=20, block=4),
    "float of 16 bits": header(tag=3),
    "float of 64 bits in 4 bytes": header(tag=3, bits=64, block=4),
    "float without a block": header(tag=3, bits=32, block=0),
    "A-law of 16 bits": header(tag=6, bits=16, block=1),
    "mu-law in 2 bytes": header(tag=7, bits=8, block=2),
    "17 bits in 2 bytes": header(bits=17, block=2),
    "17 valid bits of 16": extensible(valid_bits=17),
    "24 valid bits of 16": extensible(valid_bits=24),
    "12 bits, all 16 in use": header(bits=12),
    "12 valid bits, all 16 in use": extensible(valid_bits=12),
    "extensible": extensible(block=4),
    "extensible float": extensible(tag=3, block=4, bits=64, valid_bits=64),
}


@pytest.mark.parametrize("fit", [Fit(), Fit(channel=0, pad="repeat", resample=True)])
@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_format_that_contradicts_itself_is_refused(name: str, fit: Fit, file: Path) -> None:
    error, told, rate_hz, duration_s = read(riff(CONTRADICTIONS[name], DATA), file, fit)
    assert error is AudioCorruptError
    assert told.startswith("its header contradicts itself: ")
    assert told.count(". ") == 0
    assert (rate_hz, duration_s) == (RATE_HZ, None)


def test_the_contradiction_is_told_in_numbers(file: Path) -> None:
    told = read(riff(header(channels=2, block=2), DATA), file)[1]
    assert "16 bits and 2 channels are 4 bytes a sample, and it declares 2" in told


@pytest.mark.parametrize(
    "format_",
    [
        header(block=0),
        chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, RATE_HZ, 7, 2, 16)),
        extensible(valid_bits=0),
    ],
    ids=["block left out", "another byte rate", "no valid bits"],
)
def test_fields_that_nothing_depends_on_may_be_sloppy(format_: bytes, file: Path) -> None:
    np.testing.assert_array_equal(read(riff(format_, DATA), file), SOUND)


TWELVE_BITS = SOUND >> 4


@pytest.mark.parametrize("format_", [header(bits=12), extensible(valid_bits=12)], ids=["plain", "extensible"])
def test_12_bits_are_heard_where_they_lie_high_in_2_bytes_alone(format_: bytes, file: Path) -> None:
    high, low = (riff(format_, chunk(b"data", words.tobytes())) for words in (TWELVE_BITS << 4, TWELVE_BITS))
    np.testing.assert_array_equal(read(high, file), TWELVE_BITS << 4)
    told = read(low, file)[1]
    assert "of the 16 bits of a sample it declares 12 as valid, and the lowest 4 are in use" in told


def test_20_bits_are_heard_where_they_lie_high_in_4_bytes_alone(file: Path) -> None:
    format_ = extensible(block=4, bits=32, valid_bits=20)
    high, low = (riff(format_, chunk(b"data", in_four_bytes(DEEP << shift))) for shift in (12, 0))
    np.testing.assert_array_equal(read(high, file), (DEEP << 12) / np.float32(2**31))
    assert (
        "of the 32 bits of a sample it declares 20 as valid, and the lowest 12 are in use"
        in read(low, file)[1]
    )


def in_four_bytes(samples: npt.NDArray[np.int32]) -> bytes:
    """24-bit samples as ALSA's S24_LE has them: low in 4 bytes each."""
    return samples.astype("<i4").tobytes()


@pytest.mark.parametrize("top", ["sign", "zero"])
@pytest.mark.parametrize(
    "format_",
    [header(bits=24, block=4), extensible(bits=24, block=4, valid_bits=24)],
    ids=["plain", "extensible"],
)
def test_24_bits_low_in_4_bytes_are_heard_at_their_level(format_: bytes, top: str, file: Path) -> None:
    words = in_four_bytes(DEEP if top == "sign" else DEEP & 0xFF_FFFF)
    samples = read(riff(format_, chunk(b"data", words)), file)
    np.testing.assert_array_equal(samples, DEEP / np.float32(2**23))


def test_one_of_several_channels_in_4_bytes(file: Path) -> None:
    both = np.stack([DEEP, DEEP[::-1] // 3], axis=1)
    content = riff(header(channels=2, bits=24, block=8), chunk(b"data", in_four_bytes(both)))
    np.testing.assert_array_equal(read(content, file, Fit(channel=1)), both[:, 1] / np.float32(2**23))
    mean = (both / 2**23).mean(axis=1)
    np.testing.assert_allclose(read(content, file, Fit(channel="mean")), mean, rtol=1e-6)


def test_big_endian_samples_in_4_bytes(file: Path) -> None:
    fields = struct.pack(">HHIIHH", 1, 1, RATE_HZ, 4 * RATE_HZ, 4, 24)
    body = b"WAVEfmt " + struct.pack(">I", 16) + fields + b"data" + struct.pack(">I", 4 * N)
    content = b"RIFX" + struct.pack(">I", len(body) + 4 * N) + body + DEEP.astype(">i4").tobytes()
    np.testing.assert_array_equal(read(content, file), DEEP / np.float32(2**23))


UNTELLING = {
    "16 bits low in 4 bytes, or quiet ones high in them": in_four_bytes(SOUND.astype(np.int32) << 8),
    "24 bits high in 4 bytes": in_four_bytes(DEEP << 8),
    "floats": (SOUND / np.float32(32768)).astype("<f4").tobytes(),
    "packed": DEEP.astype("<i4").view(np.uint8).reshape(N, 4)[:, :3].tobytes() * 2,
    "silence": bytes(4 * N),
    "one value": in_four_bytes(np.full(N, -1, np.int32)),
    "a few samples": in_four_bytes(DEEP[:60]),
}


@pytest.mark.parametrize("name", UNTELLING)
def test_24_bits_in_4_bytes_are_refused_where_they_could_be_something_else(name: str, file: Path) -> None:
    content = riff(header(bits=24, block=4), chunk(b"data", UNTELLING[name]))
    error, told, rate_hz, _ = read(content, file, Fit(pad="repeat"))
    assert (error, rate_hz) == (AudioCorruptError, RATE_HZ)
    assert "24 bits and 1 channels are 3 bytes a sample, it declares 4" in told


# Sizes

OPEN_HEADERS = {
    "RIFF 0, data 0": (0, 0),
    "RIFF 8, data 0": (8, 0),
    "RIFF 36, data 0": (36, 0),
    "SoX": (0x7FFF_F024, 0x7FFF_F000),
    "arecord": (0x8000_0024, 0x8000_0000),
    "FFmpeg": (0xFFFF_FFFF, 0xFFFF_FFFF),
    "another": (0x7FFF_FFFF, 0x7FFF_FFDB),
}


@pytest.mark.parametrize("name", OPEN_HEADERS)
def test_sizes_that_were_never_written_are_told_alike(name: str, file: Path) -> None:
    riff_size, data_size = OPEN_HEADERS[name]
    content = riff(fmt_chunk(), chunk(b"data", PCM, data_size))
    told = read(content[:4] + struct.pack("<I", riff_size) + content[8:], file, Fit(pad="repeat"))
    assert told == (
        AudioCorruptError,
        "the size of its sound was never written, as a recorder that was stopped or a pipe leaves it, and "
        "4096 bytes of sound follow: whether they are all cannot be known; if they are, "
        "'sox --ignore-length OLD.wav NEW.wav' writes their size",
        RATE_HZ,
        0.128,
    )


def sparse_wav(path: Path, n_bytes: int, behind: bytes = b"", form: bytes = b"RIFF") -> None:
    """A file of `n_bytes` of sound, whose size is counted with 32 bits; zeros behind its start."""
    order = ">" if form == b"RIFX" else "<"
    fields = struct.pack(order + "HHIIHH", 1, 1, RATE_HZ, 2 * RATE_HZ, 2, 16)
    sizes = [struct.pack(order + "I", size % 2**32) for size in (36 + n_bytes, 16, n_bytes)]
    with path.open("wb") as file:
        file.write(form + sizes[0] + b"WAVEfmt " + sizes[1] + fields + b"data" + sizes[2])
        file.write(SOUND.astype(order + "i2").tobytes())
        file.truncate(44 + n_bytes)
        file.seek(0, io.SEEK_END)
        file.write(behind)


# three seconds of four hours, less than a clip, and an overflow for the second time
@pytest.mark.parametrize("n_bytes", [2**32 + 3 * 2 * RATE_HZ, 2**32 + 500, 2 * 2**32 + 2])
def test_a_size_that_overflowed_is_the_size_that_fits_the_file(n_bytes: int, file: Path) -> None:
    sparse_wav(file, n_bytes)
    np.testing.assert_array_equal(outcome(file), SOUND)
    with file.open("rb") as stream:
        np.testing.assert_array_equal(outcome(stream, Fit(pad="zero")), SOUND)


@pytest.mark.parametrize("case", [{"behind": b"LIST"}, {"form": b"RIFX"}])
def test_a_size_that_overflowed_and_fits_nothing_is_refused(case: dict[str, bytes], file: Path) -> None:
    sparse_wav(file, 2**32 + 500, **case)
    error, told, *_ = outcome(file, Fit(pad="zero"))
    assert error is AudioCorruptError
    assert "declares 500 bytes and 429496" in told
    assert "overflowed at 4 GiB" in told


def test_more_than_4_gib_are_read_as_rf64(file: Path) -> None:
    n_bytes = 2**32 + 6 * RATE_HZ
    with file.open("wb") as stream:
        ds64 = chunk(b"ds64", struct.pack("<QQQI", 72 + n_bytes, n_bytes, n_bytes // 2, 0))
        stream.write(riff(ds64, fmt_chunk(), b"data" + b"\xff" * 4 + PCM, form=b"RF64"))
        stream.truncate(80 + n_bytes)
    with file.open("rb") as stream:
        np.testing.assert_array_equal(outcome(stream), SOUND)
    np.testing.assert_array_equal(outcome(file), SOUND)


@pytest.mark.parametrize("form", [b"RF64", b"BW64"])
@pytest.mark.parametrize("size", [2**63 + len(PCM), 2**63 - 1, 2**64 - 2**13, 2**40, len(PCM) + 2])
def test_absurd_64_bit_sizes_are_told_alike_wherever_the_file_is(size: int, form: bytes, file: Path) -> None:
    ds64 = chunk(b"ds64", struct.pack("<QQQI", 2**64 - 9, size, 2**62, 0))
    content = riff(ds64, fmt_chunk(), b"data" + b"\xff" * 4 + PCM, form=form)
    error, told, rate_hz, duration_s = read(content, file)
    assert error is AudioCorruptError
    assert f"declares {size} bytes and 4096 are present" in told
    assert (rate_hz, duration_s) == (RATE_HZ, 0.128)


def test_a_size_in_both_places_may_be_the_same(file: Path) -> None:
    ds64 = chunk(b"ds64", struct.pack("<QQQI", 72 + len(PCM), len(PCM), N, 0))
    np.testing.assert_array_equal(read(riff(ds64, fmt_chunk(), DATA, form=b"RF64"), file), SOUND)


# Chunks and tags


@pytest.mark.parametrize("form", [b"RIFF", b"RF64"])
@pytest.mark.parametrize("is_padded", [True, False])
def test_the_padding_byte_of_an_odd_chunk_may_be_missing(is_padded: bool, form: bytes, file: Path) -> None:
    texts = chunk(b"LIST", b"INFOICMT\5\0\0\0hello")
    content = riff(fmt_chunk(), texts if is_padded else texts[:-1], DATA, form=form)
    np.testing.assert_array_equal(read(content, file), SOUND)


def id3_tag(n_bytes: int, footer: bool = False) -> bytes:
    """An ID3v2 tag whose content has this size."""
    size = bytes(n_bytes >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\4\0" + (b"\x10" if footer else b"\0") + size + bytes(n_bytes + (10 if footer else 0))


TAGS = {
    "20 bytes": id3_tag(10),
    "empty": id3_tag(0),
    "large": id3_tag(100_001),
    "with a footer": id3_tag(300, footer=True),
    "two": id3_tag(5) + id3_tag(77),
}


@pytest.mark.parametrize("kind", ["WAV", "RF64", "FLAC", "AIFF"])
@pytest.mark.parametrize("name", TAGS)
def test_all_samples_behind_a_tag_are_read(name: str, kind: str, file: Path) -> None:
    np.testing.assert_array_equal(read(TAGS[name] + encoded(SOUND, kind=kind), file), SOUND)


@pytest.mark.parametrize("kind", ["WAV", "RF64", "FLAC"])
def test_a_recording_cut_short_behind_a_tag_is_told_as_without(kind: str, file: Path) -> None:
    cut = encoded(SOUND, kind=kind)[:-2]
    without = read(cut, file)
    assert without[0] is AudioCorruptError
    assert read(TAGS["20 bytes"] + cut, file) == without


@pytest.mark.parametrize("content", [id3_tag(50), id3_tag(50)[:30], id3_tag(10) + b"text", b"ID3"])
def test_a_tag_alone_is_no_recording(content: bytes, file: Path) -> None:
    assert "no audio file of a format" in read(content, file)[1]


def test_what_stands_behind_the_recording_is_not_heard(file: Path) -> None:
    short = riff(fmt_chunk(), chunk(b"data", PCM[:-2]))
    assert "expected at least 0.128 s" in read(short + PCM[:-4], file)[1]


# The same as they came


def test_the_collected_cases(shared: Path) -> None:
    cases = shared / "cases"
    sound = read_clip(cases / "id3_first.wav", clip=CLIP).samples
    assert np.abs(osscl.read_audio(cases / "id3_first.wav", pad="zero")).max() == pytest.approx(0.27456665)
    assert np.flatnonzero(sound).max() == 2047
    np.testing.assert_array_equal(read_clip(cases / "odd_list_unpadded.wav", clip=CLIP).samples, sound)
    assert outcome(cases / "s24le_align4_loud.wav")[1].startswith("its header contradicts itself")
    unclosed = ("unclosed_riff0_data0", "unclosed_riff8_data0", "pipe_sox")
    told = {outcome(cases / f"{name}.wav") for name in unclosed}
    assert len(told) == 1
    assert "4096 bytes of sound follow" in told.pop()[1]
    assert read_clip(cases / "dc_37.wav", Fit(pad="zero")).silence == "all samples are 37"
