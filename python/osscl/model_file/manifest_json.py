"""The manifest as one strict JSON document: written, read and checked."""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec.structs import replace

from osscl.config import EMBEDDING_SIZE
from osscl.errors import ModelFileError
from osscl.model_file.decisions_check import flaws_of
from osscl.model_file.manifest import SCHEMA_VERSION, Manifest, SchemaNumber
from osscl.model_file.signature import TensorSpec, graph_inputs, graph_outputs
from osscl.model_file.verdict import contradiction_in
from osscl.support.plurals import counted
from osscl.support.strict_json import decode_strictly

MAX_MANIFEST_BYTES = 16 * 2**20
_NULLABLE_SINCE = 4

_FIELDS_SINCE = {
    "$.accuracy": 2,
    "$.decisions": 4,
    "$.decisions.embedding_background": 6,
    "$.decisions.embeddings": 6,
    "$.decisions.limits": 5,
    "$.decisions.memories[].measures": 5,
    "$.verdict": 6,
    "$.model.sub_centres": 6,
    "$.class_machines": 6,
    "$.decisions.memories[].domain": 6,
}
"""JSON paths, without the numbers of lists."""
_PRECISIONS_SINCE = {"fp16": 3}


class _Header(msgspec.Struct):
    """The one field every schema has."""

    schema_version: SchemaNumber


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
    manifest = replace(manifest, schema_version=_schema_to_write(manifest))
    fields = msgspec.to_builtins(manifest)
    for path in _later_than(manifest.schema_version):
        _leave_out(fields, path)
    document = msgspec.json.encode(fields)
    decode_manifest(document)
    return document


def _leave_out(fields: dict[str, Any], path: str) -> None:
    """Take a field out of a document that is to be of an older schema; one in `decisions` is not there."""
    *parents, last = path.removeprefix("$.").split(".")
    node: Any = fields
    for parent in parents:
        node = node.get(parent) or {}
    node.pop(last, None)


def _schema_to_write(manifest: Manifest) -> int:
    """The newest, unless the precision would come to speak of the graph, which is in another."""
    same = manifest.graph_precision == manifest.precision
    return SCHEMA_VERSION if same else manifest.schema_version


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
    check_length(len(document))
    schema = _schema_version(document)
    if schema > SCHEMA_VERSION:
        raise ModelFileError(
            f"made by a newer osscl (schema {schema}, this one reads {SCHEMA_VERSION}): update osscl"
        )
    try:
        manifest = decode_strictly(document, Manifest, _later_than(schema))
    except ValueError as error:
        raise _unusable(str(error)) from None
    for flaw in _contradictions(manifest):
        raise _unusable(flaw)
    return manifest


def _later_than(schema: int) -> set[str]:
    """Paths of fields that a document of this schema does not have yet."""
    return {path for path, since in _FIELDS_SINCE.items() if since > schema}


def check_length(n_bytes: int) -> None:
    """Refuse a document that is too long, before it is read.

    Parameters
    ----------
    n_bytes : int
        Its length.

    Raises
    ------
    ModelFileError
        It is longer than `MAX_MANIFEST_BYTES`.
    """
    if n_bytes > MAX_MANIFEST_BYTES:
        raise _unusable(f"it has {n_bytes} bytes, {MAX_MANIFEST_BYTES} are allowed")


def _schema_version(document: bytes) -> int:
    try:
        return msgspec.json.decode(document, type=_Header).schema_version
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise _unusable(str(error)) from None


def _unusable(reason: str) -> ModelFileError:
    return ModelFileError(f"the manifest cannot be used: {reason}; export the model again with osscl-export")


def _contradictions(manifest: Manifest) -> Iterator[str]:
    front_end = manifest.front_end
    if front_end.sha256 != front_end.settings.sha256:
        yield (
            f"front-end hash differs: `$.front_end.sha256` is {front_end.sha256}, "
            f"but `$.front_end.settings` give {front_end.settings.sha256}"
        )
    model, where = manifest.model, front_end.where
    tensors = {
        "inputs": (manifest.inputs, graph_inputs(model, where, front_end.settings, manifest.clip)),
        "outputs": (manifest.outputs, graph_outputs(model, front_end.settings, manifest.clip)),
    }
    for name, (stated, expected) in tensors.items():
        if list(map(str, stated)) != list(map(str, expected)):
            yield f"`$.{name}` is {_listed(stated)}; expected {_listed(expected)}"
    if model is None:
        yield from _contradictions_without_network(manifest)
    else:
        yield from _contradictions_of_network(manifest)
    if manifest.decisions is not None:
        yield from flaws_of(manifest.decisions, manifest)


def _contradictions_without_network(manifest: Manifest) -> Iterator[str]:
    if manifest.schema_version < _NULLABLE_SINCE:
        yield (
            f"`$.model` is null, which schema {_NULLABLE_SINCE} allows; the document is of schema "
            f"{manifest.schema_version}"
        )
    for name in ("checkpoint", "precision", "parity", "accuracy", "verdict", "class_machines"):
        if getattr(manifest, name) is not None:
            yield f"`$.model` is null and `$.{name}` is not; a file without a network has none"
    if manifest.decisions is None or not manifest.decisions.memories:
        yield "`$.model` is null and there are no memories: the file can score nothing"


def _contradictions_of_network(manifest: Manifest) -> Iterator[str]:
    for name in ("checkpoint", "precision", "parity"):
        if getattr(manifest, name) is None:
            yield f"`$.{name}` is null and `$.model` is not; a network has one"
            return
    flaw = None if manifest.verdict is None else contradiction_in(manifest.verdict)
    if flaw is not None:
        yield f"`$.verdict` contradicts itself: {flaw}"
    model, _, precision, parity = manifest.network
    if (manifest.accuracy is None) != (precision == "fp32"):
        yield (
            f"`$.precision` is {precision} and `$.accuracy` is "
            f"{'empty' if manifest.accuracy is None else 'given'}; expected it for reduced precision alone"
        )
    machines = manifest.class_machines
    if machines is not None and (len(machines) != len(model.classes) or not all(machines)):
        yield (
            f"`$.class_machines` names {counted(len(machines), 'machine')}, and there are "
            f"{counted(len(model.classes), 'class')}; "
            "expected a name for each"
        )
    since = _PRECISIONS_SINCE.get(precision, 1)
    if manifest.schema_version < since:
        yield (
            f"`$.precision` is {precision}, a word of schema {since}; the document is of schema "
            f"{manifest.schema_version}"
        )
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
