"""One writer a journal: a lock in a file of its own, which names who holds it.

The lock is the system's and ends with the process, however that ends; the file is only where it hangs. It is
not the database's own file: SQLite's locks there are let go when any other descriptor of it is closed.
"""

import fcntl
import os
import platform
from contextlib import suppress
from pathlib import Path
from typing import Self

import msgspec

from osscl.errors import JournalError
from osscl.support.outputs import cannot_be_written
from osscl.support.paths import printable


class Holder(msgspec.Struct, frozen=True):
    """Who writes a journal: process, machine, and since when (ISO 8601, UTC)."""

    pid: int
    host: str
    since: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}, since {self.since}"


class Lock:
    """The right to write a journal; a context manager.

    Parameters
    ----------
    journal : Path
        The journal.
    since : str
        When this run began.

    Raises
    ------
    JournalError
        Another run holds it, or the file system has no locks.
    OutputError
        No file can be made there.
    """

    def __init__(self, journal: Path, since: str) -> None:
        self._path = lock_of(journal)
        try:
            self._descriptor = _locked(self._path, journal)
            holder = Holder(os.getpid(), platform.node(), since)
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, msgspec.json.encode(holder), 0)
        except OSError as error:
            raise cannot_be_written(self._path, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # first: who locks a file that is gone looks again
            self._path.unlink()
        os.close(self._descriptor)


def taken(journal: Path, holder: Holder | None) -> JournalError:
    """Say that another run writes a journal, and which."""
    return JournalError(
        f"another run writes {printable(journal)} ({holder or 'it has not said yet which'}): let it end, or "
        "name another output"
    )


def lock_of(journal: Path) -> Path:
    """Where the lock of a journal hangs."""
    return journal.with_name(journal.name + ".lock")


def holder_of(journal: Path) -> Holder | None:
    """Tell who writes a journal.

    Parameters
    ----------
    journal : Path
        The journal.

    Returns
    -------
    Holder or None
        None where nobody does.
    """
    try:
        descriptor = os.open(lock_of(journal), os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return _named(descriptor)
    else:
        return None
    finally:
        os.close(descriptor)


def _locked(path: Path, journal: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), path.lstat()):
                return descriptor
        except FileNotFoundError:  # its holder ended between the two
            pass
        except BlockingIOError:
            if _is_only_looked_at(descriptor):
                os.close(descriptor)
                continue
            holder = _named(descriptor)
            os.close(descriptor)
            raise taken(journal, holder) from None
        except OSError as error:
            os.close(descriptor)
            path.unlink(missing_ok=True)
            raise JournalError(
                f"{printable(journal)} cannot be locked ({error.strerror}), so that whether another run "
                "writes it could not be told: name an output on a local disk"
            ) from error
        os.close(descriptor)


def _is_only_looked_at(descriptor: int) -> bool:
    """Whether it is `holder_of` alone that holds the lock, for a moment: it shares it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _named(descriptor: int) -> Holder | None:
    try:
        return msgspec.json.decode(os.pread(descriptor, 4096, 0), type=Holder)
    except (OSError, msgspec.DecodeError, msgspec.ValidationError):
        return None
