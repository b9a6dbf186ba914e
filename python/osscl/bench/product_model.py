"""A model that is nothing but matrix products, so that any engine of a GPU tells its own rate of them."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from osscl.model_file.bundle import Bundle, graph_sha256, in_memory_bundle
from osscl.model_file.manifest import Manifest, Precision
from osscl.model_file.onnx_values import value_info
from osscl.model_file.protobuf import length_delimited, varint
from osscl.model_file.signature import TensorSpec

N_PRODUCTS = 16
"""Products in a row: what goes in and out of the model is little beside them."""

_IR_VERSION, _OPSET = 9, 18
_FLOAT, _INT64 = 1, 7  # TensorProto.DataType
_TYPES: dict[str, int] = {"fp32": _FLOAT, "fp16": 10, "bf16": 16}
_INPUT, _OUTPUTS = "waveform", {"embedding": "ReduceMax", "cosine": "ReduceMin"}
_SEED = 0


def has_products(precision: Precision) -> bool:
    """Whether there is such a model in a precision: int8 needs scales that no chain of products has."""
    return precision in _TYPES


def product_bundle(manifest: Manifest, size: int) -> Bundle:
    """Make the model: X, X W, X W W, ... with the highest and lowest element of each column as outputs.

    Parameters
    ----------
    manifest : Manifest
        Of the model that is measured: its precision is that of the products.
    size : int
        Rows and columns of all matrices.

    Returns
    -------
    Bundle
        Takes X [batch, size * size] under the name of a waveform; standard normal numbers stay so.
    """
    graph = _model(manifest.network.precision, size)

    def tensor(name: str, n_elements: int) -> TensorSpec:
        return TensorSpec(name=name, shape=("batch", n_elements), meaning="of matrix products")

    described = replace(
        manifest,
        clip=replace(manifest.clip, n_samples=size * size),
        inputs=(tensor(_INPUT, size * size),),
        outputs=tuple(tensor(name, size) for name in _OUTPUTS),
        graph_sha256=graph_sha256(graph),
        accuracy=None,
    )
    return in_memory_bundle(graph, described)


def _model(precision: Precision, size: int) -> bytes:
    """ModelProto."""
    dtype = _TYPES[precision]
    nodes = [_node("Reshape", [_INPUT, "shape"], "matrix"), _cast("matrix", "product_0", dtype)]
    nodes += [  # [batch, size, size]
        _node("MatMul", [f"product_{number}", "weight"], f"product_{number + 1}")
        for number in range(N_PRODUCTS)
    ]
    nodes.append(_cast(f"product_{N_PRODUCTS}", "result", _FLOAT))
    nodes += [
        _node(operator, ["result", "rows"], name, _int_attribute("keepdims", 0))
        for name, operator in _OUTPUTS.items()
    ]
    constants = [
        _tensor("shape", _INT64, (3,), np.array([-1, size, size], "<i8").tobytes()),
        _tensor("rows", _INT64, (1,), np.array([1], "<i8").tobytes()),
        _tensor("weight", dtype, (size, size), _as_bytes(_weight(size), precision)),
    ]
    parts = [
        *(length_delimited(1, node) for node in nodes),
        length_delimited(2, b"matrix products"),
        *(length_delimited(5, constant) for constant in constants),
        length_delimited(11, value_info(_INPUT, (size * size,))),
        *(length_delimited(12, value_info(name, (size,))) for name in _OUTPUTS),
    ]
    opset = length_delimited(1, b"") + varint(2, _OPSET)
    return varint(1, _IR_VERSION) + length_delimited(7, b"".join(parts)) + length_delimited(8, opset)


def _weight(size: int) -> npt.NDArray[np.float32]:
    """Random and not constant: a card runs slower on numbers that differ."""
    normal = np.random.default_rng(_SEED).standard_normal((size, size), np.float32)
    return normal / np.float32(np.sqrt(size))


def _as_bytes(array: npt.NDArray[np.float32], precision: str) -> bytes:
    if precision == "bf16":  # the upper half of a float32, rounded
        return ((array.view(np.uint32) + 0x8000) >> 16).astype("<u2").tobytes()
    return array.astype("<f2" if precision == "fp16" else "<f4").tobytes()


def _node(operator: str, inputs: Iterable[str], output: str, *attributes: bytes) -> bytes:
    """NodeProto."""
    return b"".join(
        [
            *(length_delimited(1, name.encode()) for name in inputs),
            length_delimited(2, output.encode()),
            length_delimited(3, output.encode()),
            length_delimited(4, operator.encode()),
            *(length_delimited(5, attribute) for attribute in attributes),
        ]
    )


def _cast(source: str, output: str, dtype: int) -> bytes:
    return _node("Cast", [source], output, _int_attribute("to", dtype))


def _int_attribute(name: str, value: int) -> bytes:
    """AttributeProto."""
    kind_of_int = 2
    return length_delimited(1, name.encode()) + varint(3, value) + varint(20, kind_of_int)


def _tensor(name: str, dtype: int, shape: Iterable[int], content: bytes) -> bytes:
    """TensorProto."""
    dimensions = b"".join(varint(1, size) for size in shape)
    return dimensions + varint(2, dtype) + length_delimited(8, name.encode()) + length_delimited(9, content)
