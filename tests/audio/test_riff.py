"""The walk over WAV chunks: what it finds, what it refuses, and that no header can lead it astray."""

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osscl.audio.riff import DataChunk, find_data_chunk
from osscl.errors import AudioCorruptError
from support.audio_files import chunk, encoded, fmt_chunk, noise, riff

PCM = noise(500).tobytes()
MOST_BYTES_READ = 12 + 1024 * (8 + 16)


class CountingStream(io.BytesIO):
    """Counts the bytes that were asked for."""

    n_asked = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Read as usual."""
        self.n_asked += len(self.getbuffer()) if size is None or size < 0 else size
        return super().read(size)


def find(content: bytes) -> DataChunk | None:
    return find_data_chunk(io.BytesIO(content))


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
    assert found == DataChunk(declared_bytes=1000, present_bytes=1000)
    found.check_complete()


@pytest.mark.parametrize("content", [b"", b"RIFF", b"fLaC" + bytes(50), riff()[:8] + b"AVI " + bytes(50)])
def test_what_is_no_wav_file_is_left_to_the_decoder(content: bytes) -> None:
    assert find(content) is None


@pytest.mark.parametrize("n_missing", [1, 2, 999, 1000])
@pytest.mark.parametrize("kind", ["WAV", "RF64"])
def test_missing_bytes_are_counted(kind: str, n_missing: int) -> None:
    found = find(encoded(noise(500), kind=kind)[:-n_missing])
    assert found == DataChunk(1000, 1000 - n_missing)
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
        riff(fmt_chunk(), chunk(b"data", PCM, 0xFFFF_FFFF)),
        riff(fmt_chunk(), chunk(b"data", PCM, 0xFFFF_FFFF), form=b"RF64"),
        rf64_declaring(0xFFFF_FFFF_FFFF_FFFF),
    ],
    ids=["RIFF", "RF64 without ds64", "RF64"],
)
def test_an_open_size_is_refused_with_advice(content: bytes) -> None:
    found = find(content)
    assert found == DataChunk(None, 1000)
    with pytest.raises(AudioCorruptError, match=r"declares no size.*rewrite the file"):
        found.check_complete()


def test_a_64_bit_size_is_believed_only_as_far_as_the_file_goes() -> None:
    assert find(rf64_declaring(2**40)) == DataChunk(2**40, 1000)


@pytest.mark.parametrize(
    "content",
    [
        riff(),
        riff(fmt_chunk()),
        riff(fmt_chunk(), chunk(b"LIST", b"", 0xFFFF_FFFE), chunk(b"data", PCM)),
        riff(fmt_chunk(), b"data\x10"),
        riff(chunk(b"ds64", bytes(3), 28), form=b"RF64"),
    ],
    ids=["no chunk", "no data chunk", "a chunk beyond the end", "half a chunk header", "half a ds64"],
)
def test_a_header_without_sound_is_refused(content: bytes) -> None:
    with pytest.raises(AudioCorruptError, match="without a data chunk"):
        find(content)


def test_endless_chunks_end_the_walk() -> None:
    stream = CountingStream(riff(*[chunk(b"junk", b"")] * 100_000, chunk(b"data", PCM)))
    with pytest.raises(AudioCorruptError, match="first 1024 chunks hold no samples"):
        find_data_chunk(stream)
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
        found = find_data_chunk(stream)
        if found is not None:
            assert 0 <= found.present_bytes <= len(content)
            assert found.declared_bytes is None or found.present_bytes <= found.declared_bytes
            found.check_complete()
    except AudioCorruptError as error:
        assert str(error)  # noqa: PT017 - no error is as good an answer
    assert stream.n_asked <= MOST_BYTES_READ
