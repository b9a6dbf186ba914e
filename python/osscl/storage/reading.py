"""Objects read: whole where they are small, else piece by piece as asked for; nothing is put on disk."""

import io
import os
from threading import Event
from typing import BinaryIO

from osscl.errors import StorageError
from osscl.storage.attempts import NEVER, attempt
from osscl.storage.listing import stat
from osscl.storage.opening import opened
from osscl.storage.stored import stored_of

WHOLE_BYTES = 8 << 20
"""Objects up to this size are read whole: 4 minutes of one channel of 16 bits at 16 kHz."""
_PIECE_BYTES = 4 << 20


def read_whole(url: str, given_up: Event = NEVER) -> bytes:
    """Read an object into memory.

    Parameters
    ----------
    url : str
        The object.
    given_up : Event
        As for `attempt`.

    Returns
    -------
    bytes
        What it holds.

    Raises
    ------
    StorageError
        It cannot be read.
    """
    system, path = opened(url)
    content: bytes = attempt(lambda: system.cat_file(path), given_up)
    return content


def open_object(url: str) -> BinaryIO:
    """Open an object as a file that can seek; raises `StorageError`."""
    found = stat(url)
    if found is None:
        raise StorageError("there is nothing at this place, or not any more", is_missing=True)
    if found.get("type") == "directory":
        raise StorageError("it is a folder of objects, and no recording")
    size = stored_of(found).size
    if size is None or size <= WHOLE_BYTES:
        return io.BytesIO(read_whole(url))
    return io.BufferedReader(InPieces(url, size), _PIECE_BYTES)


class InPieces(io.RawIOBase):
    """A large object, of which what is read is asked for by its place.

    Parameters
    ----------
    url : str
        The object.
    size : int
        Bytes that it has.
    """

    def __init__(self, url: str, size: int) -> None:
        super().__init__()
        self._system, self._path = opened(url)
        self._size, self._position = size, 0

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        """Fill a buffer as far as the object goes; raises `StorageError`."""
        start, end = self._position, min(self._position + len(buffer), self._size)
        if start >= end:
            return 0
        piece = attempt(lambda: self._system.cat_file(self._path, start=start, end=end))
        if len(piece) != end - start:
            raise StorageError(
                f"{len(piece)} bytes came where {end - start} were asked for: it changed while it was read"
            )
        buffer[: len(piece)] = piece
        self._position = end
        return len(piece)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a position, and give it."""
        begin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(0, begin + offset)
        return self._position

    def tell(self) -> int:
        """Position, from the start."""
        return self._position

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """It can be read from anywhere."""
        return True
