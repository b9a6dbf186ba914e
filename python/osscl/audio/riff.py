"""Walk over the chunks of a WAV file, trusting no size that its header declares.

Decoders guess where a header is wrong, and say nothing of it: they return what is there of a file
that was cut short, a few seconds of one whose size has overflowed, nothing of one that was never
closed. Here the sound is found, or the sentence that says why it cannot be.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from osscl.errors import AudioCorruptError

_MAX_CHUNKS = 1024
_CHUNK_HEADER_BYTES = 8
_MAX_BYTES_KEPT = 1024  # of a chunk; no format chunk that a decoder knows is longer
_UNKNOWN_SIZE = 0xFFFF_FFFF
_OVERFLOW = 2**32
_BYTE_ORDER = {b"RIFF": "<", b"RIFX": ">", b"RF64": "<", b"BW64": "<"}
_KNOWN_NAMES = frozenset(
    b"fmt |data|fact|ds64|LIST|PEAK|JUNK|junk|PAD |FLLR|bext|iXML|id3 |ID3 |cue |smpl|inst|cart|DISP|axml|"
    b"chna|afsp".split(b"|")
)
# What writers declare that do not know the size yet (SoX, arecord, FFmpeg): such a number or a little more.
_OPEN_SIZES = (0x7FFF_F000, 0x8000_0000, 0xFFFF_F000, 0xFFFF_FFFF_FFFF_F000)
_OPEN_SIZES_SPAN = 0x1000


class SeekableStream(Protocol):
    """What the walk needs of a file."""

    def read(self, n_bytes: int, /) -> bytes:
        """Read up to `n_bytes` bytes; fewer only at the end."""

    def seek(self, offset: int, whence: int = ..., /) -> int:
        """Move to a position and give it, counted from the start."""


@dataclass(frozen=True, slots=True)
class DataChunk:
    """The chunk of a WAV file that holds its samples.

    Attributes
    ----------
    offset : int
        Position of its first sample in the file.
    declared_bytes : int or None
        Size of the samples according to the header; None where the header leaves it open.
    present_bytes : int
        How many of them the file really holds.
    """

    offset: int
    declared_bytes: int | None
    present_bytes: int

    def check_complete(self) -> None:
        """Refuse a file that holds fewer bytes of sound than it declares.

        Raises
        ------
        AudioCorruptError
            If bytes are missing, or the header does not say how many there should be.
        """
        if self.declared_bytes is None:
            raise AudioCorruptError(
                "the size of its sound was never written, as a recorder that was stopped or a pipe leaves "
                f"it, and {self.present_bytes} bytes of sound follow: whether they are all cannot be known; "
                "if they are, 'sox --ignore-length OLD.wav NEW.wav' writes their size"
            )
        if self.declared_bytes > self.present_bytes:
            raise AudioCorruptError(
                f"its data chunk declares {self.declared_bytes} bytes and {self.present_bytes} are present: "
                "the file is cut short; copy or record it again"
            )


@dataclass(frozen=True, slots=True)
class WavChunks:
    """What a decoder needs of a WAV file.

    Attributes
    ----------
    byte_order : {"<", ">"}
        Of the header and of the samples.
    format : bytes
        Body of the format chunk.
    fact : bytes or None
        Body of the chunk that counts the samples of a compressed file, if there is one.
    data : DataChunk
        Where the samples lie.
    """

    byte_order: str
    format: bytes
    fact: bytes | None
    data: DataChunk


class _Chunk(NamedTuple):
    name: bytes
    declared: int
    body: int  # position of its first byte behind the header
    left: int  # bytes of the file from there on


def find_chunks(stream: SeekableStream, start: int = 0) -> WavChunks | None:
    """Find format and samples of a WAV file (RIFF, RIFX, RF64 or BW64).

    Reads headers of chunks and little more, at most 1,024 of them, whatever sizes they declare.

    Parameters
    ----------
    stream : binary file object
        Seekable; left at any position.
    start : int
        Where in it the WAV file begins.

    Returns
    -------
    WavChunks or None
        None if the stream holds no WAV file.

    Raises
    ------
    AudioCorruptError
        If a WAV file has no data chunk, no format chunk before it, two of one kind, sizes that have
        overflowed, or more behind its samples that is no chunk than there are samples.

    References
    ----------
    Microsoft and IBM, "Multimedia Programming Interface and Data Specifications 1.0", 1991;
    EBU Tech 3306 (RF64); ITU-R BS.2088 (BW64).
    """
    n_bytes = stream.seek(0, 2)
    stream.seek(start)
    head = stream.read(12)
    byte_order = _BYTE_ORDER.get(head[:4])
    if byte_order is None or head[8:] != b"WAVE":
        return None
    return _Walk(stream, n_bytes, byte_order).run(start + len(head))


class _Walk:
    def __init__(self, stream: SeekableStream, n_bytes: int, byte_order: str) -> None:
        self._stream = stream
        self._n_bytes = n_bytes
        self._byte_order = byte_order
        self._kept: dict[bytes, bytes] = {}

    def run(self, position: int) -> WavChunks:
        n_chunks, last = 0, None
        for last in self._chunks(position):
            n_chunks += 1
            if last.name == b"data":
                return self._found(last)
            self._keep(last)
        if n_chunks == _MAX_CHUNKS:
            raise AudioCorruptError(
                f"its first {_MAX_CHUNKS} chunks hold no samples: the WAV header is damaged"
            )
        if last and last.declared > last.left:
            raise AudioCorruptError(
                f"it holds no data chunk: its chunk {last.name!r} declares {last.declared} bytes and "
                f"{last.left} follow; its header is damaged, or it was cut short before its sound"
            )
        raise AudioCorruptError("it is a WAV header without a data chunk: no sound follows")

    def _found(self, chunk: _Chunk) -> WavChunks:
        if b"fmt " not in self._kept:
            raise AudioCorruptError("no format chunk stands before its samples: the WAV header is damaged")
        data = self._data_chunk(chunk)
        self._check_rest(data)
        return WavChunks(self._byte_order, self._kept[b"fmt "], self._kept.get(b"fact"), data)

    def _chunks(self, position: int) -> Iterator[_Chunk]:
        """Go from chunk to chunk, as far as the file holds their headers."""
        for _ in range(_MAX_CHUNKS):
            header = self._read(position, _CHUNK_HEADER_BYTES)
            if len(header) < _CHUNK_HEADER_BYTES:
                return
            name, size = struct.unpack(self._byte_order + "4sI", header)
            position += _CHUNK_HEADER_BYTES
            yield _Chunk(name, size, position, self._n_bytes - position)
            position = self._behind(position, size)

    def _behind(self, body: int, size: int) -> int:
        """Where the next chunk begins: an odd one is padded by a byte, in whose place a name may stand."""
        end = body + size  # some writers forget the padding
        return end + (size % 2 and self._read(end, 4) not in _KNOWN_NAMES)

    def _read(self, position: int, n_bytes: int) -> bytes:
        if position >= self._n_bytes:
            return b""
        self._stream.seek(position)
        return self._stream.read(n_bytes)

    def _keep(self, chunk: _Chunk) -> None:
        if chunk.name not in (b"fmt ", b"fact", b"ds64"):
            return
        body = self._read(chunk.body, min(chunk.declared, _MAX_BYTES_KEPT))
        if self._kept.setdefault(chunk.name, body) != body and chunk.name == b"fmt ":
            raise AudioCorruptError(
                "its header contradicts itself: it has two format chunks that differ; "
                "record or convert it again"
            )

    def _data_chunk(self, chunk: _Chunk) -> DataChunk:
        size = self._data_bytes(chunk)
        if size is None or (size == 0 and self._is_sound(chunk)) or (size > chunk.left and _is_open(size)):
            return DataChunk(chunk.body, None, chunk.left)
        if size == chunk.declared and chunk.left - size >= _OVERFLOW:
            size = self._before_overflow(chunk)
        return DataChunk(chunk.body, size, min(size, chunk.left))

    def _data_bytes(self, chunk: _Chunk) -> int | None:
        """Bytes of sound as the header declares them; None where it leaves them open."""
        ds64 = self._kept.get(b"ds64", b"")
        in_ds64 = int.from_bytes(ds64[8:16], "little") if len(ds64) >= 16 else None
        if chunk.declared == _UNKNOWN_SIZE:
            return in_ds64
        if in_ds64 and in_ds64 != chunk.declared:
            raise AudioCorruptError(
                f"its header contradicts itself: it declares {chunk.declared} bytes of sound, and {in_ds64} "
                "in its 64-bit sizes; record or convert it again"
            )
        return chunk.declared

    def _is_sound(self, empty: _Chunk) -> bool:
        """Whether what follows an empty data chunk is something else than another chunk."""
        following = next(self._chunks(empty.body), None)
        return empty.left > 0 and not (following and _is_plausible(following))

    def _before_overflow(self, chunk: _Chunk) -> int:
        """Size of sound that was counted with 32 bits and does not fit into them."""
        n_too_many = (chunk.left - chunk.declared) % _OVERFLOW
        if self._byte_order == "<" and n_too_many <= chunk.declared % 2:  # to the very byte: no coincidence
            return chunk.left - n_too_many
        raise AudioCorruptError(
            f"its data chunk declares {chunk.declared} bytes and {chunk.left} follow: its size has "
            "overflowed at 4 GiB, and where its sound ends cannot be known; record or convert it as RF64 or "
            "FLAC"
        )

    def _check_rest(self, data: DataChunk) -> None:
        """Refuse what contradicts the samples found, in the chunks behind them and in what is no chunk."""
        end = self._behind(data.offset, data.present_bytes)
        for chunk in self._chunks(end):
            if not _is_plausible(chunk):
                if chunk.name not in _KNOWN_NAMES:  # else it is a chunk that was cut short
                    _check_trailer(data, chunk.left + _CHUNK_HEADER_BYTES)
                return
            if chunk.name == b"data":
                raise AudioCorruptError(
                    "its header contradicts itself: it has two data chunks; "
                    "which of them is the recording cannot be known: record or convert it again"
                )
            self._keep(chunk)


def _check_trailer(data: DataChunk, n_bytes: int) -> None:
    """Refuse so much behind the samples which is no chunk that it is likelier sound than they are."""
    if data.declared_bytes is not None and n_bytes > data.declared_bytes:
        raise AudioCorruptError(
            f"its header contradicts itself: its data chunk declares {data.declared_bytes} bytes of sound, "
            f"and {n_bytes} bytes that are no chunk follow, as where its size was never brought up to date; "
            "where its sound ends cannot be known: record or convert it again"
        )


def _is_open(size: int) -> bool:
    return any(open_size <= size < open_size + _OPEN_SIZES_SPAN for open_size in _OPEN_SIZES)


def _is_plausible(chunk: _Chunk) -> bool:
    """Whether it is a chunk at all: its name can be printed, and it lies within the file."""
    return chunk.name.isascii() and chunk.name.decode().isprintable() and chunk.declared <= chunk.left
