"""FLAC files that do not say how long they are, which the format allows: encoders leave it so in a pipe."""

from osscl.audio.riff import SeekableStream

_END_OF_COUNT = 26


def leaves_length_open(stream: SeekableStream) -> bool:
    """Whether a stream is a FLAC file that declares no number of samples.

    References
    ----------
    RFC 9639, "Free Lossless Audio Codec", section 8.2.
    """
    stream.seek(0)
    head = stream.read(_END_OF_COUNT)
    is_flac = len(head) == _END_OF_COUNT and head[:4] == b"fLaC" and head[4] & 0x7F == 0
    return is_flac and head[21] & 0x0F == 0 and not any(head[22:])


def beginning_with_length(stream: SeekableStream, n_samples: int) -> bytes:
    """First bytes of a FLAC file, with its number of samples written into them."""
    stream.seek(0)
    head = bytearray(stream.read(_END_OF_COUNT))
    head[21] |= n_samples >> 32  # the high 4 of 36 bits
    head[22:] = (n_samples & 0xFFFF_FFFF).to_bytes(4, "big")
    return bytes(head)
