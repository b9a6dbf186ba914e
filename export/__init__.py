"""From a checkpoint to one self-describing ONNX file; needs the extra ``export``."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from osscl.evaluation.gate_limits import GateLimits

if TYPE_CHECKING:
    from osscl.export.exporting import export_onnx, read_classes

__all__ = ["GateLimits", "export_onnx", "read_classes"]


def __getattr__(name: str) -> Any:
    # loaded when first used: what is asked for is looked at before torch is
    if name not in __all__:
        raise AttributeError(f"module 'osscl.export' has no attribute '{name}'")
    return getattr(import_module("osscl.export.exporting"), name)
