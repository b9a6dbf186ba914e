"""Files that only this user can have written: an engine is native code, so nobody else's is ever loaded."""

import os
import stat
from pathlib import Path

_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class NotTrusted(Exception):  # noqa: N818 - a reason, which the caller reports
    """A file or folder is not this user's alone; the message says why."""


def check_private_folder(folder: Path) -> None:
    """Make sure that only this user can have put files into a folder.

    Parameters
    ----------
    folder : Path
        A folder; a link is not followed.

    Raises
    ------
    FileNotFoundError
        There is none.
    NotTrusted
        It belongs to another user, others can write into it, or it is no folder.
    """
    descriptor = _open(folder, os.O_DIRECTORY)
    try:
        _check_owner(os.fstat(descriptor))
    finally:
        os.close(descriptor)


def read_private_file(path: Path) -> bytes:
    """Read a file that only this user can have written.

    Parameters
    ----------
    path : Path
        A regular file; links are not followed.

    Returns
    -------
    bytes
        What it holds.

    Raises
    ------
    FileNotFoundError
        There is none.
    NotTrusted
        It is no regular file, another user owns it or can write it, or it cannot be read.
    """
    descriptor = _open(path, os.O_NONBLOCK)  # so that a pipe keeps nobody waiting
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)  # of what was opened: nothing can be put in its place any more
        if not stat.S_ISREG(status.st_mode):
            raise NotTrusted("it is no regular file")
        _check_owner(status)
        return file.read()


def _check_owner(status: os.stat_result) -> None:
    if status.st_uid != os.geteuid():
        raise NotTrusted(f"it belongs to user {status.st_uid}")
    if status.st_mode & _WRITABLE_BY_OTHERS:
        raise NotTrusted("other users can write it (chmod go-w takes that from them)")


def _open(path: Path, flags: int) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | flags)
    except FileNotFoundError:
        raise
    except OSError as error:
        reason = "it is a link" if path.is_symlink() else f"it cannot be opened ({error.strerror})"
        raise NotTrusted(reason) from error
