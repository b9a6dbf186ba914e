"""Spelling of file names: no two names alike, whatever bytes they are made of."""

import os

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from osscl.support.paths import path_of, printable

# what escapes are made of, more often than chance would have it
PIECES = st.sampled_from(
    [b"\\", b"x", b"\\x", b"5c", b"ff", b"\xff", b"\xc3\xa9", b"\xc3", b"a", b"\\xff", b"\n", b"0a"]
)
NAMES = st.lists(PIECES | st.binary(min_size=1, max_size=2)).map(b"".join)


@given(NAMES)
@example(rb"a\xff")
@example(b"a\xff")
@example(rb"a\x5cxff")
@example(b"\\\xff")
def test_a_name_can_be_told_from_its_spelling(name: bytes) -> None:
    spelled = printable(os.fsdecode(name))
    spelled.encode("utf-8")
    assert os.fsencode(path_of(spelled)) == name
    assert os.fsencode(path_of(os.fsdecode(name))) == name or b"\\x" in name


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        (b"caf\xc3\xa9.wav", "café.wav"),
        (b"caf\xe9.wav", r"caf\xe9.wav"),
        (rb"caf\xe9.wav", r"caf\x5cxe9.wav"),
        (b"a\nb.wav", r"a\x0ab.wav"),
        (rb"a\x0ab.wav", r"a\x5cx0ab.wav"),
        (rb"a\b.wav", r"a\b.wav"),
        (rb"a\x41.wav", r"a\x41.wav"),
        (rb"a\xFF.wav", r"a\xFF.wav"),
    ],
)
def test_only_what_could_be_mistaken_is_escaped(name: bytes, spelled: str) -> None:
    assert printable(os.fsdecode(name)) == spelled
