"""The real Triton Inference Server out of NVIDIA's wheel of PyTriton, with the Python backend alone."""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np
import pytest

from support.waiting import wait_until

LOG = "tritonserver.log"
"""Name of the file with what a server says."""

_STUB = "triton_python_backend_stub"
_STRICTLY = "--disable-auto-complete-config"
_RUNNABLE = 0o755
_HANGS_AFTER_S = 120.0


@dataclass(frozen=True)
class Triton:
    """A server that runs.

    Attributes
    ----------
    http, grpc : str
        Its addresses, without a scheme.
    log : Path
        What it says.
    """

    http: str
    grpc: str
    log: Path


def wheel_folder() -> Path:
    """Where ``tritonserver`` lies; skips where it is not installed, or cannot run the Python of the tests."""
    spec = importlib.util.find_spec("pytriton")
    if spec is None or spec.origin is None:
        pytest.skip("the package nvidia-pytriton, which holds tritonserver, is not installed")
    if int(np.__version__.split(".")[0]) > 1:
        pytest.skip("the Python backend in nvidia-pytriton reads texts by NumPy 1 alone (numpy<2)")
    folder = Path(spec.origin).parent / "tritonserver"
    if not _stub(folder).exists():
        pytest.skip(f"nvidia-pytriton has no Python backend for Python {_python_version()}")
    return folder


@contextmanager
def serving(repository: Path, work: Path) -> Iterator[Triton]:
    """Serve a repository of models, whose configurations must say everything, until the block ends."""
    http, grpc = _free_ports(2)
    with _started(repository, work, http, grpc) as process:
        wait_until(lambda: _is_ready(http), process)
        yield Triton(f"127.0.0.1:{http}", f"127.0.0.1:{grpc}", work / LOG)


def refusal(repository: Path, work: Path) -> str:
    """What the server says, which ends because it cannot load a model of the repository."""
    with _started(repository, work, *_free_ports(2)) as process:
        process.wait(_HANGS_AFTER_S)
    return (work / LOG).read_text(encoding="utf-8")


@contextmanager
def _started(repository: Path, work: Path, http: int, grpc: int) -> "Iterator[subprocess.Popen[bytes]]":
    """A server that begins to load a repository; it is told to end where it has not by itself."""
    wheel = wheel_folder()
    backend = work / "backends" / "python"
    shutil.copytree(wheel / "backends" / "python", backend)
    server, stub = work / "tritonserver", backend / _STUB
    for source, copy in ((wheel / "bin" / "tritonserver", server), (_stub(wheel), stub)):
        shutil.copyfile(source, copy)  # a wheel may lack the right to run it
        copy.chmod(_RUNNABLE)
    options = {
        "model-repository": repository,
        "backend-directory": backend.parent,
        "http-address": "127.0.0.1",
        "http-port": http,
        "grpc-address": "127.0.0.1",
        "grpc-port": grpc,
        "allow-metrics": "false",
    }
    with (work / LOG).open("wb") as said:
        process = subprocess.Popen(
            [server, _STRICTLY, *(f"--{name}={value}" for name, value in options.items())],
            stdout=said,
            stderr=subprocess.STDOUT,
            env=os.environ | _surroundings(wheel),
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(_HANGS_AFTER_S)


def _surroundings(wheel: Path) -> dict[str, str]:
    """The wheel's own libraries, and the Python that runs the tests as the one that is found first."""
    libraries = wheel.parents[1] / "nvidia_pytriton.libs"
    return {
        "PATH": _before(str(Path(sys.executable).parent), os.environ.get("PATH")),
        "LD_LIBRARY_PATH": _before(str(libraries), os.environ.get("LD_LIBRARY_PATH")),
    }


def _before(folder: str, others: str | None) -> str:
    """A list of folders, this one first."""
    return f"{folder}{os.pathsep}{others}" if others else folder


def _stub(wheel: Path) -> Path:
    return wheel / "python_backend_stubs" / _python_version() / _STUB


def _python_version() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _is_ready(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/v2/health/ready", timeout=_HANGS_AFTER_S) as answer:
            return bool(answer.status == 200)
    except (URLError, ConnectionError):
        return False
