"""Runtimes that tell their makers of their use: kept from it, which only works before they are loaded.

Whatever loads ONNX Runtime or OpenVINO does so by `import_quietly`. A user who wants their telemetry says so
by the runtimes' own means, and is heard: by setting ``ORT_DISABLE_TELEMETRY``, or by ``opt_in_out --opt_in``.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType

ONNXRUNTIME_VARIABLE = "ORT_DISABLE_TELEMETRY"

_OFF = "1"
_OPENVINO = "openvino"
_OPENVINO_REPORTER = "openvino_telemetry"
_OPENVINO_CONSENT = Path("intel") / "openvino_telemetry"  # below the home folder


def import_quietly(name: str) -> ModuleType:
    """Import a module without letting it report that to anybody.

    Parameters
    ----------
    name : str
        The module: a runtime, a part of one, or any other.

    Returns
    -------
    module
        The module itself; of ``a.b`` it is ``b``.

    Raises
    ------
    ImportError
        It is not there, or only a folder of its name is. Broken packages raise other errors too.
    """
    os.environ.setdefault(ONNXRUNTIME_VARIABLE, _OFF)
    if name.partition(".")[0] == _OPENVINO and not _wants_openvino_reporter():
        with _without_openvino_reporter():
            module = import_module(name)
    else:
        module = import_module(name)
    if module.__spec__ is not None and module.__spec__.origin is None:
        raise ImportError(f"no more than the folder {next(iter(module.__path__))} is left of it", name=name)
    return module


def telemetry_state() -> str:
    """What the runtimes' telemetry is set to, in words."""
    setting = os.environ.get(ONNXRUNTIME_VARIABLE, _OFF)
    left_to_the_user = []
    if setting != _OFF:
        left_to_the_user.append(f"ONNX Runtime's is as {ONNXRUNTIME_VARIABLE}={setting} has it")
    if _wants_openvino_reporter():
        left_to_the_user.append(f"OpenVINO's is on, as {_OPENVINO_CONSENT} in the home folder has it")
    return "; ".join(left_to_the_user) or "ONNX Runtime's and OpenVINO's are switched off"


@contextmanager
def _without_openvino_reporter() -> Iterator[None]:
    """Hide OpenVINO's package for telemetry while OpenVINO is loaded, which then does without for good.

    That package knows no other way out than a file in the user's home, or the claim that this is a CI job.
    Afterwards it is to be had again: a program around osscl may use it. Threads that load OpenVINO at once
    are no danger, as none of them leaves before it is loaded.
    """
    held = sys.modules.get(_OPENVINO_REPORTER)
    sys.modules[_OPENVINO_REPORTER] = None  # type: ignore[assignment]  # the import system's "not to be had"
    try:
        yield
    finally:
        if sys.modules.get(_OPENVINO_REPORTER) is None:
            sys.modules.pop(_OPENVINO_REPORTER, None)
        if held is not None:
            sys.modules[_OPENVINO_REPORTER] = held


def _wants_openvino_reporter() -> bool:
    """Whether the user agreed to OpenVINO's telemetry; a home that cannot be read holds no agreement."""
    try:
        return (Path.home() / _OPENVINO_CONSENT).read_text().strip() == "1"
    except (OSError, RuntimeError, ValueError):
        return False
