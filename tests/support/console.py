"""The console program, run as users run it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

# Ctrl-C as on a terminal, also where the tests themselves were started in the background, with SIGINT ignored
_PROGRAM = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from osscl.cli import main
main()
"""
# Several calls in one interpreter, whose imports take longer than they do.
_PROGRAM_FOR_EACH = """
import contextlib, io, json, logging, sys
from osscl.cli import main
for arguments in json.load(sys.stdin):
    sys.argv = ["osscl", *arguments]
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    for handler in logging.getLogger("osscl").handlers[1:]:  # main adds one
        logging.getLogger("osscl").removeHandler(handler)
    print(json.dumps([code, out.getvalue(), err.getvalue()]))
"""


def osscl(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the console program to its end."""
    return subprocess.run(
        _command(*arguments), capture_output=True, text=True, timeout=300, cwd=cwd, env=_environment()
    )


def osscl_each(
    commands: Sequence[Sequence[object]], cwd: Path | None = None
) -> "list[subprocess.CompletedProcess[str]]":
    """Run the console program for each of some lists of arguments, one after another in one process."""
    asked = [list(map(str, arguments)) for arguments in commands]
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM_FOR_EACH],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=300,
        cwd=cwd,
        env=_environment(),
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    answers = map(json.loads, done.stdout.splitlines())
    return [
        subprocess.CompletedProcess(arguments, *answer)
        for arguments, answer in zip(asked, answers, strict=True)
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
