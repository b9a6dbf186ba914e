"""What TensorRT's engine inspector says of an engine's layers, and whether they run in the types asked for.

Its document differs between versions: a tensor's type stands in "Format/Datatype" in TensorRT 10, in a field
of its own in 11, and in neither while batch sizes are open; weights and the kernel's name tell it too.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from osscl.backends.tensorrt.heavy_nodes import HeavyNode
from osscl.errors import BackendError
from osscl.model_file.manifest import Precision
from osscl.support.listing import listed


class Layer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A layer of an engine that computes convolutions or matrix products.

    Attributes
    ----------
    name : str
        As TensorRT calls it: joined from the names of the nodes that it computes.
    kind : str
        TensorRT's word for it.
    dtype : str
        Type it computes in: a precision's name, "tf32", or "unknown".
    nodes : tuple of str
        Heavy nodes of the graph that it computes.
    """

    name: str
    kind: str
    dtype: str
    nodes: tuple[str, ...]


_PRODUCT = re.compile(r"conv|gemm|matmul|matrix_?multiply|fprop|fully_?connected", re.IGNORECASE)
_DESCRIPTIONS = ("LayerType", "ParameterType", "TacticName")
_FUSED = re.compile(
    r"__myl_\w*?(?:conv|gemm|matmul|dot)", re.IGNORECASE
)  # a name made of all that it computes
_NAMES = ("Name", "Metadata")
_TENSOR_TYPES = ("DataType", "Datatype", "Format/Datatype", "Format")
# In a kernel's name the types of both factors come first, as in "..._f16f16_f16f32_f32_...".
_WORDS = {
    "bf16": r"bf16|bfloat16",
    "fp16": r"fp16|half|float16|(?<![a-z])f16|h\d*gemm|h884|h1688|h16816",
    "int8": r"u?int8|(?<![a-z])i8|imma",
    "fp32": r"fp32|float32|float(?!\d)|(?<![a-z])f32|sgemm",
}
_SHOWN = 5


def heavy_layers(document: str, nodes: Iterable[str]) -> tuple[Layer, ...]:
    """Read the layers that compute heavy nodes out of an inspector's document.

    Parameters
    ----------
    document : str
        What the engine inspector gives in JSON, of an engine built with detailed verbosity.
    nodes : iterable of str
        Names of the graph's heavy nodes.

    Returns
    -------
    tuple of Layer
        In the order of the engine.

    Raises
    ------
    BackendError
        The document cannot be read, or tells nothing but names.
    """
    try:
        listed = json.loads(document)["Layers"]
        names_only = [layer for layer in listed if isinstance(layer, str)]
    except (ValueError, TypeError, KeyError) as error:
        raise BackendError(
            f"TensorRT's engine inspector gives a document that osscl cannot read "
            f"({type(error).__name__}: {error}): the precision of this engine cannot be confirmed"
        ) from None
    if names_only:
        raise BackendError(
            f"TensorRT's engine inspector tells no more than the name of layer '{names_only[0]}': the engine "
            "was not built with detailed profiling verbosity, and its precision cannot be confirmed"
        )
    wanted = {name: re.compile(rf"(?<![\w.]){re.escape(name)}(?![\d.])") for name in nodes}
    found = []
    for layer in listed:
        if isinstance(layer, dict) and _is_product(layer):
            names = _text(layer, _NAMES)
            computed = tuple(name for name, pattern in wanted.items() if pattern.search(names))
            if computed:
                found.append(
                    Layer(str(layer.get("Name")), str(layer.get("LayerType")), _type(layer), computed)
                )
    return tuple(found)


def check_precision(layers: Sequence[Layer], nodes: Mapping[str, HeavyNode], precision: Precision) -> None:
    """Make sure that an engine computes its heavy layers in the types that the graph states.

    Parameters
    ----------
    layers : sequence of Layer
        Out of `heavy_layers`.
    nodes : mapping of str to HeavyNode
        The graph's heavy nodes.
    precision : str
        The model's precision.

    Raises
    ------
    BackendError
        A layer runs in another type, or none of those in the model's precision is known to run in it.
    """
    wrong = []
    for layer in layers:
        stated = sorted({nodes[node].dtype for node in layer.nodes})
        if layer.dtype not in ("unknown", *stated):
            wrong.append(f"{layer.name} in {layer.dtype} instead of {' or '.join(stated)}")
    if wrong:
        raise BackendError(
            f"the engine does not run in the model's precision {precision}: {listed(wrong, _SHOWN)}"
        )
    if not any(layer.dtype == precision for layer in layers):
        raise BackendError(
            f"TensorRT's inspector shows none of the model's {len(nodes)} heavy layers in {precision}, "
            "so that the precision of this engine cannot be confirmed"
        )


def _is_product(layer: Mapping[str, Any]) -> bool:
    fused = _FUSED.match(str(layer.get("Name", "")))
    return fused is not None or _PRODUCT.search(_text(layer, _DESCRIPTIONS)) is not None


def _text(layer: Mapping[str, Any], fields: Iterable[str]) -> str:
    return " ".join(str(layer.get(field, "")) for field in fields)


def _type(layer: Mapping[str, Any]) -> str:
    """Type that a layer computes in; the kernel's name alone tells TF32 from fp32."""
    kernel = str(layer.get("TacticName", ""))
    if "tf32" in kernel.lower():
        return "tf32"
    weights = layer.get("Weights")
    stated = [str(weights.get("Type", ""))] if isinstance(weights, dict) else []
    inputs = layer.get("Inputs")
    if isinstance(inputs, list) and inputs and isinstance(inputs[0], dict):
        stated += [str(inputs[0].get(field, "")) for field in _TENSOR_TYPES]
    known = [dtype for dtype in map(_read_type, stated) if dtype is not None]
    return (known or [_read_type(kernel) or "unknown"])[0]


def _read_type(text: str) -> str | None:
    """First of the types that a text names."""
    hits = [
        (match.start(), dtype)
        for dtype, words in _WORDS.items()
        for match in re.finditer(words, text, re.IGNORECASE)
    ]
    return min(hits)[1] if hits else None
