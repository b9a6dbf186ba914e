"""``--log-file``: what the library logs and what is said on stderr, with the time, at the end of a file."""

import logging
import os
import re
import stat
import time
from pathlib import Path
from typing import NoReturn

from osscl.cli import messages
from osscl.cli.harmless import harmless
from osscl.errors import OutputError
from osscl.support.paths import printable
from osscl.support.urls import is_url

_FIRST_BYTES = re.compile(rb"\d{4}-\d{2}-\d{2}T")


def open_log(place: str) -> None:
    """Write all lines of the logger ``osscl``, and what is said on stderr, to a file from now on.

    Parameters
    ----------
    place : str
        The file; lines go behind those that stand in it.

    Raises
    ------
    OutputError
        It cannot be written, or holds something else than a log: nothing is added to recordings or models.
    """
    path = Path(place)
    _check(place, path)
    handler = _LogFile(path)
    logger = logging.getLogger("osscl")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    messages.log_to(handler)


def _check(place: str, path: Path) -> None:
    if is_url(place):
        _refuse(place, "a log is written line by line, to a file on this machine: name a path here")
    if not place:
        _refuse("''", "it names no file; expected --log-file FILE")
    try:
        # a pipe would wait for its reader
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK, 0o666)
    except (OSError, ValueError) as error:
        if isinstance(error, FileNotFoundError) and not path.parent.is_dir():
            _refuse(place, f"there is no folder {printable(path.parent)}; make it first")
        _refuse(place, getattr(error, "strerror", None) or str(error))
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            _refuse(place, "it is a device, pipe or socket; expected the name of a file")
        beginning = file.read(16)
    if beginning and not _FIRST_BYTES.match(beginning):
        _refuse(place, "it holds something else than a log of osscl; name another file")


def _refuse(place: str, reason: str) -> NoReturn:
    raise OutputError(f"the log file {printable(place)} cannot be written: {reason}")


class _LogFile(logging.Handler):
    """Appends a line at a time to whatever file has the name then, so that logs may be rotated."""

    def __init__(self, path: Path) -> None:
        super().__init__(logging.DEBUG)
        self._path = path.absolute()
        self._is_lost = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line; what becomes of it ends no command."""
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{self._line(record)}\n")
        except OSError as error:
            if not self._is_lost:
                self._is_lost = True
                messages.print_to_stderr(
                    f"error: the log file {printable(self._path)} cannot be written: {error.strerror}; "
                    "lines are missing in it"
                )

    def _line(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        text = harmless(super().format(record)).replace("\n", "\n    ")
        return f"{at}.{int(record.msecs):03d}Z {record.levelname} {record.name}: {text}"
