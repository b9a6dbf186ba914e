"""Packages, the native front end, the processors and the runtimes on them."""

import os
import platform
import re
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from osscl.errors import ConfigError
from osscl.health.finding import Check, Finding
from osscl.health.probe import probe
from osscl.support.installed import version_of
from osscl.support.listing import listed
from osscl.support.telemetry import import_quietly, telemetry_state
from osscl.support.threads import FILE_TREE, bound_cpus, own_quota, usable_cpus


class _Extra(NamedTuple):
    """An optional package: where osscl enters it, what it is for, and the extras that hold it."""

    module: str
    attribute: str
    purpose: str
    extras: str


_EXTRAS = {
    "onnxruntime": _Extra(
        "onnxruntime", "InferenceSession", "scoring on the CPU, and on GPUs by its build for them", "cpu"
    ),
    "openvino": _Extra("openvino", "Core", "scoring on the CPU, bf16 models", "openvino"),
    "tensorrt": _Extra("tensorrt", "Builder", "scoring on GPUs, the fastest way", "tensorrt"),
    "cuda-bindings": _Extra("cuda.bindings.driver", "cuInit", "scoring on GPUs", "tensorrt,cuda"),
    "soxr": _Extra("soxr", "resample", "recordings of other sample rates than the model's", "resample"),
    "pyarrow": _Extra("pyarrow.parquet", "ParquetWriter", "Parquet tables", "parquet"),
    "jinja2": _Extra("jinja2", "Environment", "osscl report", "report"),
    "pillow": _Extra("PIL.Image", "fromarray", "osscl report", "report"),
    "torch": _Extra("torch.nn", "Module", "osscl train and osscl-export", "train,export"),
    "safetensors": _Extra("safetensors", "safe_open", "osscl train and osscl-export", "train,export"),
    "onnx": _Extra("onnx", "ModelProto", "osscl-export", "export"),
    "onnxscript": _Extra("onnxscript", "script", "osscl-export", "export"),
}
_RUNTIME_BUILDS = ("onnxruntime", "onnxruntime-gpu")
_NAME = re.compile(r"[\w.-]+")


def _osscl() -> Iterator[Finding]:
    installation = f"{version_of('osscl')} on Python {platform.python_version()}, {platform.platform()}"
    yield Finding("osscl", "ok", installation)


def _required() -> Iterator[Finding]:
    """The packages that osscl never goes without; soundfile has a check of its own."""
    requirements = metadata.requires("osscl") or []
    names = [_NAME.match(line) for line in requirements if "extra ==" not in line]
    packages = [name[0] for name in names if name is not None and name[0] != "soundfile"]
    for package in packages:
        import_quietly(package)
    found = ", ".join(f"{package} {version_of(package)}" for package in packages)
    yield Finding("packages", "ok", found)


def _front_end() -> Iterator[Finding]:
    from osscl import frontend

    try:
        yield Finding("front end", "ok", f"instruction set {frontend.instruction_set()}")
    except ConfigError as error:
        yield Finding("front end", "broken", str(error), f"unset {frontend.ISA_VARIABLE}")


def processors(root: Path = FILE_TREE) -> Iterator[Finding]:
    """Say how many processors may be used, and what limits them.

    Parameters
    ----------
    root : Path
        Top of the file tree that tells of control groups.

    Yields
    ------
    Finding
        The one.
    """
    quota, bound, there = own_quota(root), bound_cpus(), os.cpu_count() or 1
    found = f"{usable_cpus(root)} usable"
    if quota is not None and quota.processors < bound:
        found += f", of {there}: a cgroup quota of {quota.processors:.1f} processors in {quota.folder}"
    elif bound < there:
        found += f", of {there}: this process is bound to them"
    yield Finding("processors", "ok", found)


def _decoder() -> Iterator[Finding]:
    soundfile = import_quietly("soundfile")
    library = f"libsndfile {soundfile.__libsndfile_version__}"
    yield Finding("audio", "ok", f"soundfile {soundfile.__version__}, {library}")


def _extras() -> Iterator[Finding]:
    # torch takes seconds to load: the others need not wait for it
    with ThreadPoolExecutor(usable_cpus()) as pool:
        yield from pool.map(_extra, _EXTRAS)


def _extra(package: str) -> Finding:
    extra = _EXTRAS[package]
    installed = _builds_of(package)
    if not installed:
        remedy = f'pip install "osscl[{extra.extras}]"'
        return Finding(package, "missing", f"not installed, needed for {extra.purpose}", remedy)
    failed = probe(extra.module, extra.attribute, installed)
    if failed is not None:
        return Finding(package, "broken", *failed)
    versions = ", ".join(f"{name} {version_of(name)}" for name in installed)
    others = lacking_beside(package, lambda name: bool(_builds_of(name)))
    if others:
        remedy = f'pip install "osscl[{extra.extras.partition(",")[0]}]"'
        return Finding(
            package, "ok", f"{versions}, but {extra.purpose} needs {listed(others, 3)} too", remedy
        )
    return Finding(package, "ok", f"{versions}, {extra.purpose}")


def _builds_of(package: str) -> list[str]:
    """Names by which a package is installed: its own, or that of its build for GPUs."""
    return [name for name in (package, f"{package}-gpu") if version_of(name)]


def lacking_beside(package: str, is_installed: Callable[[str], bool]) -> list[str]:
    """Name the packages without which an installed one is of no use.

    Parameters
    ----------
    package : str
        One of an extra.
    is_installed : callable
        Whether a package is.

    Returns
    -------
    list of str
        What the first of its extras lacks; empty where one of its extras is complete.
    """
    lacking = [
        [
            name
            for name, other in _EXTRAS.items()
            if extra in other.extras.split(",") and not is_installed(name)
        ]
        for extra in _EXTRAS[package].extras.split(",")
    ]
    return lacking[0] if all(lacking) else []


def _telemetry() -> Iterator[Finding]:
    yield Finding("telemetry", "ok", telemetry_state())


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


PACKAGE_CHECKS: dict[str, Check] = {
    "osscl": _osscl,
    "packages": _required,
    "front end": _front_end,
    "processors": processors,
    "audio": _decoder,
    "extras": _extras,
    "onnxruntime": _clashing_runtimes,
    "telemetry": _telemetry,
}
"""What scoring on the processor, training and export need, in order."""
