"""Facts about an ONNX graph, read without the onnx package."""

import math
from collections import Counter
from typing import Any

from osscl.model_file import protobuf

_OPSET_IMPORT, _GRAPH = 8, 7  # of ModelProto
_OPSET_DOMAIN, _OPSET_VERSION = 1, 2  # of OperatorSetIdProto
_NODE, _INITIALIZER = 1, 5  # of GraphProto
_OPERATOR = 4  # of NodeProto
_DIMENSIONS = 1  # of TensorProto


def graph_facts(model: bytes) -> dict[str, Any]:
    """Count what a graph holds.

    Parameters
    ----------
    model : bytes
        A serialised ONNX model, as `osscl.bundle.read_bundle` accepted it.

    Returns
    -------
    dict
        ``opset``, ``n_nodes``, ``n_parameters`` (elements of all constant tensors) and ``operators``
        (operator -> number of nodes).
    """
    opset = 0
    operators: Counter[str] = Counter()
    n_parameters = 0
    for field in protobuf.fields(memoryview(model)):
        if field.number == _OPSET_IMPORT:
            opset = max(opset, _default_opset(field.payload))
        if field.number != _GRAPH:
            continue
        for part in protobuf.fields(field.payload):
            if part.number == _NODE:
                operators[_operator(part.payload)] += 1
            elif part.number == _INITIALIZER:
                n_parameters += _n_elements(part.payload)
    return {
        "opset": opset,
        "n_nodes": operators.total(),
        "n_parameters": n_parameters,
        "operators": dict(sorted(operators.items())),
    }


def _default_opset(message: memoryview) -> int:
    parts = {part.number: part.payload for part in protobuf.fields(message)}
    is_default = not bytes(parts.get(_OPSET_DOMAIN, b""))
    return _varint(parts[_OPSET_VERSION]) if is_default and _OPSET_VERSION in parts else 0


def _operator(node: memoryview) -> str:
    return "".join(bytes(part.payload).decode() for part in protobuf.fields(node) if part.number == _OPERATOR)


def _n_elements(tensor: memoryview) -> int:
    dimensions: list[int] = []
    for part in protobuf.fields(tensor):
        if part.number == _DIMENSIONS and part.wire_type == protobuf.VARINT:
            dimensions.append(_varint(part.payload))
        elif part.number == _DIMENSIONS:
            dimensions.extend(protobuf.packed_varints(part.payload))
    return math.prod(dimensions)


def _varint(payload: memoryview) -> int:
    return protobuf.packed_varints(payload)[0]
