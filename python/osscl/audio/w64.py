"""Sony's Wave64, WAV with sizes of 64 bits: how much sound its header declares, and how much is there.

libsndfile reads what is there of a file that was cut short, and says nothing of it.
"""

import os

from osscl.audio.riff import DataChunk, SeekableStream

_RIFF = bytes.fromhex("726966662e91cf11a5d628db04c10000")
_WAVE = bytes.fromhex("77617665f3acd3118cd100c04f8edb8a")
_DATA = bytes.fromhex("64617461f3acd3118cd100c04f8edb8a")
_HEADER_BYTES = 24  # of a chunk: its name, and a size that counts the header
_FIRST_CHUNK = _HEADER_BYTES + len(_WAVE)
_MAX_CHUNKS = 1024
_OPEN_SIZE = 2**62  # and more: what writers declare that do not know the size yet (FFmpeg: 2^63 - 1)


def find_w64_data(stream: SeekableStream, start: int = 0) -> DataChunk | None:
    """Find the samples of a Wave64 file.

    Parameters
    ----------
    stream : binary file
        A recording of any format.
    start : int
        Position of its first byte.

    Returns
    -------
    DataChunk or None
        None where it is no such file, or has no samples, which a decoder tells.

    References
    ----------
    Sonic Foundry: "Wave 64 file format", 2002.
    """
    n_bytes = stream.seek(0, os.SEEK_END)
    stream.seek(start)
    beginning = stream.read(_FIRST_CHUNK)
    if not (beginning.startswith(_RIFF) and beginning.endswith(_WAVE)):
        return None
    position = start + _FIRST_CHUNK
    for _ in range(_MAX_CHUNKS):
        if position >= n_bytes:
            return None
        stream.seek(position)
        header = stream.read(_HEADER_BYTES)
        size = int.from_bytes(header[len(_DATA) :], "little")
        if len(header) < _HEADER_BYTES:
            return None
        if header.startswith(_DATA):
            declared, left = size - _HEADER_BYTES, n_bytes - position - _HEADER_BYTES
            open_end = declared >= _OPEN_SIZE or (declared <= 0 < left)  # FFmpeg, or never closed
            return DataChunk(
                position + _HEADER_BYTES,
                None if open_end else declared,
                left if open_end else min(declared, left),
            )
        if size < _HEADER_BYTES:
            return None
        position += size + -size % 8
    return None
