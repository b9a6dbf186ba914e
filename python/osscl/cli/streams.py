"""Standard streams that mean the same everywhere: UTF-8 whatever the locale, and one answer to each failure.

===================  =========================================  =====================================
what happens         on stdout                                  on stderr
===================  =========================================  =====================================
closed, disk full    the command fails with one sentence        what was to be said is lost, no more
reader went away     the program ends at once, silent, with 0   what was to be said is lost, no more
===================  =========================================  =====================================
"""

import errno
import io
import os
import sys

from osscl.errors import OutputError

_STDOUT, _STDERR = 1, 2


def take_over() -> None:
    """Put streams of this module in the place of Python's."""
    _open_what_is_closed()
    sys.stdout = _text(_Results(_STDOUT), line_buffering=os.isatty(_STDOUT))
    sys.stderr = _text(_Messages(_STDERR), line_buffering=True)


def refuse_closed_stdout() -> None:
    """Fail before long work whose results could not be written, instead of after it.

    Raises
    ------
    OutputError
        Stdout is closed; the same that the results would end in.
    """
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    if isinstance(raw, _Results):
        raw.write(b"")


def _open_what_is_closed() -> None:
    """Let no other file become a standard stream that is not there: records would end in tables."""
    for descriptor, flags in ((0, os.O_RDONLY), (_STDOUT, os.O_RDONLY), (_STDERR, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            opened = os.open(os.devnull, flags)  # stdout not for writing: results must not vanish
            if opened != descriptor:
                os.dup2(opened, descriptor)
                os.close(opened)


def _text(raw: io.RawIOBase, *, line_buffering: bool) -> io.TextIOWrapper:
    # names are spelled before they come here; what was forgotten is spelled, not fatal
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding="utf-8",
        errors="backslashreplace",
        newline="\n",
        line_buffering=line_buffering,
    )


class _Standard(io.RawIOBase):
    """A descriptor for writing that is never closed, since others may use it too."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def writable(self) -> bool:
        return True


class _Results(_Standard):
    """After a failure everything is dropped: what is still in a buffer would fail again at exit."""

    _has_failed = False

    def write(self, content: object) -> int:
        data = memoryview(content)  # type: ignore[arg-type]
        if self._has_failed:
            return len(data)
        try:
            return os.write(self._descriptor, data)
        except BrokenPipeError:
            self._has_failed = True
            raise SystemExit(0) from None
        except OSError as error:
            self._has_failed = True
            reason = "it is closed" if error.errno == errno.EBADF else error.strerror
            raise OutputError(f"stdout cannot be written: {reason}") from error


class _Messages(_Standard):
    def write(self, content: object) -> int:
        data = memoryview(content)  # type: ignore[arg-type]
        try:
            return os.write(self._descriptor, data)
        except OSError:
            return len(data)
