"""Many runs of the console program for the price of one start: a server loads it once, and forks for each.

A run has descriptors and limits of its own, and ends as a process does; only the interpreter is not new.
"""

import atexit
import gc
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pytest

Stream = Literal["open", "closed", "full", "unread"]
"""A file; closed, as by ``>&-``; ``/dev/full``; or a pipe whose reader is gone."""

_RIGHTS = "-dac_override,-dac_read_search"
_HANGS_AFTER_S = 600
_MEMORY_BYTES = 2 << 30


@dataclass(frozen=True)
class Call:
    """One run: its arguments, folder and streams."""

    arguments: Sequence[str]
    folder: str
    stdout: Stream = "open"
    stderr: Stream = "open"


@dataclass(frozen=True)
class Ended:
    """What became of a run; a code below 0 is a signal."""

    code: int
    stdout: str
    stderr: str


def run_all(
    calls: Sequence[Call], packages: Sequence[str] = (), environment: dict[str, str] | None = None
) -> list[Ended]:
    """Run the program so many times, in a process that has loaded these packages.

    No run has the superuser's right to read and write every file; skips where it cannot be taken away.
    """
    variables = os.environ | {"COLUMNS": "110"} | (environment or {})
    variables.pop("PYTEST_CURRENT_TEST", None)  # another one in each test
    wanted = tuple(packages), tuple(sorted(variables.items()))
    if not packages and environment is None:
        return _answer(_kept_server(*wanted), calls)
    server = _started_server(*wanted)  # large, or like no other
    try:
        return _answer(server, calls)
    finally:
        server.communicate()


_Variables = tuple[tuple[str, str], ...]


@cache
def _kept_server(packages: tuple[str, ...], variables: _Variables) -> "subprocess.Popen[str]":
    """A server that lives as long as the process that runs the tests."""
    server = _started_server(packages, variables)
    atexit.register(server.communicate)
    return server


def _started_server(packages: tuple[str, ...], variables: _Variables) -> "subprocess.Popen[str]":
    """A server, which ends where its orders do."""
    return subprocess.Popen(
        [*_without_rights(), sys.executable, __file__, *packages],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=dict(variables),
    )


def _answer(server: "subprocess.Popen[str]", calls: Sequence[Call]) -> list[Ended]:
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(json.dumps([asdict(call) for call in calls]) + "\n")
    server.stdin.flush()
    answer = server.stdout.readline()
    assert answer, "the server has ended; what it said stands above"
    return [Ended(**ended) for ended in json.loads(answer)]


def _without_rights() -> list[str]:
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("the superuser may read everything, and setpriv, which takes that away, is not installed")
    return ["setpriv", "--bounding-set", _RIGHTS, "--inh-caps", _RIGHTS]


def _serve() -> None:
    sys.path.pop(0)  # this folder, whose modules must not stand for others
    from osscl.cli.program import COMMANDS, command

    for package in (
        "osscl.cli.running",
        "osscl.cli.program",
        *(f"osscl.cli.{name}" for name in COMMANDS),
        *sys.argv[1:],
    ):
        __import__(package)
    command("inspect").make_context("inspect", ["demo"])  # typer loads much when it first parses
    gc.collect()
    gc.freeze()  # else the first collection of each run would copy the pages that it shares with the server
    for orders in sys.stdin:
        sys.stdout.write(json.dumps([_run(Call(**call)) for call in json.loads(orders)]) + "\n")
        sys.stdout.flush()


def _run(call: Call) -> dict[str, Any]:
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        child = os.fork()
        if child == 0:
            _become(call, stdout.fileno(), stderr.fileno())
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        texts = []
        for file in (stdout, stderr):
            file.seek(0)
            texts.append(file.read().decode("utf-8", "replace"))
        return asdict(Ended(code, *texts))


def _become(call: Call, stdout: int, stderr: int) -> None:
    code = 1
    try:
        signal.alarm(_HANGS_AFTER_S)
        in_use = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (in_use + _MEMORY_BYTES, resource.RLIM_INFINITY))
        os.chdir(call.folder)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        _redirect(2, call.stderr, stderr)
        _redirect(1, call.stdout, stdout)
        os.closerange(3, 256)
        # as the interpreter makes them of bytes, whatever the encoding of names
        arguments = [os.fsdecode(word.encode("utf-8", "surrogateescape")) for word in call.arguments]
        sys.argv = ["osscl", *arguments]
        code = _end_of_main()
    finally:
        os._exit(code)


def _redirect(descriptor: int, kind: Stream, file: int) -> None:
    name = "stdout" if descriptor == 1 else "stderr"
    if kind == "closed":
        os.close(descriptor)
        setattr(sys, name, None)  # as the interpreter finds it at its start
        setattr(sys, f"__{name}__", None)
    elif kind == "full":
        os.dup2(os.open("/dev/full", os.O_WRONLY), descriptor)
    elif kind == "unread":
        reader, writer = os.pipe()
        os.dup2(writer, descriptor)
        os.close(reader)
        os.close(writer)
    else:
        os.dup2(file, descriptor)


def _end_of_main() -> int:
    """Run the program, and flush as the interpreter does at its end."""
    from osscl.cli import main

    code = 0
    try:
        main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    except BaseException:  # noqa: BLE001 - as the interpreter does
        traceback.print_exc()
        code = 1
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except BaseException:  # noqa: BLE001 - as the interpreter does
            code = 120
            if sys.stderr is not None and stream is not sys.stderr:
                traceback.print_exc()
    return code


if __name__ == "__main__":
    _serve()
