"""A model file without a network: memories of machines, around a graph that gives its input back."""

from osscl.config import CLIP, FRONTEND
from osscl.model_file.bundle import graph_sha256
from osscl.model_file.decisions import StoredDecisions
from osscl.model_file.manifest import FrontEnd, Manifest, Producer
from osscl.model_file.protobuf import length_delimited, varint
from osscl.model_file.signature import TensorSpec, graph_inputs, graph_outputs

_IR_VERSION, _OPSET = 9, 18
_FLOAT = 1  # TensorProto.DataType


def identity_graph() -> bytes:
    """Write the graph: one Identity from ``waveform`` to ``same_waveform``.

    Returns
    -------
    bytes
        A serialised ONNX model, the same at every call.
    """
    (source,), (target,) = graph_inputs(None, "native"), graph_outputs(None)
    node = _text(1, source.name) + _text(2, target.name) + _text(4, "Identity")
    graph = (
        length_delimited(1, node)
        + _text(2, "memories_alone")
        + length_delimited(11, _value(source))
        + length_delimited(12, _value(target))
    )
    return (
        varint(1, _IR_VERSION)
        + _text(2, "osscl")
        + length_delimited(7, graph)
        + length_delimited(8, varint(2, _OPSET))
    )


def manifest_of_memories(producer: Producer, decisions: StoredDecisions) -> Manifest:
    """Say of a file what it holds: memories, and no network.

    Parameters
    ----------
    producer : Producer
        The program that writes it.
    decisions : StoredDecisions
        The memories; at least one.

    Returns
    -------
    Manifest
        Of `identity_graph`; not yet checked: writing it checks it.
    """
    return Manifest(
        producer=producer,
        checkpoint=None,
        model=None,
        front_end=FrontEnd(where="native", settings=FRONTEND, sha256=FRONTEND.sha256),
        clip=CLIP,
        inputs=graph_inputs(None, "native"),
        outputs=graph_outputs(None),
        precision=None,
        graph_rewrites=(),
        graph_sha256=graph_sha256(identity_graph()),
        parity=None,
        decisions=decisions,
        licence="not stated",
        training_data="none: memories of machines, and no network",
    )


def _text(number: int, text: str) -> bytes:
    return length_delimited(number, text.encode())


def _value(spec: TensorSpec) -> bytes:
    """ValueInfoProto of a tensor of float32."""
    sizes = (_text(2, size) if isinstance(size, str) else varint(1, size) for size in spec.shape)
    shape = b"".join(length_delimited(1, size) for size in sizes)
    tensor = varint(1, _FLOAT) + length_delimited(2, shape)
    return _text(1, spec.name) + length_delimited(2, length_delimited(1, tensor))
