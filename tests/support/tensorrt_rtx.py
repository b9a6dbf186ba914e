"""TensorRT-RTX from PyPI: the builder and the ONNX parser of TensorRT, which need no GPU.

One wheel holds the Python bindings, another, made for ONNX Runtime, the libraries that they bind.
"""

import os
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from support.wheels import NotToBeHad, default_cache, fetch_unpacked

_BINDINGS = "tensorrt_rtx_cu13_bindings"
_LIBRARIES = "onnxruntime_ep_nv_tensorrt_rtx"
_RELEASE = "1.7.1"
_REQUIREMENTS = (f"{_BINDINGS}=={_RELEASE}.116", f"{_LIBRARIES}_cu13==0.5.0")


@pytest.fixture(scope="session")
def rtx() -> dict[str, str]:
    """Environment of a process that can import TensorRT-RTX's bindings."""
    try:
        return rtx_environment(default_cache())
    except NotToBeHad as reason:
        pytest.skip(str(reason))


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
        fetch_unpacked(_REQUIREMENTS, folder, _unpack)
    paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "LD_LIBRARY_PATH": str(folder / "lib"), "PYTHONPATH": os.pathsep.join(paths)}


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
