"""What shape a node gives, for the operators that models are made of, and what it cannot be given."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from osscl.model_file.graph_arity import needed_inputs
from osscl.model_file.onnx_graph import Node
from osscl.support.paths import brief

Size: TypeAlias = int | str | None
"""Of an axis; text is a size that has a name alone, None one that is not known."""
Shape: TypeAlias = tuple[Size, ...] | None
"""Of a value; None where not even the number of axes is known."""

_AS_THE_FIRST_INPUT = """
    Abs BatchNormalization Cast Ceil Celu Clip DequantizeLinear Dropout Elu Erf Exp Floor Gelu HardSigmoid
    HardSwish Identity InstanceNormalization LRN LayerNormalization LeakyRelu Log LogSoftmax LpNormalization
    Mish Neg Not PRelu QuantizeLinear Reciprocal Relu Round Selu Sigmoid Sign Softmax Softplus Softsign Sqrt
    Tanh ThresholdedRelu
"""
_BROADCAST = """
    Add And Div Equal Greater GreaterOrEqual Less LessOrEqual Max Mean Min Mod Mul Or Pow Sub Sum Where Xor
"""
_SLIDING = "AveragePool LpPool MaxPool"
_RESIZING = "Pad Resize Slice Tile"
_REDUCING = """
    ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum
    ReduceSumSquare
