"""No bytes make a difference between the native WAV reader and libsndfile."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osscl.audio.reading import Fit
from support.audio_files import (
    chunk,
    encoded,
    fmt_chunk,
    noise,
    riff,
)
from support.wav_files import (
    BROADCAST,
    DATA,
    OPEN_DATA,
    PCM,
    SUBTYPES,
    TEXTS,
    N,
    decoder_outcome,
    extensible,
    outcome,
    rf64,
)


@pytest.fixture(scope="module", name="scratch")
def scratch_file() -> Iterator[Path]:
    """Where the examples of a generating test put their files, one after another."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "x.wav"


SEEDS = [
    riff(fmt_chunk(), DATA),
    riff(extensible(n_channels=2), chunk(b"JUNK", bytes(5)), chunk(b"data", PCM * 2)),
    riff(BROADCAST[:8], fmt_chunk(), TEXTS, DATA, TEXTS),
    riff(chunk(b"JUNK", bytes(28)), fmt_chunk(), chunk(b"fact", bytes(4)), TEXTS, DATA, chunk(b"iXML", b"a")),
    rf64(fmt_chunk(), chunk(b"JUNK", bytes(4)), OPEN_DATA),
    *(encoded(noise(N) / 32768, subtype=subtype) for subtype in SUBTYPES),
    encoded(noise(N, n_channels=2) / 32768, subtype="FLOAT", kind="WAVEX"),
]
PASSED_OVER = (b"JUNK", b"junk", b"PAD ", b"FLLR", b"bext", b"iXML", b"id3 ", b"ID3 ")
NAMES = (b"fmt ", b"data", b"ds64", b"LIST", b"INFO", b"fact", b"PEAK", b"cue ", b"smpl", b"abcd", bytes(4))
LARGE_SIZES = st.sampled_from([2 * N, 2**31, 0xFFFF_0000, 0xFFFF_FFFE, 0xFFFF_FFFF])
SIZES = st.one_of([st.none()] * 4) | st.integers(0, 70) | LARGE_SIZES
TEXT_LISTS = st.builds(
    lambda chunks: chunk(b"LIST", b"INFO" + b"".join(chunks)),
    st.lists(st.builds(chunk, st.sampled_from([b"ISFT", b"ICMT", b"IABC"]), st.binary(max_size=9), SIZES)),
)
CHUNKS = st.one_of(
    st.sampled_from([TEXTS, BROADCAST, chunk(b"fact", bytes(4)), chunk(b"PEAK", bytes(16))]),
    st.sampled_from([fmt_chunk(), DATA, OPEN_DATA, extensible(), fmt_chunk(8_000)]),
    st.sampled_from([chunk(name, bytes(size)) for name in PASSED_OVER for size in (0, 1, 5, 8, 44)]),
    st.builds(chunk, st.sampled_from([*NAMES, *PASSED_OVER]), st.binary(max_size=40), SIZES),
    TEXT_LISTS,
)
FILES_OF_CHUNKS = st.builds(
    lambda before, between, after, tail, build: (
        build(*before, fmt_chunk(), *between, OPEN_DATA if build is rf64 else DATA, *after) + tail
    ),
    st.lists(CHUNKS, max_size=2),
    st.lists(CHUNKS, max_size=2),
    st.lists(CHUNKS, max_size=3),
    st.binary(max_size=9),
    st.sampled_from([riff, riff, rf64]),
)


@st.composite
def mutated_files(draw: st.DrawFn) -> bytes:
    """A sound file with bytes changed, removed or put in, most of them in its header, or cut short."""
    content = bytearray(draw(st.sampled_from(SEEDS)))
    places = st.integers(0, 110) | st.integers(0, len(content) - 1)
    for at in draw(st.lists(places, max_size=4)):
        start = at % len(content)
        n_removed = draw(st.sampled_from([1, 1, 1, 0, 2, 4]))
        n_new = n_removed if n_removed == 1 else draw(st.integers(0, 4))
        content[start : start + n_removed] = draw(st.binary(min_size=n_new, max_size=n_new))
    is_cut = draw(st.sampled_from([False, False, False, True]))
    return bytes(content[: draw(st.integers(1, len(content)))] if is_cut else content)


@settings(max_examples=1000)
@given(
    mutated_files() | FILES_OF_CHUNKS,
    st.sampled_from([Fit(), Fit(channel=0), Fit(channel=1), Fit(channel="mean", pad="zero")]),
)
def test_no_bytes_make_a_difference_between_the_readers(scratch: Path, content: bytes, fit: Fit) -> None:
    scratch.write_bytes(content)
    assert outcome(scratch, fit) == decoder_outcome(scratch, fit)
