"""The walk over WAV chunks: what it finds, what it refuses, and that no header can lead it astray."""

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osscl.audio.riff import DataChunk, find_chunks
from osscl.errors import AudioCorruptError
from support.audio_files import chunk, encoded, fmt_chunk, noise, riff

PCM = noise(500).tobytes()
# SoX, arecord, FFmpeg, and a recorder that lost power
OPEN_SIZES = (0x7FFF_F000, 0x7FFF_FFDB, 0x8000_0000, 0xFFFF_FFFF, 0)
MOST_BYTES_READ = 12 + 1024 * (8 + 16)


class CountingStream(io.BytesIO):
    """Counts the bytes that were asked for."""

    n_asked = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Read as usual."""
        self.n_asked += len(self.getbuffer()) if size is None or size < 0 else size
        return super().read(size)


def find(content: bytes) -> DataChunk | None:
    """The chunk of the samples, whose position is looked at apart."""
    found = find_chunks(io.BytesIO(content))
    if found is None:
        return None
    data = found.data
    return DataChunk(0, data.declared_bytes, data.present_bytes)


def sound_of(content: bytes) -> bytes:
    """The 500 samples that a file must have."""
    return noise(500).astype(">i2" if content[:4] == b"RIFX" else "<i2").tobytes()


@pytest.mark.parametrize(
    "content",
    [
        encoded(noise(500)),
        encoded(noise(500), kind="WAVEX"),
        encoded(noise(500), kind="RF64"),
        b"BW64" + encoded(noise(500), kind="RF64")[4:],
        encoded(noise(500), endian="BIG"),
        encoded(noise(500)) + b"junk after the end",
        riff(fmt_chunk(), chunk(b"LIST", b"INFOodd"), chunk(b"data", PCM)),
        riff(chunk(b"JUNK", bytes(28)), fmt_chunk(), chunk(b"data", PCM), chunk(b"LIST", b"INFO")),
        riff(fmt_chunk(), chunk(b"data", PCM))[:4] + bytes(4) + riff(fmt_chunk(), chunk(b"data", PCM))[8:],
    ],
    ids=[
        "RIFF",
        "extensible",
        "RF64",
        "BW64",
        "RIFX",
        "junk at the end",
        "odd LIST",
        "LIST behind",
        "RIFF size 0",
    ],
)
def test_complete_files_pass(content: bytes) -> None:
    found = find(content)
    assert found == DataChunk(0, declared_bytes=1000, present_bytes=1000)
    found.check_complete()
    for tag in (b"", bytes(33)):
        chunks = find_chunks(io.BytesIO(tag + content), len(tag))
        assert chunks is not None
        offset = chunks.data.offset
        assert (tag + content)[offset : offset + 1000] == sound_of(content)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"fLaC" + bytes(50), riff()[:8] + b"AVI " + bytes(50)])
def test_what_is_no_wav_file_is_left_to_the_decoder(content: bytes) -> None:
    assert find(content) is None


@pytest.mark.parametrize("n_missing", [1, 2, 999, 1000])
@pytest.mark.parametrize("kind", ["WAV", "RF64"])
def test_missing_bytes_are_counted(kind: str, n_missing: int) -> None:
    found = find(encoded(noise(500), kind=kind)[:-n_missing])
    assert found == DataChunk(0, 1000, 1000 - n_missing)
    with pytest.raises(AudioCorruptError, match=f"declares 1000 bytes and {1000 - n_missing} are present"):
        found.check_complete()


def rf64_declaring(size: int) -> bytes:
    """An RF64 file of 1000 bytes of sound whose 64-bit header declares `size`."""
    content = encoded(noise(500), kind="RF64")
    at = content.index(b"ds64") + 16
    return content[:at] + struct.pack("<Q", size) + content[at + 8 :]


@pytest.mark.parametrize(
    "content",
    [
        *(riff(fmt_chunk(), chunk(b"data", PCM, size)) for size in OPEN_SIZES),
        riff(fmt_chunk(), chunk(b"data", PCM, 0xFFFF_FFFF), form=b"RF64"),
        rf64_declaring(0xFFFF_FFFF_FFFF_FFFF),
        rf64_declaring(0),
        riff(fmt_chunk(), chunk(b"data", bytes(1000), 0)),
    ],
    ids=[*map(hex, OPEN_SIZES), "RF64 without ds64", "RF64", "RF64 of size 0", "zeros behind size 0"],
)
def test_an_open_size_is_refused_with_advice(content: bytes) -> None:
    found = find(content)
    assert found == DataChunk(0, None, 1000)
    with pytest.raises(
        AudioCorruptError, match=r"never written.* 1000 bytes of sound follow.*sox --ignore-length"
    ):
        found.check_complete()


MINUTES = noise(160_000).tobytes()
# a recorder's header that was brought up to date once and never again; sound follows that nothing counts
UNCOUNTED = {
    "RIFF 8, data 8": (
        riff()[:4] + struct.pack("<I", 8) + riff(fmt_chunk(), chunk(b"data", MINUTES, 8))[8:],
        8,
    ),
    **{f"data {size}": (riff(fmt_chunk(), chunk(b"data", MINUTES, size)), size) for size in (1, 2, 8, 1000)},
    "RF64": (rf64_declaring(1000) + MINUTES, 1000),
    "data 8 of zeros": (riff(fmt_chunk(), chunk(b"data", bytes(4000), 8)), 8),
    "behind a chunk": (riff(fmt_chunk(), chunk(b"data", PCM), chunk(b"LIST", b"INFO"), MINUTES), 1000),
}


@pytest.mark.parametrize("name", UNCOUNTED)
def test_more_sound_than_is_declared_is_refused(name: str) -> None:
    content, declared = UNCOUNTED[name]
    told = f"contradicts itself: its data chunk declares {declared} bytes of sound, and [0-9]+ bytes that are"
    with pytest.raises(AudioCorruptError, match=told):
        find(content)


@pytest.mark.parametrize(
    "behind",
    [
        noise(500)[:166].tobytes() + b"!",
        chunk(b"LIST", bytes(5000)),
        chunk(b"abcd", bytes(5000)),
        chunk(b"LIST", bytes(5000), 9000),
    ],
    ids=["333 bytes of garbage", "a long chunk", "a long foreign chunk", "a long chunk that is cut short"],
)
def test_what_stands_behind_a_whole_recording_is_no_sound(behind: bytes) -> None:
    assert find(riff(fmt_chunk(), chunk(b"data", PCM), behind)) == DataChunk(0, 1000, 1000)


def test_a_chunk_behind_sound_of_odd_size_without_padding_is_a_chunk() -> None:
    content = riff(fmt_chunk(), chunk(b"data", PCM[:101])[:-1], chunk(b"LIST", bytes(5000)))
    assert find(content) == DataChunk(0, 101, 101)


def test_a_64_bit_size_is_believed_only_as_far_as_the_file_goes() -> None:
    assert find(rf64_declaring(2**40)) == DataChunk(0, 2**40, 1000)


@pytest.mark.parametrize(
    "content",
    [riff(), riff(fmt_chunk()), riff(fmt_chunk(), b"data\x10")],
    ids=["no chunk", "no data chunk", "half a chunk header"],
)
def test_a_header_without_sound_is_refused(content: bytes) -> None:
    with pytest.raises(AudioCorruptError, match="without a data chunk: no sound follows"):
        find(content)


@pytest.mark.parametrize(
    ("content", "name", "declared", "left"),
    [
        (riff(fmt_chunk(), chunk(b"LIST", b"", 2**32 - 2), chunk(b"data", PCM)), "LIST", 2**32 - 2, 1008),
        (riff(chunk(b"ds64", bytes(3), 28), form=b"RF64"), "ds64", 28, 4),
    ],
    ids=["a chunk beyond the end", "half a ds64"],
)
def test_a_chunk_beyond_the_end_is_named(content: bytes, name: str, declared: int, left: int) -> None:
    told = f"holds no data chunk: its chunk b'{name}' declares {declared} bytes and {left} follow"
    with pytest.raises(AudioCorruptError, match=told):
        find(content)


@pytest.mark.parametrize("behind", [chunk(b"LIST", b"INFO"), chunk(b"id3 ", bytes(5)), b""])
def test_an_empty_recording_that_was_closed_is_empty(behind: bytes) -> None:
    assert find(riff(fmt_chunk(), chunk(b"data", b""), behind)) == DataChunk(0, 0, 0)


@pytest.mark.parametrize("name", [b"LIST", b"JUNK", b"abcd"])
@pytest.mark.parametrize("n_bytes", [1, 17])
@pytest.mark.parametrize("form", [b"RIFF", b"RF64"])
def test_a_padding_byte_may_be_there_or_left_out(name: bytes, n_bytes: int, form: bytes) -> None:
    odd = chunk(name, b"x" * n_bytes)
    for size in (len(PCM), 0x120):  # the second begins with a byte that could be a letter of a name
        data = chunk(b"data", PCM[:size])
        for content in (
            riff(fmt_chunk(), odd, data, form=form),
            riff(fmt_chunk(), odd[:-1], data, form=form),
        ):
            assert find(content) == DataChunk(0, size, size)


TWO_SIZES = chunk(b"ds64", struct.pack("<QQQI", 0, 500, 250, 0))
TWICE = {
    "two data chunks": (riff(fmt_chunk(), chunk(b"data", PCM), chunk(b"data", PCM[:100])), "two data chunks"),
    "two formats": (
        riff(fmt_chunk(), fmt_chunk(8_000), chunk(b"data", PCM)),
        "two format chunks that differ",
    ),
    "a late format": (riff(fmt_chunk(), chunk(b"data", PCM), fmt_chunk(8_000)), "two format chunks"),
    "two sizes": (
        riff(TWO_SIZES, fmt_chunk(), chunk(b"data", PCM), form=b"RF64"),
        "declares 1000 bytes of sound, and 500",
    ),
}


@pytest.mark.parametrize("name", TWICE)
def test_what_is_said_twice_must_be_the_same(name: str) -> None:
    content, told = TWICE[name]
    with pytest.raises(AudioCorruptError, match=f"contradicts itself: .*{told}"):
        find(content)


def test_the_same_format_twice_is_no_contradiction() -> None:
    content = riff(fmt_chunk(), fmt_chunk(), chunk(b"data", PCM), fmt_chunk())
    assert find(content) == DataChunk(0, 1000, 1000)


def test_samples_before_their_format_are_refused() -> None:
    with pytest.raises(AudioCorruptError, match="no format chunk stands before its samples"):
        find(riff(chunk(b"data", PCM), fmt_chunk()))


def test_endless_chunks_end_the_walk() -> None:
    stream = CountingStream(riff(*[chunk(b"junk", b"")] * 100_000, chunk(b"data", PCM)))
    with pytest.raises(AudioCorruptError, match="first 1024 chunks hold no samples"):
        find_chunks(stream)
    assert stream.n_asked <= MOST_BYTES_READ


CHUNK_NAMES = st.sampled_from([b"fmt ", b"data", b"ds64", b"LIST", b"fact", b"\0\0\0\0"])
SIZES = st.none() | st.integers(0, 0xFFFF_FFFF) | st.sampled_from([0, 1, 15, 16, 0xFFFF_FFFF])
CHUNKS = st.builds(chunk, CHUNK_NAMES, st.binary(max_size=40), SIZES)
FORMS = st.sampled_from([b"RIFF", b"RIFX", b"RF64", b"BW64", b"FFIR"])
STRUCTURED = st.builds(lambda form, chunks: riff(*chunks, form=form), FORMS, st.lists(CHUNKS, max_size=6))
ANY_WAV = (
    STRUCTURED
    | st.binary(max_size=80)
    | st.builds(lambda form, tail: riff(tail, form=form), FORMS, st.binary())
)


@given(ANY_WAV)
def test_any_bytes_give_a_true_answer_or_a_clear_error(content: bytes) -> None:
    stream = CountingStream(content)
    try:
        found = find_chunks(stream)
        if found is not None:
            data = found.data
            assert 0 <= data.offset <= data.offset + data.present_bytes <= len(content)
            assert data.declared_bytes is None or data.present_bytes <= data.declared_bytes
            data.check_complete()
    except AudioCorruptError as error:
        assert str(error)  # noqa: PT017 - no error is as good an answer
    assert stream.n_asked <= MOST_BYTES_READ
