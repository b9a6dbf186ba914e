"""What an exported model file says of itself: one strict JSON document."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from osscl import golden
from osscl.config import CLIP, EMBEDDING_SIZE, FRONTEND, ClipConfig, FrontendConfig, ModelConfig, Settings
from osscl.errors import ModelFileError
from osscl.signature import FrontEndPlace, TensorSpec, graph_inputs, graph_outputs
from osscl.strict_json import decode_strictly

# A new field raises the number. An osscl reads every schema up to its own and refuses newer ones.
SCHEMA_VERSION = 1
MAX_MANIFEST_BYTES = 16 * 2**20

Sha256: TypeAlias = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", max_length=64)]
SchemaNumber: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]
GoldenCount: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=64)]
Error: TypeAlias = Annotated[float, msgspec.Meta(ge=0.0)]
# A component of a normalised vector, or a cosine: at most 1, but for rounding.
UnitValue: TypeAlias = Annotated[float, msgspec.Meta(ge=-1.001, le=1.001)]


class Producer(Settings, frozen=True, kw_only=True):
    """The program that wrote the file.

    Attributes
    ----------
    name, version : str
        The program and its version.
    tools : dict of str to str
        Versions of the packages it exported and checked with.
    """

    name: str
    version: str
    tools: dict[str, str]


class Checkpoint(Settings, frozen=True, kw_only=True):
    """The checkpoint the graph was made from.

    Attributes
    ----------
    sha256 : str
        Hash of the checkpoint file, lower-case hexadecimal digits as all hashes here.
    layout : str
        Name of the layout it was read as.
    """

    sha256: Sha256
    layout: str


class FrontEnd(Settings, frozen=True, kw_only=True):
    """The log-mel front end the model was trained with.

    Attributes
    ----------
    where : {"native", "graph"}
        Whether the caller computes the log-mel, or the graph itself does.
    settings : FrontendConfig
        Its settings.
    sha256 : str
        Hash of the settings.
    """

    where: FrontEndPlace
    settings: FrontendConfig
    sha256: Sha256


class ParityErrors(Settings, frozen=True, kw_only=True):
    """Largest absolute differences over all golden clips.

    Attributes
    ----------
    embedding, cosine : float
        Over all components of the output.
    score : float
        Of the anomaly score, each clip claimed to be each class in turn.
    """

    embedding: Error
    cosine: Error
    score: Error


class Parity(Settings, frozen=True, kw_only=True):
    """Certificate that the graph computes what the checkpoint computes; anyone can rerun it.

    Attributes
    ----------
    generator : str
        Names the generator of the golden clips.
    count : int
        Number of golden clips.
    embedding : tuple of tuple of float
        What the checkpoint gives for them, [count, 128] float32, written with the fewest digits that read
        back to the same float32: numbers any language reads and a person can compare.
    cosine : tuple of tuple of float
        Likewise, [count, classes].
    tolerance, measured : ParityErrors
        What the exporter allowed, and what it found when it ran the graph.
    """

    generator: golden.Generator = "osscl.golden/1"
    count: GoldenCount
    embedding: tuple[tuple[UnitValue, ...], ...]
    cosine: tuple[tuple[UnitValue, ...], ...]
    tolerance: ParityErrors
    measured: ParityErrors


class Manifest(Settings, frozen=True, kw_only=True):
    """What an exported model file says of itself.

    Attributes
    ----------
    schema_version : int
        Version of this list of fields.
    producer, checkpoint : Producer, Checkpoint
        Where the file comes from.
    model : ModelConfig
        Classes in the order of the cosines, shape of the network, and the margin and scale of the score.
    front_end, clip : FrontEnd, ClipConfig
        How sound becomes the inputs.
    inputs, outputs : tuple of TensorSpec
        The graph's, in order.
    scoring_rule : {"arcface_cross_entropy"}
        How cosines become a score; it takes margin and scale from `model`.
    precision : {"fp32"}
        Arithmetic of the graph.
    graph_rewrites : tuple of str
        Names of the exact rewrites done on the graph for speed.
    graph_sha256 : str
        Hash of the whole file but for its metadata.
    parity : Parity
        Certificate of the export.
    licence, training_data : str
        Free text: terms of use, and what the model was trained on.

    References
    ----------
    Section "The exported file" of the README.
    """

    schema_version: SchemaNumber = SCHEMA_VERSION
    producer: Producer
    checkpoint: Checkpoint
    model: ModelConfig
    front_end: FrontEnd
    clip: ClipConfig
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    scoring_rule: Literal["arcface_cross_entropy"] = "arcface_cross_entropy"
    precision: Literal["fp32"] = "fp32"
    graph_rewrites: tuple[str, ...]
    graph_sha256: Sha256
    parity: Parity
    licence: str
    training_data: str


class _Header(msgspec.Struct):
    """The one field every schema has."""

    schema_version: SchemaNumber


def build_manifest(
    *,
    producer: Producer,
    checkpoint: Checkpoint,
    model: ModelConfig,
    where: FrontEndPlace,
    graph_rewrites: Sequence[str],
    graph_sha256: str,
    embedding: npt.NDArray[np.float32],
    cosine: npt.NDArray[np.float32],
    tolerance: ParityErrors,
    measured: ParityErrors,
    licence: str,
    training_data: str,
) -> Manifest:
    """Write down an export.

    Parameters
    ----------
    producer : Producer
        The exporting program.
    checkpoint : Checkpoint
        The checkpoint exported.
    model : ModelConfig
        Classes, shape of the network, margin and scale.
    where : {"native", "graph"}
        Where the log-mel is computed.
    graph_rewrites : sequence of str
        Names of the exact rewrites done on the graph.
    graph_sha256 : str
        Hash of the graph, by `osscl.bundle.graph_sha256`.
    embedding, cosine : ndarray of float32, shapes [count, 128] and [count, classes]
        What the checkpoint gives for the first golden clips.
    tolerance, measured : ParityErrors
        Errors allowed, and errors found in the graph.
    licence, training_data : str
        Free text.

    Returns
    -------
    Manifest
        Not yet checked: writing it checks it.
    """
    return Manifest(
        producer=producer,
        checkpoint=checkpoint,
        model=model,
        front_end=FrontEnd(where=where, settings=FRONTEND, sha256=FRONTEND.sha256),
        clip=CLIP,
        inputs=graph_inputs(model, where),
        outputs=graph_outputs(model),
        graph_rewrites=tuple(graph_rewrites),
        graph_sha256=graph_sha256,
        parity=Parity(
            count=len(embedding),
            embedding=_shortest_digits(embedding),
            cosine=_shortest_digits(cosine),
            tolerance=tolerance,
            measured=measured,
        ),
        licence=licence,
        training_data=training_data,
    )


def _shortest_digits(array: npt.NDArray[np.float32]) -> tuple[tuple[float, ...], ...]:
    """Turn float32 numbers into floats that are written with as few digits as a float32 needs."""
    return tuple(tuple(float(str(number)) for number in row) for row in array.astype(np.float32))


def encode_manifest(manifest: Manifest) -> bytes:
    """Write a manifest as JSON that `decode_manifest` accepts.

    Parameters
    ----------
    manifest : Manifest
        What the file says of itself.

    Returns
    -------
    bytes
        The document, UTF-8.

    Raises
    ------
    ModelFileError
        The manifest holds a value of a wrong type or contradicts itself.
    """
    document = msgspec.json.encode(manifest)
    decode_manifest(document)
    return document


def decode_manifest(document: bytes) -> Manifest:
    """Read a manifest and check that it is whole and agrees with itself.

    Parameters
    ----------
    document : bytes
        The JSON document, UTF-8.

    Returns
    -------
    Manifest
        What the file says of itself.

    Raises
    ------
    ModelFileError
        The document is too long, is not JSON, is of a newer schema, has a missing, unknown or repeated field
        or a value of a wrong type, or contradicts itself; the message names the place.
    """
    if len(document) > MAX_MANIFEST_BYTES:
        raise _unusable(f"it has {len(document)} bytes, {MAX_MANIFEST_BYTES} are allowed")
    schema = _schema_version(document)
    if schema > SCHEMA_VERSION:
        raise ModelFileError(
            f"made by a newer osscl (schema {schema}, this one reads {SCHEMA_VERSION}): update osscl"
        )
    try:
        manifest = decode_strictly(document, Manifest)
    except ValueError as error:
        raise _unusable(str(error)) from None
    for flaw in _contradictions(manifest):
        raise _unusable(flaw)
    return manifest


def _schema_version(document: bytes) -> int:
    try:
        return msgspec.json.decode(document, type=_Header).schema_version
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise _unusable(str(error)) from None


def _unusable(reason: str) -> ModelFileError:
    return ModelFileError(f"the manifest cannot be used: {reason}; export the model again with osscl-export")


def _contradictions(manifest: Manifest) -> Iterator[str]:
    model, front_end, parity = manifest.model, manifest.front_end, manifest.parity
    if front_end.sha256 != front_end.settings.sha256:
        yield (
            f"front-end hash differs: `$.front_end.sha256` is {front_end.sha256}, "
            f"but `$.front_end.settings` give {front_end.settings.sha256}"
        )
    tensors = {
        "inputs": (manifest.inputs, graph_inputs(model, front_end.where, front_end.settings, manifest.clip)),
        "outputs": (manifest.outputs, graph_outputs(model)),
    }
    for name, (stated, expected) in tensors.items():
        if list(map(str, stated)) != list(map(str, expected)):
            yield f"`$.{name}` is {_listed(stated)}; expected {_listed(expected)}"
    for name, rows, width in (
        ("embedding", parity.embedding, EMBEDDING_SIZE),
        ("cosine", parity.cosine, len(model.classes)),
    ):
        if len(rows) != parity.count or any(len(row) != width for row in rows):
            yield f"`$.parity.{name}` has another shape than [{parity.count}, {width}]"
    for name in ("embedding", "cosine", "score"):
        error, allowed = getattr(parity.measured, name), getattr(parity.tolerance, name)
        if error > allowed:
            yield f"`$.parity.measured.{name}` is {error}, above its tolerance of {allowed}"


def _listed(tensors: tuple[TensorSpec, ...]) -> str:
    return ", ".join(map(str, tensors)) or "empty"
