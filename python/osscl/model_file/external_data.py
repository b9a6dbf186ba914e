"""Tensors whose values lie in other files: no hash covers those, and a path may lead anywhere."""

from osscl.errors import ModelFileError
from osscl.model_file import protobuf
from osscl.model_file.onnx_messages import TENSOR, messages

_EXTERNAL_DATA = 13  # of TensorProto


def refuse_external_data(model: bytes) -> None:
    """Refuse a model that keeps weights in other files.

    Parameters
    ----------
    model : bytes
        A serialised ONNX model.

    Raises
    ------
    ModelFileError
        It does.
    MalformedError
        The bytes are no model.
    """
    for kind, message in messages(model):
        if kind == TENSOR and any(part.number == _EXTERNAL_DATA for part in protobuf.fields(message)):
            raise ModelFileError(
                "some weights lie in other files (ONNX external data); one model is one file: "
                "copy it again or export it again with osscl-export"
            )
