"""Opening what the user named as a file to read: a pipe would keep us waiting, a device has no end."""

import errno
import os
import stat


def regular_only(path: str, flags: int) -> int:
    """Open a regular file; to be the `opener` of `open`.

    Parameters
    ----------
    path : str
        The file; links are followed.
    flags : int
        As `os.open` takes them.

    Returns
    -------
    int
        A file descriptor.

    Raises
    ------
    OSError
        It cannot be opened, or is no regular file.
    """
    descriptor = os.open(path, flags | os.O_NONBLOCK)  # a pipe without a writer does not block
    kind = os.fstat(descriptor).st_mode
    if stat.S_ISREG(kind):
        return descriptor
    os.close(descriptor)
    if stat.S_ISDIR(kind):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    raise OSError(errno.EINVAL, "it is a device, pipe or socket, and only a regular file is read", path)


def read_regular(path: str | os.PathLike[str]) -> bytes:
    """Read a regular file whole.

    Parameters
    ----------
    path : str or path
        The file; links are followed.

    Returns
    -------
    bytes
        What it holds.

    Raises
    ------
    OSError
        It cannot be read, or is no regular file.
    """
    with open(path, "rb", opener=regular_only) as file:
        return file.read()
