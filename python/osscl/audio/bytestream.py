"""Audio sources as one kind of stream: paths, bytes and file objects."""

import io
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, Protocol, TypeAlias, cast

from osscl.errors import AudioReadError, InputError, StorageError
from osscl.storage.reading import open_object
from osscl.support.links import dead_link
from osscl.support.urls import is_url


class Upload(Protocol):
    """What came by HTTP, as web frameworks hand it over whose own `read` is a coroutine: FastAPI, Starlette.

    Attributes
    ----------
    file : binary file object
        What was sent.
    filename : str or None
        What the sender calls it.
    """

    @property
    def file(self) -> BinaryIO:
        """What was sent."""

    @property
    def filename(self) -> str | None:
        """What the sender calls it."""


AudioSource: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | Upload


class ByteStream:
    """A binary file that a decoder written in C may call back: nothing is raised into it.

    After an error the stream seems to end; `raise_failure` tells the error afterwards.
    Short reads, which raw streams may give, are completed.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._failure: BaseException | None = None
        self._read_some: Callable[[memoryview], int | None] = getattr(file, "readinto", self._read_by_copy)

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """Fill the buffer as far as the file goes; give the number of bytes."""
        view = memoryview(buffer)
        n_filled = 0
        while n_filled < len(view):
            n_read = self._guarded(self._read_some, view[n_filled:])
            if not n_read:
                break
            n_filled += n_read
        return n_filled

    def read(self, n_bytes: int) -> bytes:
        """Read up to `n_bytes` bytes."""
        buffer = bytearray(n_bytes)
        return bytes(buffer[: self.readinto(buffer)])

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a position and give it, counted from the start."""
        self._guarded(self._file.seek, offset, whence)
        return self.tell()  # not every file object gives the position when it seeks

    def tell(self) -> int:
        """Position, counted from the start."""
        return self._guarded(self._file.tell) or 0

    def is_seekable(self) -> bool:
        """Whether the position can be changed."""
        return bool(self._guarded(getattr(self._file, "seekable", lambda: True)))

    def raise_failure(self) -> None:
        """Raise what went wrong inside the file, if anything did."""
        if isinstance(self._failure, Exception):
            raise AudioReadError(f"it cannot be read: {_reason(self._failure)}") from self._failure
        if self._failure is not None:
            raise self._failure

    def _guarded(self, function: Callable[..., int | None], *args: object) -> int | None:
        if self._failure is not None:
            return None
        try:
            return function(*args)
        except BaseException as error:  # noqa: BLE001 - the caller may be C code; told by raise_failure
            self._failure = error
            return None

    def _read_by_copy(self, view: memoryview) -> int:
        data = self._file.read(len(view))
        view[: len(data)] = data
        return len(data)


@contextmanager
def open_source(source: AudioSource) -> Iterator[ByteStream]:
    """Open an audio source for reading from its start; a file object, and that of an upload, is left open.

    Raises
    ------
    AudioReadError
        If it cannot be opened or read, is no regular file, or cannot seek.
    InputError
        If it is neither path, bytes, binary file object nor upload.
    """
    given = _file_given(source)
    file = _open(source) if given is None else given
    stream = ByteStream(file)
    try:
        if not stream.is_seekable():
            raise AudioReadError("the stream cannot seek; read it to its end and pass the bytes")
        yield stream
    finally:
        if given is None:
            file.close()
        stream.raise_failure()


def _open(source: AudioSource) -> BinaryIO:
    if isinstance(source, str | os.PathLike):
        if is_url(source):
            return _open_object(os.fspath(source))
        return _open_regular_file(source)
    if isinstance(source, bytes | bytearray | memoryview):
        return io.BytesIO(source)
    raise InputError(
        "an audio source is a path, bytes or a file object opened in binary mode, "
        f"not an object of type {type(source).__name__}"
    )


def _file_given(source: AudioSource) -> BinaryIO | None:
    """The source, where it is an open binary file, or the file of an upload."""
    for file in (source, getattr(source, "file", None)):
        has_methods = all(hasattr(file, name) for name in ("read", "seek", "tell"))
        if has_methods and not isinstance(file, io.TextIOBase):
            return cast(BinaryIO, file)
    return None


def _open_object(url: str) -> BinaryIO:
    try:
        return open_object(url)
    except StorageError as error:
        raise AudioReadError(f"it cannot be read: {error}") from error


def _open_regular_file(path: str | os.PathLike[str]) -> BinaryIO:
    try:
        file = open(path, "rb", buffering=0, opener=_open_without_waiting_for_a_writer)  # noqa: SIM115
    except IsADirectoryError as error:
        raise AudioReadError("it is a directory, not an audio file") from error
    except (OSError, ValueError) as error:
        raise AudioReadError(dead_link(path) or f"it cannot be opened: {_reason(error)}") from error
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise AudioReadError("it is not a regular file but a device, pipe or socket")
    return file


def _open_without_waiting_for_a_writer(path: str, flags: int) -> int:
    """Open as usual, save that a named pipe without a writer does not block."""
    try:
        return os.open(path, flags | os.O_NONBLOCK)
    except BlockingIOError:
        return _open_when_the_lease_ends(path, flags)


def _open_when_the_lease_ends(path: str, flags: int) -> int:
    """Open a file that another program holds a lease on, as Samba does: the system asks for it back.

    Whatever lies at the path by then, it is the file looked at here that is opened and waited for.
    """
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        may_wait = stat.S_ISREG(os.fstat(place).st_mode)
        return os.open(f"/proc/self/fd/{place}", flags if may_wait else flags | os.O_NONBLOCK)
    finally:
        os.close(place)


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
