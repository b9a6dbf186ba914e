"""Wave64: how much sound its header declares, whatever stands before it."""

import struct

import numpy as np
import pytest

from osscl.audio.bytestream import open_source
from osscl.audio.reading import read_clip
from osscl.audio.w64 import find_w64_data
from osscl.errors import AudioCorruptError
from support.audio_files import encoded, noise, open_w64

W64 = encoded(noise(), kind="W64")
AT = W64.index(b"data\xf3\xac")
HEADER = AT + 24
FOREIGN = b"junk" + bytes(12)


def with_chunk(size: int, content: bytes = b"") -> bytes:
    """The file with a chunk of that declared size before its samples."""
    return W64[:AT] + FOREIGN + struct.pack("<Q", size) + content + W64[AT:]


def declared(content: bytes) -> tuple[int, int | None, int] | None:
    """Where the samples are, how many bytes are declared, and how many are there."""
    with open_source(content) as stream:
        data = find_w64_data(stream)
    return None if data is None else (data.offset, data.declared_bytes, data.present_bytes)


def test_samples_are_found_behind_other_chunks() -> None:
    assert declared(W64) == (HEADER, 320_000, 320_000)
    assert declared(with_chunk(24 + 5, bytes(8))) == (HEADER + 32, 320_000, 320_000)  # filled up to 8 bytes
    np.testing.assert_array_equal(read_clip(with_chunk(24 + 5, bytes(8))).samples, noise())


def test_bytes_that_are_missing_are_told() -> None:
    longer = encoded(np.tile(noise(), 2), kind="W64")
    assert declared(longer[:-2]) == (HEADER, 640_000, 639_998)
    with pytest.raises(AudioCorruptError, match="declares 640000 bytes and 639998 are present"):
        read_clip(longer[:-2])  # although the ten seconds that are asked for are there


@pytest.mark.parametrize("size", [0, 24, 2**62 + 24, 2**63 - 1, 2**64 - 1])
def test_a_size_that_was_never_written_is_told(size: int) -> None:
    assert declared(open_w64(W64, size)) == (HEADER, None, 320_000)
    with pytest.raises(AudioCorruptError, match="was never written"):
        read_clip(open_w64(W64, size))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        W64[:40],
        W64[: AT + 23],
        with_chunk(23),  # less than its own header: it would be met for ever
        with_chunk(2**64 - 1),
        encoded(noise(10)),
        encoded(noise(10), kind="RF64"),
    ],
    ids=["nothing", "no chunk", "half a header", "a chunk of no size", "an endless chunk", "WAV", "RF64"],
)
def test_what_has_no_samples_is_left_to_the_decoder(content: bytes) -> None:
    assert declared(content) is None
