"""The header that a decoder gets in place of a WAV file's own: format and size of the samples alone."""

import struct

from osscl.audio.riff import WavChunks

_LARGEST_RIFF = 0xFFFF_FFFE


def plain_header(chunks: WavChunks, format_: bytes) -> bytes:
    """Header of a WAV file whose samples are those that are present.

    Parameters
    ----------
    chunks : WavChunks
        The file.
    format_ : bytes
        Body of the format chunk.

    Returns
    -------
    bytes
        Everything up to the first sample.
    """
    order, n_bytes = chunks.byte_order, chunks.data.present_bytes
    middle = _chunk(b"fmt ", format_, order)
    if chunks.fact is not None:
        middle += _chunk(b"fact", chunks.fact, order)
    size = 4 + len(middle) + 8 + n_bytes
    if size <= _LARGEST_RIFF:
        form = b"RIFF" if order == "<" else b"RIFX"
        sizes = struct.pack(order + "I", size), struct.pack(order + "I", n_bytes)
        return form + sizes[0] + b"WAVE" + middle + b"data" + sizes[1]
    open_size = b"\xff" * 4
    ds64 = _chunk(b"ds64", struct.pack("<QQQI", size + 36, n_bytes, 0, 0), "<")
    return b"RF64" + open_size + b"WAVE" + ds64 + middle + b"data" + open_size


def _chunk(name: bytes, body: bytes, byte_order: str) -> bytes:
    return name + struct.pack(byte_order + "I", len(body)) + body + bytes(len(body) % 2)
