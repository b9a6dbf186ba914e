"""From a checkpoint to one self-describing ONNX file; needs the extra ``export``."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from osscl.support.failed_import import needing

if TYPE_CHECKING:
    from osscl.evaluation.gate_limits import GateLimits
    from osscl.export.exporting import export_onnx, read_classes

__all__ = ["GateLimits", "export_onnx", "read_classes"]

# loaded when first used: the package can be looked at where its extra is not installed
_HOMES = {
    "GateLimits": "osscl.evaluation.gate_limits",
    "export_onnx": "osscl.export.exporting",
    "read_classes": "osscl.export.exporting",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'osscl.export' has no attribute '{name}'")
    with needing(f"osscl.export.{name}", "export"):
        return getattr(import_module(_HOMES[name]), name)
