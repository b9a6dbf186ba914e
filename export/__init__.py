"""From a checkpoint to one self-describing ONNX file; needs the extra ``export``."""

from osscl.evaluation.gate_limits import GateLimits
from osscl.export.exporting import export_onnx, read_classes

__all__ = ["GateLimits", "export_onnx", "read_classes"]
