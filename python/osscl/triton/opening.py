"""The detector of a model in Triton, from what Triton tells of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from osscl.backends import ComputeOptions
from osscl.detector import Detector

MODEL_FILE = "model.onnx"
"""Name of the model file in the folder of a version."""

_NUMBERS = ("threads", "streams", "batch_size")
_TEXTS = ("backend", "engine_cache")


def open_detector(told: Mapping[str, str]) -> Detector:
    """Open the model file that lies beside a model of Triton's Python backend.

    Parameters
    ----------
    told : mapping of str to str
        What Triton hands to ``initialize``: the model's folder and version, its configuration as JSON, and
        the kind and number of the device that this instance is for.

    Returns
    -------
    Detector
        As the configuration's parameters say, on the device that Triton says.

    Raises
    ------
    OssclError
        As by `osscl.load`.
    """
    config = msgspec.json.decode(told["model_config"])
    given = {name: value["string_value"] for name, value in config.get("parameters", {}).items()}
    on_gpu = told["model_instance_kind"] == "GPU"
    asked: dict[str, Any] = {name: int(given[name]) for name in _NUMBERS if name in given}
    asked |= {name: given[name] for name in _TEXTS if name in given}
    compute = ComputeOptions(f"cuda:{told['model_instance_device_id']}" if on_gpu else "cpu", **asked)
    decide: dict[str, Any] = {name: given[name] for name in ("rule", "domain") if name in given}
    if "false_alarm_rate" in given:
        decide["false_alarm_rate"] = float(given["false_alarm_rate"])
    return Detector(Path(told["model_repository"], told["model_version"], MODEL_FILE), compute, **decide)
