"""The real Python bindings of TensorRT, loaded without TensorRT: its libraries are replaced by empty ones."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from support.wheels import NotToBeHad, fetch_unpacked

_LIBRARIES = ("nvinfer", "nvinfer_plugin", "nvonnxparser")
_FUNCTIONS = (  # all that the bindings ask of them, as `nm -D --undefined-only` lists it
    "createInferBuilder_INTERNAL",
    "createInferRefitter_INTERNAL",
    "createInferRuntime_INTERNAL",
    "createNvOnnxParserRefitter_INTERNAL",
    "createNvOnnxParser_INTERNAL",
    "getBuilderPluginRegistry",
    "getNvOnnxParserVersion",
    "getPluginRegistry",
    "initLibNvInferPlugins",
)
_LIST_NAMES = """
import json, sys, tensorrt_bindings

def walk(owner, path, deep):
    for name in dir(owner):
        value = getattr(owner, name, None)
        yield path + name
        if isinstance(value, type) and deep:
            yield from walk(value, path + name + ".", deep - 1)

json.dump(sorted(walk(tensorrt_bindings, "", 3)), sys.stdout)
"""


def names_in_bindings(requirement: str, cache: Path, scratch: Path) -> frozenset[str]:
    """All names of a version of TensorRT: "Builder", "Builder.create_network", "ILogger.Severity.ERROR", ...

    Parameters
    ----------
    requirement : str
        Package of the bindings and its version.
    cache : Path
        Where it is kept, 5 MB; downloaded unless it is there.
    scratch : Path
        Folder for the empty libraries.

    Returns
    -------
    frozenset of str
        Names with dots.

    Raises
    ------
    NotToBeHad
        There is no network, no package for this platform and Python, or no C compiler.
    """
    folder = cache / f"{requirement}-{sys.implementation.cache_tag}"
    if not folder.is_dir():
        fetch_unpacked([requirement], folder)
    major = requirement.partition("==")[2].partition(".")[0]
    _make_libraries(scratch, major)
    environment = {**os.environ, "LD_LIBRARY_PATH": str(scratch), "PYTHONPATH": str(folder)}
    command = [sys.executable, "-c", _LIST_NAMES]
    listed = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    assert listed.returncode == 0, listed.stderr
    return frozenset(json.loads(listed.stdout))


def _make_libraries(folder: Path, major: str) -> None:
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        raise NotToBeHad("no C compiler makes the libraries that the bindings of TensorRT are loaded against")
    source = folder / "empty.c"
    source.write_text("".join(f"void {name}(void) {{}}\n" for name in _FUNCTIONS))
    for library in _LIBRARIES:
        target = folder / f"lib{library}.so.{major}"
        subprocess.run([compiler, "-shared", "-fPIC", "-o", target, source], check=True)
