"""From a checkpoint to one self-describing ONNX file; needs the extra ``export``."""

from osscl.export.exporting import export_onnx, read_classes

__all__ = ["export_onnx", "read_classes"]
