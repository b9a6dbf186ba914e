"""Packages, the native front end and the runtimes on the processor."""

import platform
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version

from osscl import frontend
from osscl.errors import ConfigError
from osscl.health.finding import Finding
from osscl.support.installed import version_of
from osscl.support.threads import usable_cpus

_EXTRAS = {
    "onnxruntime": ("cpu", "scoring on the CPU, and on GPUs by its build for them"),
    "openvino": ("openvino", "scoring on the CPU, bf16 models"),
    "tensorrt": ("tensorrt", "scoring on GPUs, the fastest way"),
    "cuda-bindings": ("tensorrt,cuda", "scoring on GPUs"),
    "soxr": ("resample", "recordings of other sample rates than the model's"),
    "pyarrow": ("parquet", "Parquet tables"),
    "torch": ("train,export", "osscl train and osscl-export"),
    "safetensors": ("train,export", "osscl train and osscl-export"),
    "onnx": ("export", "osscl-export"),
    "onnxscript": ("export", "osscl-export"),
}
_RUNTIME_BUILDS = ("onnxruntime", "onnxruntime-gpu")


def check_packages() -> list[Finding]:
    """Check what scoring on the processor, training and export need.

    Returns
    -------
    list of Finding
        In a fixed order.
    """
    return [
        Finding(
            "osscl", "ok", f"{version('osscl')} on Python {platform.python_version()}, {platform.platform()}"
        ),
        _front_end(),
        Finding("processors", "ok", f"{usable_cpus()} usable"),
        _decoder(),
        *map(_extra, _EXTRAS),
        *_clashing_runtimes(),
    ]


def _front_end() -> Finding:
    try:
        return Finding("front end", "ok", f"instruction set {frontend.instruction_set()}")
    except ConfigError as error:
        return Finding("front end", "broken", str(error), f"unset {frontend.ISA_VARIABLE}")


def _decoder() -> Finding:
    try:
        soundfile = import_module("soundfile")
    except (ImportError, OSError) as error:
        return Finding("audio", "broken", str(error), "pip install --force-reinstall soundfile")
    return Finding("audio", "ok", f"soundfile {soundfile.__version__}, {soundfile.__libsndfile_version__}")


def _extra(package: str) -> Finding:
    extra, purpose = _EXTRAS[package]
    remedy = f'pip install "osscl[{extra}]"'
    installed = [name for name in (package, f"{package}-gpu") if version_of(name)]
    if not installed:
        return Finding(package, "missing", f"not installed, needed for {purpose}", remedy)
    # torch takes seconds to load and is not needed to run a model: only asked whether it is there
    if package != "torch":
        try:
            import_module(package.replace("-", "."))
        except Exception as error:  # noqa: BLE001 - whatever a broken package raises is the finding
            return Finding(
                package, "broken", f"{type(error).__name__}: {error}", f"{remedy} --force-reinstall"
            )
    return Finding(
        package, "ok", f"{', '.join(f'{name} {version_of(name)}' for name in installed)}, {purpose}"
    )


def _clashing_runtimes() -> Iterator[Finding]:
    """ONNX Runtime's two builds write the same files: the last one installed wins, whatever is asked for."""
    if all(map(version_of, _RUNTIME_BUILDS)):
        names = " and ".join(_RUNTIME_BUILDS)
        yield Finding(
            "onnxruntime",
            "broken",
            f"{names} are both installed and overwrite one another",
            f"{sys.executable} -m pip uninstall -y {' '.join(_RUNTIME_BUILDS)}, then install one of them",
        )
