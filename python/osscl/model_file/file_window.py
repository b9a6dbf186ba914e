"""A file that is read only where it is looked at."""

import os
from collections.abc import Iterator


class FileWindow:
    """Bytes of an open file, read when they are asked for: to `protobuf.fields` it is like a memoryview.

    Parameters
    ----------
    descriptor : int
        The file.
    start, end : int
        Which of its bytes.
    """

    def __init__(self, descriptor: int, start: int, end: int) -> None:
        self._descriptor = descriptor
        self._start, self._end = start, end

    def __len__(self) -> int:
        return self._end - self._start

    def __getitem__(self, part: slice) -> "FileWindow":
        start, end, _ = part.indices(len(self))
        return FileWindow(self._descriptor, self._start + start, self._start + max(start, end))

    def __iter__(self) -> Iterator[int]:
        return iter(bytes(self))

    def __bytes__(self) -> bytes:
        return os.pread(self._descriptor, len(self), self._start)
