"""Inputs and outputs of an ONNX graph: name, type and shape of each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from osscl.model_file import protobuf

_FLOAT = 1  # TensorProto.DataType
_VALUE_NAME, _VALUE_TYPE = 1, 2  # of ValueInfoProto
_TENSOR_TYPE = 1  # of TypeProto
_ELEMENT_TYPE, _SHAPE = 1, 2  # of TypeProto.Tensor
_DIMENSION = 1  # of TensorShapeProto
_SIZE, _SYMBOL = 1, 2  # of TensorShapeProto.Dimension
_DTYPES = {
    _FLOAT: "float32",
    2: "uint8",
    3: "int8",
    4: "uint16",
    5: "int16",
    6: "int32",
    7: "int64",
    8: "string",
    9: "bool",
    10: "float16",
    11: "float64",
    12: "uint32",
    13: "uint64",
    16: "bfloat16",
}


@dataclass(frozen=True, slots=True)
class Value:
    """An input or output of a graph.

    Attributes
    ----------
    name : str
        Its name.
    dtype : str
        Type of its elements; "no tensor" where it is something else.
    shape : tuple of int or str, or None
        Sizes; text is a size that has only a name, "?" one that has not even that. None where not even the
        number of axes is stated.
    """

    name: str
    dtype: str
    shape: tuple[int | str, ...] | None

    def __str__(self) -> str:
        shape = "of any shape" if self.shape is None else f"[{', '.join(map(str, self.shape))}]"
        return f"{self.name} {self.dtype} {shape}"


def read_value(message: memoryview) -> Value:
    """Read an input or output.

    Parameters
    ----------
    message : memoryview
        ValueInfoProto.

    Returns
    -------
    Value
        What it says.

    Raises
    ------
    MalformedError
        It is malformed.
    """
    parts = list(protobuf.fields(message))
    name = protobuf.text(protobuf.single(parts, _VALUE_NAME))
    kind = protobuf.single(parts, _VALUE_TYPE)
    tensor = kind and protobuf.single(protobuf.fields(protobuf.inner(kind)), _TENSOR_TYPE)
    if tensor is None:
        return Value(name, "no tensor", None)
    content = list(protobuf.fields(protobuf.inner(tensor)))
    number = protobuf.integer(protobuf.single(content, _ELEMENT_TYPE))
    shape = protobuf.single(content, _SHAPE)
    sizes = None if shape is None else tuple(_sizes(protobuf.inner(shape)))
    return Value(name, _DTYPES.get(number, f"ONNX type {number}"), sizes)


def value_info(name: str, shape: Sequence[int]) -> bytes:
    """Describe an input or output of a graph: ValueInfoProto of a float32 tensor [batch, *shape].

    Parameters
    ----------
    name : str
        Its name.
    shape : sequence of int
        Its shape behind the batch axis.

    Returns
    -------
    bytes
        The message.
    """
    dimensions = protobuf.length_delimited(_SYMBOL, b"batch"), *(protobuf.varint(_SIZE, n) for n in shape)
    shape_message = b"".join(protobuf.length_delimited(_DIMENSION, dimension) for dimension in dimensions)
    tensor = protobuf.varint(_ELEMENT_TYPE, _FLOAT) + protobuf.length_delimited(_SHAPE, shape_message)
    return protobuf.length_delimited(_VALUE_NAME, name.encode()) + protobuf.length_delimited(
        _VALUE_TYPE, protobuf.length_delimited(_TENSOR_TYPE, tensor)
    )


def _sizes(shape: memoryview) -> Iterable[int | str]:
    for part in protobuf.fields(shape):
        if part.number == _DIMENSION:
            dimension = list(protobuf.fields(protobuf.inner(part)))
            size = protobuf.single(dimension, _SIZE)
            symbol = protobuf.text(protobuf.single(dimension, _SYMBOL))
            if size is not None and symbol:
                raise protobuf.MalformedError(f"a size is both {protobuf.integer(size)} and a name")
            yield symbol or "?" if size is None else protobuf.integer(size)
