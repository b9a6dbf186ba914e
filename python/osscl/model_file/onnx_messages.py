"""Every message of an ONNX model that is a tensor or may hold one, however deep it lies."""

from collections.abc import Iterator

from osscl.model_file import protobuf

TENSOR, SPARSE_TENSOR, FUNCTION, ATTRIBUTE = (
    *("TensorProto", "SparseTensorProto", "FunctionProto", "AttributeProto"),
)
MESSAGES_WITH_TENSORS = {
    "ModelProto": {7: "GraphProto", 20: "TrainingInfoProto", 25: FUNCTION},
    "TrainingInfoProto": {1: "GraphProto", 2: "GraphProto"},
    FUNCTION: {7: "NodeProto", 11: ATTRIBUTE},
    "GraphProto": {1: "NodeProto", 5: TENSOR, 15: SPARSE_TENSOR},
    "NodeProto": {5: ATTRIBUTE},
    ATTRIBUTE: {
        5: TENSOR,
        6: "GraphProto",
        10: TENSOR,
        11: "GraphProto",
        22: SPARSE_TENSOR,
        23: SPARSE_TENSOR,
    },
    SPARSE_TENSOR: {1: TENSOR, 2: TENSOR},
}
"""Message -> number of each field that holds tensors, or holds what holds them -> the message in it."""


def messages(model: bytes) -> Iterator[tuple[str, memoryview]]:
    """Walk through a model without recursion: nothing bounds how deep graphs lie in graphs.

    Parameters
    ----------
    model : bytes
        A serialised ONNX model, or anything else.

    Yields
    ------
    tuple of str and memoryview
        Name of each message in ONNX, and its bytes.

    Raises
    ------
    MalformedError
        A message is malformed.
    """
    unseen = [("ModelProto", memoryview(model))]
    while unseen:
        kind, message = unseen.pop()
        yield kind, message
        inner = MESSAGES_WITH_TENSORS.get(kind)
        if inner:
            unseen += (
                (inner[part.number], protobuf.inner(part))
                for part in protobuf.fields(message)
                if part.number in inner
            )
