"""A process and all its children, watched by the system: whom they speak to, and which files they leave."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

_SPEAKING = ("connect", "sendto", "sendmsg", "sendmmsg")
_WRITING = (
    *("open", "openat", "creat", "mkdir", "mkdirat", "mknod", "mknodat"),
    *("rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"),
)
_FOR_READING = re.compile(r"^open(?:at)?\((?!.*O_(?:WRONLY|RDWR|CREAT))")
_FAMILY = re.compile(r"sa_family=(AF_\w+)")
_PATH = re.compile(r'(?:<([^<>]*)>, )?"((?:[^"\\]|\\.)*)"')
_NO_FILES = ("/dev/", "/proc/", "/sys/")
_TIMEOUT_S = 300


@dataclass(frozen=True, slots=True)
class Watched:
    """What a process did.

    Attributes
    ----------
    done : CompletedProcess
        How it ended.
    spoken_to : list of str
        Calls of the system that reached out of this machine, or tried to look up a name.
    left : list of Path
        Files that it wrote, and that are still there.
    """

    done: subprocess.CompletedProcess[str]
    spoken_to: list[str]
    left: list[Path]

    def outside(self, *folders: Path) -> list[Path]:
        """What it left anywhere but in some folders."""
        return [path for path in self.left if not any(path.is_relative_to(folder) for folder in folders)]


def needs_strace() -> None:
    """Skip a test where processes cannot be watched."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed, which shows what a process does: apt-get install strace")
    tried = subprocess.run(["strace", "-qq", "-o", os.devnull, "true"], capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"strace may not watch processes here (ptrace): {tried.stderr.strip()}")


def run_watched(command: Sequence[object], folder: Path, environment: dict[str, str]) -> Watched:
    """Run a command to its end.

    Parameters
    ----------
    command : sequence
        Program and arguments.
    folder : Path
        Where it runs.
    environment : dict of str
        All of its environment.
    """
    with tempfile.TemporaryDirectory() as traces:
        calls = ",".join((*_SPEAKING, *_WRITING))
        # -ff: a file for each thread, whose calls so are not mixed with others'; -y: folders by their names
        strace = ["strace", "-ff", "--seccomp-bpf", "-qq", "-y", "-s", "65536", "-e", f"trace=?{calls}"]
        done = subprocess.run(
            [*strace, "-o", f"{traces}/calls", "--", *map(str, command)],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            cwd=folder,
            env=environment,
        )
        lines = [line for trace in sorted(Path(traces).iterdir()) for line in _lines(trace)]
    written = {path for line in lines for path in _written(line, folder)}
    return Watched(done, list(filter(_speaks, lines)), sorted(filter(_is_left, written)))


def _lines(trace: Path) -> list[str]:
    return trace.read_text(errors="surrogateescape").splitlines()


def _speaks(line: str) -> bool:
    """Whether a call addresses anything but a process on this machine.

    Looking up a name asks the kernel for its networks (AF_NETLINK) and a server for the name (AF_INET).
    """
    return any(family != "AF_UNIX" for family in _FAMILY.findall(line))


def _written(line: str, folder: Path) -> Iterator[Path]:
    """Paths in a call that may write: of a renaming both, the first of which then is not there any more."""
    if line.startswith(_WRITING) and not _FOR_READING.match(line):
        for start, path in _PATH.findall(line):
            yield Path(os.path.normpath(folder / start / path))


def _is_left(path: Path) -> bool:
    is_bytecode = path.suffix == ".pyc" and path.is_relative_to(sys.prefix)
    return os.path.lexists(path) and not str(path).startswith(_NO_FILES) and not is_bytecode
