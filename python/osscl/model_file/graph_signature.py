"""Inputs and outputs of a graph held against its manifest."""

from collections.abc import Iterator
from itertools import zip_longest

from osscl.errors import ModelFileError
from osscl.model_file.manifest import Manifest
from osscl.model_file.onnx_graph import Graph
from osscl.model_file.onnx_values import Value
from osscl.model_file.signature import TensorSpec
from osscl.support.paths import brief


def check_signature(graph: Graph, manifest: Manifest) -> None:
    """Refuse a graph that is not the one its manifest describes.

    Parameters
    ----------
    graph : Graph
        The graph.
    manifest : Manifest
        What is said of it.

    Raises
    ------
    ModelFileError
        Its inputs or outputs have other names, types or shapes.
    """
    for flaw in (
        *_other_values("input", graph.inputs, manifest.inputs),
        *_other_values("output", graph.outputs, manifest.outputs),
    ):
        raise ModelFileError(f"{flaw}; export the model again with osscl-export")


def _other_values(kind: str, values: list[Value], expected: tuple[TensorSpec, ...]) -> Iterator[str]:
    for number, (value, spec) in enumerate(zip_longest(values, expected), start=1):
        if value is None:
            yield f"{kind} {number} of the graph is missing; the manifest says {spec}"
        elif spec is None:
            yield f"{kind} {number} of the graph is {brief(value)}; the manifest knows none"
        elif not _agree(value, spec):
            yield f"{kind} {number} of the graph is {brief(value)}; the manifest says {spec}"


def _agree(value: Value, spec: TensorSpec) -> bool:
    shape = value.shape
    return (
        (value.name, value.dtype) == (spec.name, spec.dtype)
        and shape is not None
        and len(shape) == len(spec.shape)
        # any number of clips is a size with a name of any kind, or without one
        and all(
            isinstance(a, str) if b == "batch" else a == b for a, b in zip(shape, spec.shape, strict=True)
        )
    )
