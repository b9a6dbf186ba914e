"""Tags that programs for music put before a file."""

from osscl.audio.riff import SeekableStream

_MAX_TAGS = 16
_HAS_FOOTER = 0x10


def end_of_id3_tags(stream: SeekableStream) -> int:
    """Where a file begins behind its ID3v2 tags.

    Parameters
    ----------
    stream : binary file object
        Seekable; left at any position.

    Returns
    -------
    int
        Position in bytes; 0 where there is no tag.

    References
    ----------
    M. Nilsson, "ID3 tag version 2.4.0 - Main Structure", 2000, sections 3.1 and 3.4.
    """
    position = 0
    for _ in range(_MAX_TAGS):
        stream.seek(position)
        header = stream.read(10)
        if len(header) < 10 or header[:3] != b"ID3" or max(header[6:]) >= 0x80:
            break
        size = header[6] << 21 | header[7] << 14 | header[8] << 7 | header[9]  # seven bits a byte
        position += 10 + size + (10 if header[5] & _HAS_FOOTER else 0)
    return position
