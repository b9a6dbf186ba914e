"""The console program, run as users run it."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from support.forked_console import Call, run_all

# Ctrl-C as on a terminal, also where the tests themselves were started in the background, with SIGINT ignored
_PROGRAM = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from osscl.cli import main
main()
"""


def osscl(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the console program to its end."""
    return subprocess.run(
        _command(*arguments), capture_output=True, text=True, timeout=300, cwd=cwd, env=_environment()
    )


WITH_TORCH = ("osscl.training.runs", "osscl.export")
"""What commands load for seconds that train or export."""


def osscl_each(
    commands: Sequence[Sequence[object]], cwd: Path | None = None, packages: Sequence[str] = ()
) -> "list[subprocess.CompletedProcess[str]]":
    """Run the program for each list of arguments in turn, in forks of one process with `packages`."""
    asked = [tuple(map(str, arguments)) for arguments in commands]
    ended = run_all([Call(arguments, str(cwd or Path.cwd())) for arguments in asked], packages)
    return [
        subprocess.CompletedProcess(arguments, each.code, each.stdout, each.stderr)
        for arguments, each in zip(asked, ended, strict=True)
    ]


@contextmanager
def started_osscl(*arguments: object) -> "Iterator[subprocess.Popen[str]]":
    """The console program while it runs: signals may be sent to it; it is ended at the end."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        _command(*arguments), stdout=pipe, stderr=pipe, text=True, env=_environment()
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _command(*arguments: object) -> list[str]:
    return [sys.executable, "-c", _PROGRAM, *map(str, arguments)]


def _environment() -> dict[str, str]:
    return os.environ | {"COLUMNS": "110"}
