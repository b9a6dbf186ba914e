"""Kinds of mutants: each changes one thing in a serialised ONNX model."""

from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, helper, numpy_helper

from mutating.bases import Base
from osscl.model_file import protobuf

OPERATORS = [
    *("Relu", "Conv", "MaxPool", "Add", "MatMul", "Gemm", "Concat", "Reshape", "Transpose", "Identity"),
    *("Cast", "Expand", "Tile", "ConstantOfShape", "Squeeze", "Unsqueeze", "Gather", "Max", "Pad", "Shape"),
    *("If", "Loop", "Range", "Resize", "OneHot", "NonZero", "TopK", "LSTM", "ReduceMean", "Slice", "Softmax"),
    *("NoSuchOperator", ""),
]
NUMBERS = [
    *(0, 1, -1, 2, 3, 5, 11, 100, 127, 128, 313, 2**15, 2**20),
    *(2**31 - 1, 2**31, -(2**31), 2**40, 2**63 - 1),
]
_GRAPH = 7  # of ModelProto

Kind = Callable[[Random, Base], bytes]


def mutant(base: Base, kind: str, seed: str) -> bytes:
    """The mutant of a kind that a seed gives: a serialised model, or what is left of one."""
    return KINDS[kind](Random(seed), base)


def _on_proto(change: Callable[[Random, onnx.ModelProto, Base], object]) -> Kind:
    """A kind that changes a parsed model."""

    def kind(rng: Random, base: Base) -> bytes:
        model = onnx.ModelProto.FromString(base.model)
        change(rng, model, base)
        return bytes(model.SerializeToString())

    return kind


def _flip_bytes(rng: Random, base: Base) -> bytes:
    """Change up to three bytes of the graph: of a large model mostly in its nodes, which weights outweigh."""
    changed = bytearray(base.model)
    (top,) = (part for part in protobuf.fields(memoryview(base.model)) if part.number == _GRAPH)
    end = len(base.model) - len(base.model[base.model.rindex(bytes(top.payload[-16:])) + 16 :])
    start = end - len(top.payload)
    if base.focus and rng.random() < 0.8:
        end = start + base.model[start:end].index(b"maps.tgram.blocks.0.norm.weight\x4a")
    for _ in range(rng.randint(1, 3)):
        changed[rng.randrange(start, end)] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _on_wire(edit: Callable[[Random, list[bytes]], object]) -> Kind:
    """A kind that changes the list of fields of one message, somewhere in the model."""

    def kind(rng: Random, base: Base) -> bytes:
        return _edited(rng, base.model, onnx.ModelProto.DESCRIPTOR, edit, depth=0)

    return kind


def _edited(rng: Random, message: bytes, descriptor: Any, edit: Any, depth: int) -> bytes:
    parts = list(protobuf.fields(memoryview(message)))
    pieces = [bytes(part.raw) for part in parts]
    kinds = {field.number: field.message_type for field in descriptor.fields if field.message_type}
    inner = [index for index, part in enumerate(parts) if part.number in kinds]
    if inner and rng.random() < (0.97 if depth == 0 else 0.75):
        index = rng.choice(inner)
        part = parts[index]
        changed = _edited(rng, bytes(part.payload), kinds[part.number], edit, depth + 1)
        pieces[index] = protobuf.length_delimited(part.number, changed)
    elif pieces:
        edit(rng, pieces)
    return b"".join(pieces)


def _delete(rng: Random, pieces: list[bytes]) -> None:
    del pieces[rng.randrange(len(pieces))]


def _duplicate(rng: Random, pieces: list[bytes]) -> None:
    pieces.insert(rng.randrange(len(pieces) + 1), rng.choice(pieces))


def _swap(rng: Random, pieces: list[bytes]) -> None:
    a, b = rng.randrange(len(pieces)), rng.randrange(len(pieces))
    pieces[a], pieces[b] = pieces[b], pieces[a]


def _node(rng: Random, model: onnx.ModelProto, base: Base) -> onnx.NodeProto:
    nodes = list(model.graph.node)
    focused = [node for node in nodes if base.focus.intersection(node.output)]
    return rng.choice(focused if focused and rng.random() < 0.7 else nodes)


def _change_attribute(rng: Random, model: onnx.ModelProto, base: Base) -> None:
    for _ in range(100):
        node = _node(rng, model, base)
        if node.attribute:
            break
    if rng.random() < 0.15 or not node.attribute:
        node.attribute.append(
            helper.make_attribute(rng.choice(["axis", "alpha", "pads", "x"]), rng.choice(NUMBERS))
        )
        return
    attribute = rng.choice(node.attribute)
    what = rng.random()
    if what < 0.1:
        attribute.name = rng.choice(["axis", "dilations", "", "kernel_shape"])
    elif what < 0.2:
        attribute.type = rng.choice(list(AttributeProto.AttributeType.values()))
    elif attribute.type == AttributeProto.INT:
        attribute.i = rng.choice(NUMBERS)
    elif attribute.type == AttributeProto.INTS and attribute.ints:
        attribute.ints[rng.randrange(len(attribute.ints))] = rng.choice(NUMBERS)
    elif attribute.type == AttributeProto.FLOAT:
        attribute.f = rng.choice([0.0, -1.0, 1e30, float("nan"), float("inf")])
    else:
        attribute.s = rng.choice([b"", b"SAME_UPPER", b"VALID", b"\xff\xfe"])


