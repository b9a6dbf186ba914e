"""The file that a run writes until its output is complete: it belongs to one run, and tells all others so."""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from osscl.errors import OutputError
from osscl.support.outputs import cannot_be_written
from osscl.support.paths import printable


class Part:
    """The file ``<output>.part``, open for writing lines.

    It is made by this run or not at all, and locked while the run lives: so another run can tell one that
    still writes from one that was interrupted, and even ``--overwrite`` never takes a file from under a run.
    Each line is with the system once it is written: it outlives the process, however that ends.

    Parameters
    ----------
    output : Path
        What it shall be called once it is complete.
    overwrite : bool
        Take the place of what an interrupted run left, and of an earlier output.

    Attributes
    ----------
    path : Path
        Where it is.

    Raises
    ------
    OutputError
        The place cannot be written to, is taken, or another run writes there.
    """

    def __init__(self, output: Path, *, overwrite: bool) -> None:
        self.path = part_of(output)
        self._output, self._overwrite = output, overwrite
        try:
            self._descriptor = _claim(self.path, overwrite)
        except OSError as error:
            raise cannot_be_written(self.path, error) from error
        self._size = 0
        self._is_closed = False
        if not overwrite and os.path.lexists(output):  # a run that ended just now
            self.discard()
            raise OutputError(f"{printable(output)} exists; name another file, or use --overwrite")

    def write(self, lines: str) -> None:
        """Add whole lines, all of them or none.

        Raises
        ------
        OSError
            They cannot be written; the file is as it was.
        """
        content = lines.encode("utf-8", "backslashreplace")
        try:
            done = 0
            while done < len(content):
                done += os.write(self._descriptor, content[done:])
        except BaseException:  # Ctrl-C too
            os.ftruncate(self._descriptor, self._size)
            os.lseek(self._descriptor, self._size, os.SEEK_SET)
            raise
        self._size += len(content)

    def check_place(self) -> None:
        """Make sure that the output may still take its name, and that the part has kept its own.

        Raises
        ------
        OutputError
            Something happened to either while the run wrote.
        """
        if not _is_at(self._descriptor, self.path):
            raise OutputError(f"{printable(self.path)} was moved or removed while the run wrote into it")
        if not self._overwrite and os.path.lexists(self._output):
            raise OutputError(
                f"{printable(self._output)} came into being while the run wrote; its lines are kept in "
                f"{printable(self.path)}"
            )

    def sync(self) -> None:
        """Force all lines to disk."""
        os.fsync(self._descriptor)

    def rename(self) -> None:
        """Give the file the name of the output."""
        self.path.replace(self._output)

    def discard(self) -> None:
        """Remove the file, which holds nothing, or nothing that is not elsewhere; and close it."""
        if not self._is_closed and _is_at(self._descriptor, self.path):
            self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Let other runs know that this one does not write any more; once is enough."""
        if not self._is_closed:
            self._is_closed = True
            os.close(self._descriptor)


def part_of(output: Path) -> Path:
    """Where the lines of an output are until it is complete."""
    return output.with_name(output.name + ".part")


def _claim(path: Path, overwrite: bool) -> int:
    try:
        return _create(path)
    except FileExistsError:
        pass
    with _left_behind(path) as is_empty:
        if not (overwrite or is_empty):
            raise OutputError(
                f"{printable(path)} is there from an interrupted run; move it away, or use --overwrite"
            )
        path.unlink()
    try:
        return _create(path)
    except FileExistsError:
        raise _taken(path) from None


def _create(path: Path) -> int:
    """Make and lock the file; of two runs, one does."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with suppress(OSError):  # where the file system has no locks, having made the file must do
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # another run may be looking whether it is locked
        if not _is_at(descriptor, path):  # that one had --overwrite
            raise _taken(path)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


@contextmanager
def _left_behind(path: Path) -> Iterator[bool]:
    """Make sure that no run writes the file any more, and that none begins to; tells whether it is empty."""
    kind = path.lstat().st_mode
    if stat.S_ISLNK(kind):  # no run makes links: the link itself is what may be removed
        yield False
        return
    if not stat.S_ISREG(kind):
        raise OutputError(f"{printable(path)} is not what a run leaves behind; move it away")
    descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _taken(path) from None
        except OSError as error:
            raise OutputError(
                f"{printable(path)} is there, and whether a run still writes it cannot be told "
                f"({error.strerror}); move it away"
            ) from error
        if not _is_at(descriptor, path):
            raise _taken(path)
        yield os.fstat(descriptor).st_size == 0
    finally:
        os.close(descriptor)


def _taken(path: Path) -> OutputError:
    return OutputError(f"another run is writing {printable(path)}; let it end, or name another output")


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except OSError:
        return False
