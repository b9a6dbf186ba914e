"""What is said on stderr, and exit codes; it needs nothing but Python itself."""

import logging
import sys

EXIT_FAILED, EXIT_SOME_UNSCORED, EXIT_INTERRUPTED = 1, 3, 130


def complain(message: str) -> None:
    """Say on stderr why a command failed."""
    say(f"error: {message}")


def say(message: str) -> None:
    """Say something on stderr; stdout is for results."""
    print(message, file=sys.stderr)  # noqa: T201


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

        stderr.print(f"warning: {record.getMessage()}", markup=False, soft_wrap=True)
