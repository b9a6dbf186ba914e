"""Files that were given to be scored, and whose rows come, or are to come, or to be written."""

from collections import deque
from typing import NamedTuple

from osscl.journal.keys import FileKey
from osscl.scoring.record import Record, ends_file, status_so_far


class Awaited(NamedTuple):
    """A file that is being scored: where it will stand, and what it was before it was read."""

    position: int
    key: FileKey
    is_problem: bool
    may_replace: bool


class Coming:
    """The file whose rows come in one by one."""

    def __init__(self, file: Awaited) -> None:
        self.file = file
        self.n_rows = 0
        self.status = ""
        self.is_ended = False

    def count(self, record: Record) -> None:
        """Note a row."""
        self.status = status_so_far(self.status, record)
        self.is_ended = ends_file(record)
        self.n_rows += 1


class Awaiting:
    """All of them, in the order that they were given in."""

    def __init__(self) -> None:
        self._files: deque[Awaited] = deque()
        self._newest: dict[bytes, FileKey] = {}

    def __bool__(self) -> bool:
        return bool(self._files)

    def newest(self, path: bytes) -> FileKey | None:
        """What a file was when it was given last; None where nothing of it is awaited."""
        return self._newest.get(path)

    def put(self, file: Awaited) -> None:
        """Await a file behind all others."""
        self._files.append(file)
        self._newest[file.key.path] = file.key

    def is_next(self, path: bytes) -> bool:
        """Whether a file is the one that was given longest ago."""
        return bool(self._files) and self._files[0].key.path == path

    def take(self) -> Awaited:
        """Give the one that was given longest ago: its rows come in."""
        return self._files.popleft()

    def is_written(self, key: FileKey) -> None:
        """Note that a file stands in the database; what it was given again as is awaited still."""
        if self._newest.get(key.path) == key:
            del self._newest[key.path]
