"""A file as a decoder shall see it: a beginning of our own, and a part of the file behind it."""

import os

from osscl.audio.bytestream import ByteStream


class SplicedStream:
    """Bytes that are given, and behind them a part of another stream.

    Parameters
    ----------
    beginning : bytes
        What stands first.
    stream : ByteStream
        The file; nobody else may move in it meanwhile.
    start, n_bytes : int
        Which part of the file follows; it must lie within it.
    """

    def __init__(self, beginning: bytes, stream: ByteStream, start: int, n_bytes: int) -> None:
        self._beginning = beginning
        self._stream = stream
        self._start = start
        self._size = len(beginning) + n_bytes
        self._position = 0

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """Fill the buffer as far as the two go; give the number of bytes."""
        view = memoryview(buffer)
        given = self._beginning[self._position : self._position + len(view)]
        view[: len(given)] = given
        n_filled = len(given)
        n_left = min(len(view), self._size - self._position) - n_filled
        if n_left > 0:
            self._stream.seek(self._start + self._position + n_filled - len(self._beginning))
            n_filled += self._stream.readinto(view[n_filled : n_filled + n_left])
        self._position += n_filled
        return n_filled

    def read(self, n_bytes: int) -> bytes:
        """Read up to `n_bytes` bytes."""
        buffer = bytearray(n_bytes)
        return bytes(buffer[: self.readinto(buffer)])

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a position and give it, counted from the start."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        """Position, counted from the start."""
        return self._position
