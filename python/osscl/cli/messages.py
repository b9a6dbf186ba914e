"""What is written to stdout and stderr, and exit codes; it needs nothing but Python itself.

Nothing else in this package writes to either: here foreign text is made harmless for terminals.
"""

import logging
import sys
from typing import TextIO, cast

from osscl.cli.as_options import in_options
from osscl.cli.harmless import SafeStream, harmless
from osscl.support.journald import ERROR, INFO, WARNING, priority_prefix

EXIT_FAILED, EXIT_WRONG_USAGE, EXIT_SOME_UNSCORED, EXIT_ANOMALY = 1, 2, 3, 4


def complain(message: str) -> None:
    """Say on stderr why a command failed."""
    _say(f"error: {message}", ERROR)


def say(message: str) -> None:
    """Say something on stderr; stdout is for results."""
    _say(message, INFO)


def _say(message: str, priority: int) -> None:
    print(priority_prefix(priority) + harmless(in_options(message)), file=sys.stderr)  # noqa: T201


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
    logger.setLevel(logging.INFO)
    logger.addHandler(_InformationToStderr())


def warn_on_stderr() -> None:
    """Let the library say on stderr what it warns of."""
    logging.getLogger("osscl").addHandler(_WarningsToStderr())


class _WarningsToStderr(logging.Handler):
    """What the library warns of, on stderr, a progress bar or not."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        """Say it."""
        from osscl.cli.console import stderr

        text = f"{priority_prefix(WARNING)}warning: {record.getMessage()}"
        stderr.print(text, markup=False, soft_wrap=True)


class _InformationToStderr(logging.Handler):
    """What is less than a warning."""

    def emit(self, record: logging.LogRecord) -> None:
        """Say it."""
        if record.levelno < logging.WARNING:
            say(record.getMessage())
