"""The package as an interpreter shows it: its modules, also where optional packages are not installed."""

import inspect
import subprocess
import sys

import pytest

import osscl
from osscl.errors import ConfigError

WITHOUT_EXTRAS = """
import sys
sys.modules["onnx"] = sys.modules["torch"] = None
import inspect, pydoc
import osscl
assert {"export", "training", "load", "enroll"} <= dict(inspect.getmembers(osscl)).keys()
pydoc.render_doc(osscl)
for module, name in ((osscl.export, "export_onnx"), (osscl.training, "train")):
    try:
        getattr(module, name)
    except osscl.errors.MissingExtraError as error:
        assert isinstance(error, ImportError)
        print(error)
"""


def test_the_package_is_shown_without_its_extras() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", WITHOUT_EXTRAS], capture_output=True, text=True, timeout=120
    )
    assert (shown.returncode, shown.stderr) == (0, "")
    of_export, of_training = shown.stdout.splitlines()
    assert of_export.startswith("osscl.export.export_onnx needs the package onnx, which ")
    assert of_training.startswith("osscl.training.train needs the package torch, which ")


def test_signatures_are_the_same_in_every_process() -> None:
    assert " at 0x" not in str(inspect.signature(osscl.enroll))
    assert osscl.enroll is osscl.enrolment.enroll


def test_how_recordings_fit_is_said_by_a_fit() -> None:
    with pytest.raises(ConfigError, match=r"fit is an object of type dict; expected an osscl\.Fit"):
        osscl.EnrolOptions(fit={"resample": True})  # type: ignore[arg-type]
    assert osscl.EnrolOptions(fit=osscl.Fit(pad="zero")).fit.pad == "zero"