"""
_WITH_ONE_AXIS = "LayerNormalization LogSoftmax LpNormalization Softmax"


class MisfitError(Exception):
    """Values do not fit together at a node; said is why."""


@dataclass(frozen=True, slots=True)
class Call:
    """A node, with what is known of its inputs.

    Attributes
    ----------
    node : Node
        The node.
    shapes : list of Shape
        Of its inputs.
    integers : list of list of int, or None
        Content of its inputs, where they are constant lists of integers.
    """

    node: Node
    shapes: list[Shape]
    integers: list[list[int] | None]

    def number(self, name: str, default: int) -> int:
        """An attribute that is an integer; the default where it is not there, or something else."""
        value = self.node.attributes.get(name, default)
        return value if isinstance(value, int) else default

    def axes(self) -> list[int] | None:
        """Axes that the second input or the attribute of this name lists; None where neither is known."""
        if len(self.node.inputs) > 1 and self.node.inputs[1]:
            listed = self.shapes[1]
            if listed is not None and len(listed) > 1:
                raise MisfitError(f"is given a table of {len(listed)} axes where it takes a list")
            return self.integers[1]
        value = self.node.attributes.get("axes", ())
        return list(value) if isinstance(value, tuple) else None


def shape_of(call: Call) -> Shape:
    """Shape of a node's first output.

    Parameters
    ----------
    call : Call
        The node and what is known of its inputs.

    Returns
    -------
    tuple of int, str or None; or None
        As far as it is known.

    Raises
    ------
    MisfitError
        The node is given what does not fit.
    """
    rule = _RULES.get(call.node.operator)
    return None if rule is None or len(call.shapes) < needed_inputs(call.node.operator) else rule(call)


def _place(axis: int, n_axes: int) -> int:
    """An axis, counted from the front."""
    if not -n_axes <= axis < n_axes:
        raise MisfitError(f"names axis {brief(axis)} of {n_axes}")
    return axis % n_axes


def _first(call: Call) -> Shape:
    shape = call.shapes[0] if call.shapes else None
    if shape is not None and call.node.operator in _WITH_ONE_AXIS.split():
        _place(call.number("axis", -1), len(shape))
    return shape


def _broadcast(call: Call) -> Shape:
    if not call.shapes or any(shape is None for shape in call.shapes):
        return None
    shapes = [shape for shape in call.shapes if shape is not None]
    rank = max(map(len, shapes))
    padded = [(1,) * (rank - len(shape)) + shape for shape in shapes]
    return tuple(_met(sizes) for sizes in zip(*padded, strict=True))


def _met(sizes: tuple[Size, ...]) -> Size:
    """The size that sizes of 1 are spread to."""
    others = {size for size in sizes if size not in (1, None)}
    if len(others) > 1:
        raise MisfitError(f"joins sizes of {' and '.join(sorted(map(brief, others)))}")
    return next(iter(others), None if None in sizes else 1)


def _slid(call: Call) -> Shape:
    shape = call.shapes[0] if call.shapes else None
    return None if shape is None else (*shape[:2], *(None for _ in shape[2:]))


def _resized(call: Call) -> Shape:
    shape = call.shapes[0]
    return None if shape is None else (None,) * len(shape)


def _convolved(call: Call) -> Shape:
    source, weight = call.shapes[:2]
    if source is None or weight is None:
        return None
    if len(source) != len(weight) or len(source) < 3:
        raise MisfitError(f"has a weight of {len(weight)} axes for {len(source)}")
    n_in, group = weight[1], call.number("group", 1)
    if isinstance(n_in, int) and isinstance(source[1], int) and n_in * group != source[1]:
        raise MisfitError(f"has weights for {brief(n_in * group)} channels and is given {brief(source[1])}")
    return (source[0], weight[0], *(None for _ in source[2:]))


def _multiplied(call: Call) -> Shape:
    a, b = call.shapes[:2]
    if a is None or b is None or len(a) < 2 or len(b) < 2:
        return None
    _met_inside(a[-1], b[-2])
    outer = _broadcast(Call(call.node, [a[:-2], b[:-2]], []))
    return None if outer is None else (*outer, a[-2], b[-1])


def _gemm(call: Call) -> Shape:
    a, b = call.shapes[:2]
    if a is None or b is None:
        return None
    if len(a) != 2 or len(b) != 2:
        raise MisfitError(f"is given {len(a)} and {len(b)} axes where it takes two")
    a = a[::-1] if call.number("transA", 0) else a
    b = b[::-1] if call.number("transB", 0) else b
    _met_inside(a[1], b[0])
    return a[0], b[1]


def _met_inside(a: Size, b: Size) -> None:
    """What is summed over: not even 1 is spread there, and no model is made for one number of clips alone."""
    if a is not None and b is not None and a != b:
        raise MisfitError(f"sums over {brief(a)} and {brief(b)} elements")


def _transposed(call: Call) -> Shape:
    shape = call.shapes[0] if call.shapes else None
    order = call.node.attributes.get("perm")
    if shape is None or not isinstance(order, tuple):
        return None if shape is None else shape[::-1]
    if sorted(order) != list(range(len(shape))):
        raise MisfitError(f"puts {len(shape)} axes in the order {brief(list(order))}")
    return tuple(shape[axis] for axis in order)


def _unsqueezed(call: Call) -> Shape:
    shape, axes = call.shapes[0], call.axes()
    if shape is None or axes is None:
        return None
    rank = len(shape) + len(axes)
    places = {_place(axis, rank) for axis in axes}
    if len(places) != len(axes):
        raise MisfitError(f"names an axis twice: {brief(axes)}")
    sizes = iter(shape)
    return tuple(1 if place in places else next(sizes) for place in range(rank))


def _squeezed(call: Call) -> Shape:
    shape, axes = call.shapes[0], call.axes()
    if shape is None or not axes:
        return None
    places = {_place(axis, len(shape)) for axis in axes}
    return tuple(size for place, size in enumerate(shape) if place not in places)


def _reduced(call: Call) -> Shape:
    shape, axes = call.shapes[0], call.axes()
    if shape is None or axes is None:
        return None
    places = {_place(axis, len(shape)) for axis in axes}
    if not places:
        return shape if call.number("noop_with_empty_axes", 0) else None
    if call.number("keepdims", 1):
        return tuple(1 if place in places else size for place, size in enumerate(shape))
    return tuple(size for place, size in enumerate(shape) if place not in places)


def _concatenated(call: Call) -> Shape:
    shapes = [shape for shape in call.shapes if shape is not None]
    if len({len(shape) for shape in shapes}) > 1:
        raise MisfitError("joins values of different numbers of axes")
    if len(shapes) != len(call.shapes) or not shapes:
        return None
    along = _place(call.number("axis", 0), len(shapes[0]))
    return tuple(
        None if place == along else _same(sizes) for place, sizes in enumerate(zip(*shapes, strict=True))
    )


def _same(sizes: tuple[Size, ...]) -> Size:
    stated = {size for size in sizes if size is not None}
    if len(stated) > 1:
        raise MisfitError(f"joins sizes of {' and '.join(sorted(map(brief, stated)))}")
    return None if None in sizes else next(iter(stated), None)


def _gathered(call: Call) -> Shape:
    shape, indices = call.shapes[:2]
    if shape is None:
        return None
    place = _place(call.number("axis", 0), len(shape))
    return None if indices is None else (*shape[:place], *indices, *shape[place + 1 :])


def _reshaped(call: Call) -> Shape:
    sizes = call.integers[1] if len(call.integers) > 1 else None
    return None if sizes is None else tuple(size if size > 0 else None for size in sizes)


_RULES: dict[str, Callable[[Call], Shape]] = {
    **dict.fromkeys(_AS_THE_FIRST_INPUT.split(), _first),
    **dict.fromkeys(_BROADCAST.split(), _broadcast),
    **dict.fromkeys(_SLIDING.split(), _slid),
    **dict.fromkeys(_REDUCING.split(), _reduced),
    **dict.fromkeys(_RESIZING.split(), _resized),
    "Concat": _concatenated,
    "Conv": _convolved,
    "Gather": _gathered,
    "Gemm": _gemm,
    "MatMul": _multiplied,
    "Reshape": _reshaped,
    "Squeeze": _squeezed,
    "Transpose": _transposed,
    "Unsqueeze": _unsqueezed,
}
