"""Events as lines of JSON: appended to a file, each exactly once, or printed."""

import fcntl
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np

from osscl.errors import OssclError, OutputError
from osscl.events.outbox import Receiver, Spooled
from osscl.events.sink import AwayError, Note, Shortfall
from osscl.support.paths import printable

_BATCH = 500
_CHUNK = 65_536
_ID = "S32"
_BEGINNING = b'{"id":"'  # of every event, as `osscl.events.outbox.encoded` writes it


class JsonLinesFile:
    """Appends events to a file, of which no other process may be a writer.

    What stands there is looked at first: a half line is taken away, and an event that stands there is not
    written again, whichever run wrote it. A file that was renamed or removed meanwhile is begun anew.

    Parameters
    ----------
    path : Path
        The file; made where it lacks, its folder is not.
    """

    batch = _BATCH

    def __init__(self, path: Path) -> None:
        self.name = printable(path.absolute())
        self._path = path
        self._file: BinaryIO | None = None
        self._there = np.empty(0, _ID)  # IDs that stood in the file when it was opened, sorted
        self._cut: str | None = None  # ID of the half line that was taken away

    def begin(self, receiver: Receiver) -> Shortfall | None:
        """Open the file.

        Parameters
        ----------
        receiver : Receiver
            The event that was written last.

        Returns
        -------
        Shortfall or None
            What the file holds, where that event is not in it; None of a file that is empty: it may have
            been rotated away.

        Raises
        ------
        OutputError
            It cannot be opened, holds anything else, or another process writes to it.
        """
        try:
            file = self._open()
            last_id = receiver.last_id
            if last_id is None or self._stands_there(last_id):
                return None
            held = map(_id_of, _lines_backwards(file, file.seek(0, os.SEEK_END)))
            return Shortfall(self._cut, held)
        except OSError as error:
            raise OutputError(
                f"events cannot be written to {self.name}: {error.strerror or error}"
            ) from error

    def deliver(self, events: Sequence[Spooled], note: Note) -> Iterator[str | None]:
        """Append events, and force them to disk before any of them counts as delivered.

        Parameters
        ----------
        events : sequence of Spooled
            Those behind the one that was written last.
        note : callable
            Not used.

        Yields
        ------
        None
            For each event.

        Raises
        ------
        AwayError
            The file cannot be written.
        """
        try:
            file = self._current()
            new = [event.content + b"\n" for event in events if not self._stands_there(event.id)]
            _write(file, b"".join(new))
        except (OSError, OssclError) as error:
            self.close()  # opening it again takes away what was written by half
            raise AwayError(f"cannot be written: {getattr(error, 'strerror', None) or error}") from error
        for _ in events:
            yield None

    def rest(self) -> None:
        """Nothing is to be kept alive."""

    def close(self) -> None:
        """Close the file, which gives up its lock."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
        self._file = None

    def _current(self) -> BinaryIO:
        """The file that has the name now: log rotation takes it away from an open one."""
        if self._file is not None:
            try:
                if os.path.samestat(self._path.stat(), os.fstat(self._file.fileno())):
                    return self._file
            except FileNotFoundError:
                pass
            self.close()
        return self._open()

    def _open(self) -> BinaryIO:
        file = open(self._path, "ab+", buffering=0, opener=_regular)  # noqa: SIM115 - kept open
        try:
            self._lock(file)
            self._mend(file)
            lines = _lines_backwards(file, file.seek(0, os.SEEK_END))
            self._there = np.sort(np.fromiter((_id_of(line).encode() for line in lines), _ID))
        except BaseException:
            file.close()
            raise
        self._file = file
        return file

    def _lock(self, file: BinaryIO) -> None:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OutputError(
                f"another process writes its events to {self.name}; choose another file for one of them"
            ) from None

    def _mend(self, file: BinaryIO) -> None:
        """Take away a half line, and refuse a file of anything else."""
        size = file.seek(0, os.SEEK_END)
        last = next(_lines_backwards(file, size), None)
        half = _half_line(file, size)
        told = half.rstrip(b"\0")  # what a file system leaves of a line when the power fails
        is_ours = told.startswith(_BEGINNING) or _BEGINNING.startswith(told)
        if not is_ours or (last is not None and not last.startswith(_BEGINNING)):
            raise OutputError(
                f"{self.name} holds something other than events of osscl, and is left so; choose another"
            )
        self._cut = None
        if half:
            self._cut = _id_of(half) if half.count(b'"') > _BEGINNING.count(b'"') else None
            file.truncate(size - len(half))

    def _stands_there(self, event_id: str) -> bool:
        """Whether an event stood in the file when it was opened; 32 bytes an event are kept for that."""
        at = int(np.searchsorted(self._there, event_id.encode()))
        return at < self._there.size and self._there[at] == event_id.encode()


class JsonLinesOut:
    """Prints events. Whoever reads them from a pipe may get one twice, by its ID, when this process is killed
    between printing and noting it.

    Parameters
    ----------
    out : binary file, optional
        Where they are printed; by default the standard output.
    """

    name = "-"
    batch = _BATCH

    def __init__(self, out: BinaryIO | None = None) -> None:
        self._out = out

    def begin(self, receiver: Receiver) -> None:
        """Nothing is to be learnt."""

    def deliver(self, events: Sequence[Spooled], note: Note) -> Iterator[str | None]:
        """Print events.

        Parameters
        ----------
        events : sequence of Spooled
            The next ones.
        note : callable
            Not used.

        Yields
        ------
        None
            For each event.

        Raises
        ------
        AwayError
            Nobody reads.
        """
        out = self._out or sys.stdout.buffer
        for event in events:
            try:
                out.write(event.content + b"\n")
                out.flush()
            except (OSError, ValueError) as error:  # a closed file is a ValueError
                raise AwayError(f"cannot be written: {getattr(error, 'strerror', None) or error}") from error
            yield None

    def rest(self) -> None:
        """Nothing is to be kept alive."""

    def close(self) -> None:
        """The standard output is not ours to close."""


def _regular(path: str, flags: int) -> int:
    descriptor = os.open(path, flags | os.O_NONBLOCK, 0o666)  # a pipe without a reader does not block
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OutputError(f"events cannot be written to {printable(path)}: it is no regular file")


def _id_of(line: bytes) -> str:
    """The ID of the event of a line."""
    return line[len(_BEGINNING) :].partition(b'"')[0].decode("utf-8", "replace")


def _write(file: BinaryIO, content: bytes) -> None:
    """Write all of it: a disk that becomes full takes a part of it first, without an error."""
    while content:
        content = content[file.write(content) :]
    os.fsync(file.fileno())


def _half_line(file: BinaryIO, size: int) -> bytes:
    """What stands behind the last line end of a file of `size` bytes."""
    half, at = b"", size
    while at > 0 and b"\n" not in half:
        start = max(0, at - _CHUNK)
        half = os.pread(file.fileno(), at - start, start) + half
        at = start
    return half.rpartition(b"\n")[2]


def _lines_backwards(file: BinaryIO, size: int) -> Iterator[bytes]:
    """Whole lines of a file of `size` bytes, the last one first, without their ends."""
    rest, at, is_half = b"", size, True
    while at > 0:
        start = max(0, at - _CHUNK)
        parts = (os.pread(file.fileno(), at - start, start) + rest).split(b"\n")
        rest, at = parts[0], start
        for line in reversed(parts[1:]):
            if not is_half:
                yield line
            is_half = False
    if size and not is_half:
        yield rest
