"""TensorRT-RTX from PyPI: the builder and the ONNX parser of TensorRT, which need no GPU.

One wheel holds the Python bindings, another, made for ONNX Runtime, the libraries that they bind.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from zipfile import ZipFile

import pytest

_BINDINGS = "tensorrt_rtx_cu13_bindings"
_LIBRARIES = "onnxruntime_ep_nv_tensorrt_rtx"
_RELEASE = "1.7.1"
_REQUIREMENTS = (f"{_BINDINGS}=={_RELEASE}.116", f"{_LIBRARIES}_cu13==0.5.0")
_DOWNLOAD_LIMIT_S = 300


class NotToBeHad(Exception):  # noqa: N818  # a reason to skip
    """TensorRT-RTX cannot be downloaded here."""


@pytest.fixture(scope="session")
def rtx() -> dict[str, str]:
    """Environment of a process that can import TensorRT-RTX's bindings."""
    try:
        return rtx_environment(default_cache())
    except NotToBeHad as reason:
        pytest.skip(str(reason))


def default_cache() -> Path:
    """Folder that keeps downloads from run to run: ``OSSCL_TEST_CACHE``, or one of the user's caches."""
    named = os.environ.get("OSSCL_TEST_CACHE")
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(named or Path(caches) / "osscl-tests")


def rtx_environment(cache: Path) -> dict[str, str]:
    """Environment of a process that can ``import tensorrt_rtx_bindings``.

    Such a process has to be started anew: the loader reads ``LD_LIBRARY_PATH`` only then.

    Parameters
    ----------
    cache : Path
        Where it is kept, 240 MB; downloaded unless it is there.

    Returns
    -------
    dict of str to str
        This process's environment with two variables changed.

    Raises
    ------
    NotToBeHad
        There is no network, or no package for this platform and Python.
    """
    folder = cache / f"tensorrt-rtx-{_RELEASE}-{sys.implementation.cache_tag}"
    if not folder.is_dir():
        _download(folder)
    paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "LD_LIBRARY_PATH": str(folder / "lib"), "PYTHONPATH": os.pathsep.join(paths)}


def _download(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        wheels, unpacked = Path(made) / "wheels", Path(made) / "unpacked"
        _fetch_wheels(wheels)
        for wheel in wheels.glob("*.whl"):
            with ZipFile(wheel) as archive:
                _unpack(archive, unpacked)
        try:
            unpacked.rename(folder)
        except OSError:
            assert folder.is_dir(), "another process was to have unpacked the same meanwhile"


def _fetch_wheels(folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    try:
        done = subprocess.run(
            [*command, "--dest", folder, *_REQUIREMENTS],
            capture_output=True,
            text=True,
            timeout=_DOWNLOAD_LIMIT_S,
        )
    except subprocess.TimeoutExpired:
        raise NotToBeHad(f"pip did not fetch TensorRT-RTX within {_DOWNLOAD_LIMIT_S} s") from None
    if done.returncode:
        raise NotToBeHad(f"pip cannot fetch TensorRT-RTX: {done.stderr.strip().splitlines()[-1]}")


def _unpack(archive: ZipFile, folder: Path) -> None:
    """Bindings as they lie in their wheel, libraries by the names that the loader asks for."""
    for name in archive.namelist():
        if name.startswith("tensorrt_rtx_bindings/"):
            archive.extract(name, folder)
        elif Path(name).name in {f"libtensorrt_{part}.so.{_RELEASE}" for part in ("rtx", "onnxparser_rtx")}:
            library = folder / "lib" / Path(name).name.removesuffix(_RELEASE[1:])  # ends in .so.1
            library.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(name) as packed, library.open("wb") as file:
                while part := packed.read(2**20):
                    file.write(part)