def _change_stated_shape(rng: Random, model: onnx.ModelProto, _: Base) -> None:
    value = rng.choice([*model.graph.input, *model.graph.output])
    tensor = value.type.tensor_type
    what = rng.random()
    if what < 0.2:
        tensor.elem_type = rng.choice(list(TensorProto.DataType.values()))
    elif what < 0.3:
        tensor.ClearField("shape")
    elif what < 0.4:
        tensor.shape.dim.add(dim_value=rng.choice([1, 2]))
    else:
        size = rng.choice(tensor.shape.dim)
        if rng.random() < 0.3:
            size.dim_param = rng.choice(["N", "batch", "x"])
        else:
            size.dim_value = rng.choice([size.dim_value + 1, size.dim_value - 1, *NUMBERS])


def _rename(rng: Random, model: onnx.ModelProto, base: Base) -> None:
    """Give one mention of a value another name: one that nobody has, or that another value has."""
    node = _node(rng, model, base)
    names = [name for each in model.graph.node for name in (*each.input, *each.output)]
    new = rng.choice(["nobody", "", rng.choice(names), "waveform", "tfgram", "embedding"])
    place = rng.choice(["input", "output", "tensor", "graph"])
    if place == "input" and node.input:
        node.input[rng.randrange(len(node.input))] = new
    elif place == "output":
        node.output[rng.randrange(len(node.output))] = new
    elif place == "tensor":
        rng.choice(model.graph.initializer).name = new
    else:
        rng.choice([*model.graph.input, *model.graph.output]).name = new


def _truncate(rng: Random, model: onnx.ModelProto, base: Base) -> None:
    """Drop the last of a list, or bytes at the end of a constant."""
    node = _node(rng, model, base)
    lists = [node.input, node.output, model.graph.initializer, model.graph.node, model.graph.output]
    lists += [attribute.ints for attribute in node.attribute if attribute.ints]
    chosen = rng.choice([None, *(each for each in lists if each)])
    if chosen is not None:
        del chosen[-1]
    else:
        tensor = rng.choice(model.graph.initializer)
        tensor.raw_data = tensor.raw_data[: rng.randrange(len(tensor.raw_data) + 1)]


def _change_operator(rng: Random, model: onnx.ModelProto, base: Base) -> None:
    node = _node(rng, model, base)
    if rng.random() < 0.1:
        node.domain = rng.choice(["com.microsoft", "ai.onnx", "own"])
    else:
        node.op_type = rng.choice(OPERATORS)


def _change_constant(rng: Random, model: onnx.ModelProto, base: Base) -> None:
    used = {name for node in model.graph.node if base.focus.intersection(node.output) for name in node.input}
    tensors = [each for each in model.graph.initializer if each.name in used] or model.graph.initializer
    tensor = rng.choice(tensors if rng.random() < 0.7 else model.graph.initializer)
    what = rng.random()
    if what < 0.3:
        tensor.data_type = rng.choice(list(TensorProto.DataType.values()))
    elif what < 0.6 and tensor.dims:
        tensor.dims[rng.randrange(len(tensor.dims))] = rng.choice(NUMBERS)
    elif what < 0.7:
        tensor.dims[:] = list(tensor.dims)[::-1] if rng.random() < 0.5 else [*tensor.dims, 1]
    else:
        values = numpy_helper.to_array(tensor).copy()
        new = rng.choice(NUMBERS) if values.dtype.kind == "i" else rng.choice([0.0, 3.0, 1e4, np.nan, np.inf])
        values.reshape(-1)[rng.randrange(values.size)] = new
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))


def _tie_a_knot(rng: Random, model: onnx.ModelProto, base: Base) -> None:
    """Let a node depend on itself or on one behind it, or put it in another place."""
    nodes = list(model.graph.node)
    node = _node(rng, model, base)
    if rng.random() < 0.3 and len(nodes) > 1:
        nodes.insert(rng.randrange(len(nodes)), nodes.pop(rng.randrange(len(nodes))))
        del model.graph.node[:]
        model.graph.node.extend(nodes)
        return
    behind = nodes[nodes.index(node) :]
    if node.input:
        node.input[rng.randrange(len(node.input))] = rng.choice(rng.choice(behind).output)


def _ask_for_much(rng: Random, model: onnx.ModelProto, base: Base) -> None:
    """Put a node into the way that makes much out of little."""
    sizes = [
        rng.choice([1, 128, 2**10, 2**14, 2**20, 2**24, 10**6, 10**12]) for _ in range(rng.randint(1, 4))
    ]
    model.graph.initializer.append(numpy_helper.from_array(np.array(sizes, np.int64), "much.sizes"))
    operator = rng.choice(["ConstantOfShape", "Expand", "Tile"])
    source = {"ConstantOfShape": [], "Expand": ["much.one"], "Tile": ["much.one"]}[operator]
    one = numpy_helper.from_array(np.ones([1] * len(sizes), np.float32), "much.one")
    model.graph.initializer.append(one)
    target = _node(rng, model, base)
    at = list(model.graph.node).index(target)
    added = [
        helper.make_node(operator, [*source, "much.sizes"], ["much"]),
        helper.make_node("ReduceMean", ["much"], ["much.mean"], keepdims=0),
        helper.make_node("Add", [target.input[0], "much.mean"], ["much.sum"]),
    ]
    target.input[0] = "much.sum"
    for node in added[::-1]:
        model.graph.node.insert(at, node)


KINDS: dict[str, Kind] = {
    "bytes flipped": _flip_bytes,
    "field deleted": _on_wire(_delete),
    "field doubled": _on_wire(_duplicate),
    "fields swapped": _on_wire(_swap),
    "attribute changed": _on_proto(_change_attribute),
    "stated shape changed": _on_proto(_change_stated_shape),
    "value renamed": _on_proto(_rename),
    "list truncated": _on_proto(_truncate),
    "operator changed": _on_proto(_change_operator),
    "constant changed": _on_proto(_change_constant),
    "cycle or disorder": _on_proto(_tie_a_knot),
    "much asked for": _on_proto(_ask_for_much),
}
