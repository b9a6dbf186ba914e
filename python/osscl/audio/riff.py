"""Walk over the chunks of a WAV file, trusting no size that its header declares.

Decoders accept a WAV file whose data chunk declares more bytes than the file holds and silently
return what is there. A recording cut short by a full disk or a broken transfer is found here.
"""

import struct
from dataclasses import dataclass
from typing import Protocol

from osscl.errors import AudioCorruptError

_MAX_CHUNKS = 1024
_UNKNOWN_SIZE = 0xFFFF_FFFF
_BYTE_ORDER = {b"RIFF": "<", b"RIFX": ">", b"RF64": "<", b"BW64": "<"}


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
    declared_bytes : int or None
        Size of the samples according to the header; None where the header leaves it open.
    present_bytes : int
        How many of them the file really holds.
    """

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
                "its data chunk declares no size, as writing to a pipe leaves it: "
                "whether it is complete cannot be known; rewrite the file with its size"
            )
        if self.declared_bytes > self.present_bytes:
            raise AudioCorruptError(
                f"its data chunk declares {self.declared_bytes} bytes and {self.present_bytes} are present: "
                "the file is cut short; copy or record it again"
            )


def find_data_chunk(stream: SeekableStream) -> DataChunk | None:
    """Find the data chunk of a WAV file (RIFF, RIFX, RF64 or BW64).

    Reads headers of chunks only, at most 1,024 of them, whatever sizes they declare.

    Parameters
    ----------
    stream : binary file object
        Seekable; read from its start, left at any position.

    Returns
    -------
    DataChunk or None
        None if the stream holds no WAV file.

    Raises
    ------
    AudioCorruptError
        If a WAV file has no data chunk.

    References
    ----------
    Microsoft and IBM, "Multimedia Programming Interface and Data Specifications 1.0", 1991;
    EBU Tech 3306 (RF64); ITU-R BS.2088 (BW64).
    """
    n_bytes = stream.seek(0, 2)
    stream.seek(0)
    head = stream.read(12)
    byte_order = _BYTE_ORDER.get(head[:4])
    if byte_order is None or head[8:] != b"WAVE":
        return None
    position = len(head)
    size_in_ds64: int | None = None
    for _ in range(_MAX_CHUNKS):
        stream.seek(position)
        header = stream.read(8)
        if len(header) < 8:
            raise AudioCorruptError("it is a WAV header without a data chunk: no sound follows")
        name, size = struct.unpack(byte_order + "4sI", header)
        position += len(header)
        if name == b"data":
            declared = size_in_ds64 if size == _UNKNOWN_SIZE else size
            present = n_bytes - position
            return DataChunk(declared, present if declared is None else min(declared, present))
        if name == b"ds64" and size >= 16:
            size_in_ds64 = _data_size_in_ds64(stream.read(16))
        position += size + size % 2
    raise AudioCorruptError(f"its first {_MAX_CHUNKS} chunks hold no samples: the WAV header is damaged")


def _data_size_in_ds64(body: bytes) -> int | None:
    """Size of the data chunk, which the 64-bit forms keep behind the size of the whole file."""
    if len(body) < 16:
        return None
    size = int.from_bytes(body[8:], "little")
    return None if size == 0xFFFF_FFFF_FFFF_FFFF else size
