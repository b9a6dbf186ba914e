"""What is written to stdout and stderr, and exit codes; it needs nothing but Python itself.

Nothing else in this package writes to either: here foreign text is made harmless for terminals.
"""

import logging
import sys
import time
from typing import TextIO, cast

from osscl.cli.harmless import SafeStream, harmless
from osscl.support.journald import ERROR, INFO, WARNING, priority_prefix
from osscl.support.two_spellings import in_options

EXIT_FAILED, EXIT_WRONG_USAGE, EXIT_SOME_UNSCORED, EXIT_ANOMALY = 1, 2, 3, 4

_is_quiet = False
_tells_time = False
_log: logging.Handler | None = None


def be_quiet() -> None:
    """From now on nothing is said on stderr but why a command failed, or that it was interrupted."""
    global _is_quiet
    _is_quiet = True
    logging.captureWarnings(True)  # Python's own, which packages raise
    logging.getLogger("py.warnings").addHandler(logging.NullHandler())


def tell_the_time() -> None:
    """From now on each line on stderr begins with the time, as in a log; systemd's journal has its own."""
    global _tells_time
    _tells_time = True


def _begin(priority: int) -> str:
    """What a line on stderr begins with."""
    prefix = priority_prefix(priority)
    return time.strftime("%Y-%m-%d %H:%M:%S ") if _tells_time and not prefix else prefix


def is_quiet() -> bool:
    """Whether nothing is to be said but why a command came to no end: no progress either."""
    return _is_quiet


def log_to(handler: logging.Handler) -> None:
    """Give what is said on stderr to a handler as well, from now on."""
    global _log
    _log = handler
    logging.getLogger("py.warnings").addHandler(handler)


def complain(message: str) -> None:
    """Say on stderr why a command failed."""
    _log_said(message, logging.ERROR)
    print_to_stderr(f"error: {message}", ERROR)


def say(message: str) -> None:
    """Say something on stderr; stdout is for results."""
    _log_said(message, logging.INFO)
    _inform(message)


def say_interrupted(message: str) -> None:
    """Say on stderr that a run was broken off, what is kept, and how it goes on: whatever was asked for.

    Somebody else may have ended it, and `--quiet` is for runs that nobody looks at.
    """
    _log_said(message, logging.WARNING)
    print_to_stderr(message, WARNING)


def log_failure(error: BaseException) -> None:
    """Write an error to the log file that Python itself is about to show."""
    if _log is not None:
        _log.handle(logging.makeLogRecord({**_SAID, "exc_info": (type(error), error, error.__traceback__)}))


_SAID: dict[str, object] = {
    "name": "osscl.cli",
    "msg": "failed",
    "levelno": logging.ERROR,
    "levelname": "ERROR",
}


def _log_said(message: str, level: int) -> None:
    if _log is not None:
        told = {"levelno": level, "levelname": logging.getLevelName(level), "msg": in_options(message)}
        _log.handle(logging.makeLogRecord(_SAID | told))


def _inform(message: str) -> None:
    if not _is_quiet:
        print_to_stderr(message)


def print_to_stderr(message: str, priority: int = INFO) -> None:
    """Write to stderr whatever was asked for, and not to the log file."""
    print(_begin(priority) + harmless(in_options(message)), file=sys.stderr)  # noqa: T201


def emit(result: str) -> None:
    """Write a result to stdout: exactly as it is, except to a terminal."""
    result_stream().write(f"{result}\n")
    sys.stdout.flush()


def result_stream() -> TextIO:
    """Where text results go that are written bit by bit."""
    return cast(TextIO, SafeStream(sys.stdout)) if sys.stdout.isatty() else sys.stdout


def inform_on_stderr(name: str) -> None:
    """Let a part of the library say on stderr what it only informs of, too; `name` is that of its loggers."""
    logger = logging.getLogger(name)
    if not logger.isEnabledFor(logging.INFO):
        logger.setLevel(logging.INFO)
    logger.addHandler(_InformationToStderr(logging.INFO))


def warn_on_stderr() -> None:
    """Let the library say on stderr what it warns of."""
    logging.getLogger("osscl").addHandler(_WarningsToStderr())


class _WarningsToStderr(logging.Handler):
    """What the library warns of, on stderr, a progress bar or not."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        """Say it."""
        if _is_quiet:
            return
        from osscl.cli.console import stderr

        text = f"{_begin(WARNING)}warning: {record.getMessage()}"
        stderr.print(text, markup=False, soft_wrap=True)


class _InformationToStderr(logging.Handler):
    """What is less than a warning."""

    def emit(self, record: logging.LogRecord) -> None:
        """Say it."""
        if record.levelno < logging.WARNING:
            _inform(record.getMessage())
