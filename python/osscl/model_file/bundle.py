"""One file, model.onnx: the graph, and the manifest in its metadata.

An ONNX file is one protobuf message, ModelProto. Its field 14 (``metadata_props``) holds the manifest; all
other fields are what `graph_sha256` covers, so that rewriting the manifest leaves the graph's hash as it was.
"""

import hashlib
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from osscl.errors import ConfigError, ModelFileError, OutputError, StorageError
from osscl.model_file import protobuf
from osscl.model_file.external_data import refuse_external_data
from osscl.model_file.file_window import FileWindow
from osscl.model_file.graph_arity import check_arity
from osscl.model_file.graph_limits import check_limits
from osscl.model_file.graph_order import check_order
from osscl.model_file.graph_shapes import check_shapes
from osscl.model_file.graph_signature import check_signature
from osscl.model_file.manifest import Manifest
from osscl.model_file.manifest_json import check_length, decode_manifest, encode_manifest
from osscl.model_file.onnx_graph import read_graph
from osscl.model_file.unexported import unexported
from osscl.storage.listing import stat as stat_object
from osscl.storage.reading import read_whole
from osscl.storage.stored import stored_of
from osscl.storage.urls import Place, Url, place_of
from osscl.support.atomic import write_atomically
from osscl.support.links import unreadable
from osscl.support.paths import printable

MANIFEST_KEY = b"osscl.manifest"
MANIFEST_SHA256_KEY = b"osscl.manifest_sha256"
DEMO = "demo"
"""Stands for the demonstration model that is part of the package, wherever a model is asked for."""
MAX_FILE_BYTES = 2**31 - 1  # no protobuf reader takes a longer message

_DEMO_FILE = Path(__file__).parents[1] / "models" / "demo.onnx"
_REMEDY = "copy it again or export it again with osscl-export"
_EXPECTED = "expected a model file that osscl enroll or osscl-export wrote"
_MODEL_FIRST = "; the model is named before the recordings"
_OF_RECORDINGS = (b"RIFF", b"RF64", b"riff", b"fLaC")  # the first bytes of WAV, RF64, W64 and FLAC
_GRAPH, _METADATA = 7, 14  # of ModelProto
_KEY, _VALUE = 1, 2  # of StringStringEntryProto
_LONGEST_KEY = 64  # longer than ours: of a longer one, no more need be read
_DIGEST_LENGTH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A model file that has been read and checked.

    Attributes
    ----------
    path : Path or Url
        Where it was read from.
    manifest : Manifest
        What it says of itself.
    model : bytes
        The whole file, which is an ONNX model.
    graph_sha256 : str
        Hash of everything in the file but its metadata.
    file_sha256 : str
        Hash of the file.
    """

    path: Place
    manifest: Manifest
    model: bytes = field(repr=False)
    graph_sha256: str
    file_sha256: str


def read_bundle(path: str | os.PathLike[str]) -> Bundle:
    """Read a model file and check everything that can be checked without running it.

    Parameters
    ----------
    path : path-like
        The file, as `osscl enroll` or `osscl-export` wrote it, or its URL, by which it is read into memory;
        or the word "demo".

    Returns
    -------
    Bundle
        Graph and manifest.

    Raises
    ------
    ConfigError
        It is no path.
    ModelFileError
        The file cannot be read, is not ONNX, has no manifest or a newer one, is damaged or tampered with,
        keeps weights in other files, or holds another graph than the manifest describes.
    """
    if not isinstance(path, str | os.PathLike):
        raise ConfigError(
            f"a model is given by the path of its file, or as {DEMO!r}; this is an object of type "
            f"{type(path).__name__}"
        )
    place = _DEMO_FILE if os.fspath(path) == DEMO else place_of(path)
    try:
        model = _read_object(place) if isinstance(place, Url) else _read_file(place)
        parts = _split(memoryview(model))
        document = _manifest_document(parts.metadata)
        manifest = decode_manifest(document)
        graph_hash = _sha256(parts.graph)
        if graph_hash != manifest.graph_sha256:
            raise ModelFileError(
                f"graph hash differs: tampered with or damaged (it is {graph_hash}, the manifest says "
                f"{manifest.graph_sha256}); {_REMEDY}"
            )
        _check_contents(model, manifest)
    except OSError as error:
        raise ModelFileError(_unexported_at(place) or unreadable(place, "model file", error)) from error
    except StorageError as error:
        raise ModelFileError(f"{printable(place)}: the model file cannot be read: {error}") from error
    except ModelFileError as error:
        raise ModelFileError(_unexported_at(place) or f"{printable(place)}: {error}") from None
    return Bundle(
        path=place, manifest=manifest, model=model, graph_sha256=graph_hash, file_sha256=_sha256([model])
    )


def write_bundle(path: str | os.PathLike[str], model: bytes, manifest: Manifest) -> None:
    """Write a model file: all of the graph, and the manifest in place of any metadata it had.

    The file appears whole or not at all.

    Parameters
    ----------
    path : path-like
        Where it shall be; an existing file is replaced.
    model : bytes
        A serialised ONNX model.
    manifest : Manifest
        What the file shall say of itself.

    Raises
    ------
    ModelFileError
        The model is not ONNX or keeps weights in other files, or the manifest does not describe it.
    OutputError
        The file cannot be written.
    """
    parts = _split(memoryview(model))
    document = encode_manifest(manifest)
    _check_contents(model, manifest)
    if _sha256(parts.graph) != manifest.graph_sha256:
        raise ModelFileError(f"the manifest describes another graph, of SHA-256 {manifest.graph_sha256}")
    digest = _sha256([document]).encode()
    contents: list[bytes | memoryview] = [
        *parts.graph,
        _metadata_field(MANIFEST_KEY, document),
        _metadata_field(MANIFEST_SHA256_KEY, digest),
    ]
    size = sum(map(len, contents))
    if size > MAX_FILE_BYTES:
        raise ModelFileError(f"the model has {size} bytes; ONNX allows {MAX_FILE_BYTES}")
    try:
        write_atomically(Path(path), contents)
    except OSError as error:
        raise OutputError(f"{printable(path)}: the model file cannot be written: {error.strerror}") from error


def in_memory_bundle(model: bytes, manifest: Manifest) -> Bundle:
    """Join a graph and its manifest without a file; nothing is checked.

    Parameters
    ----------
    model : bytes
        A serialised ONNX model.
    manifest : Manifest
        What is to be said of it.

    Returns
    -------
    Bundle
        Both.
    """
    return Bundle(
        path=Path("model in memory"),
        manifest=manifest,
        model=model,
        graph_sha256=manifest.graph_sha256,
        file_sha256=_sha256([model]),
    )


def graph_sha256(model: bytes) -> str:
    """Hash an ONNX model but for its metadata.

    Parameters
    ----------
    model : bytes
        A serialised ONNX model.

    Returns
    -------
    str
        SHA-256 over the top-level fields other than 14, as they stand, in order; hexadecimal digits.

    Raises
    ------
    ModelFileError
        The bytes are not an ONNX model.
    """
    return _sha256(_split(memoryview(model)).graph)


@dataclass(frozen=True, slots=True)
class _Parts:
    graph: list[memoryview]  # top-level fields other than the metadata, as they stand
    metadata: list[tuple[bytes, memoryview]]  # beginning of the key, and value of each entry


def _read_file(path: Path) -> bytes:
    try:
        status = path.stat()
    except ValueError as error:
        raise ModelFileError(f"no file can have this name: {error}") from None
    if stat.S_ISDIR(status.st_mode):
        raise ModelFileError(f"a folder; {_EXPECTED}{_MODEL_FIRST}")
    if not stat.S_ISREG(status.st_mode):
        raise ModelFileError(f"a device; {_EXPECTED}")
    _check_size(status.st_size)
    with path.open("rb") as file:
        if file.read(4) in _OF_RECORDINGS:
            raise ModelFileError(f"a recording; {_EXPECTED}{_MODEL_FIRST}")
        file.seek(0)
        _refuse_unread(file.fileno())
        return file.read()


def _read_object(url: Url) -> bytes:
    """Read a model file from a store: into memory, as one on disk is, and nowhere else."""
    found = stat_object(str(url))
    if found is None:
        raise ModelFileError(f"there is nothing at this place; {_EXPECTED}")
    if found.get("type") == "directory":
        raise ModelFileError(f"a folder; {_EXPECTED}")
    if (size := stored_of(found).size) is not None:
        _check_size(size)
    model = read_whole(str(url))
    _check_size(len(model))
    return model


def _check_size(n_bytes: int) -> None:
    if n_bytes > MAX_FILE_BYTES:
        raise ModelFileError(f"the file has {n_bytes} bytes; a model file has {MAX_FILE_BYTES} at most")
    if not n_bytes:
        raise ModelFileError(f"the file is empty; {_EXPECTED}")


def _refuse_unread(descriptor: int) -> None:
    """Refuse what is no model file of ours by its outermost fields, before its gigabytes are in memory."""
    window = FileWindow(descriptor, 0, os.fstat(descriptor).st_size)
    _manifest_document(_split(cast(memoryview, window)).metadata)


def _split(model: memoryview) -> _Parts:
    parts = _Parts([], [])
    n_graphs = 0
    try:
        for top in protobuf.fields(model):
            if top.number in (_GRAPH, _METADATA) and top.wire_type != protobuf.LENGTH_DELIMITED:
                raise protobuf.MalformedError(f"field {top.number} is not a message")
            n_graphs += top.number == _GRAPH
            if top.number == _METADATA:
                parts.metadata.append(_metadata_entry(top.payload))
            else:
                parts.graph.append(top.raw)
        if n_graphs != 1:
            raise protobuf.MalformedError(f"it holds {n_graphs or 'no'} graphs")
    except protobuf.MalformedError as error:
        raise _not_onnx(error) from None
    return parts


def _check_contents(model: bytes, manifest: Manifest) -> None:
    """Check the graph itself, as far as that can be done without running it."""
    try:
        refuse_external_data(model)
        graph = read_graph(model)
        check_signature(graph, manifest)
        check_limits(model, graph)
        check_order(graph)
        check_arity(graph)
        check_shapes(graph)
    except protobuf.MalformedError as error:
        raise _not_onnx(error) from None


def _unexported_at(place: Place) -> str | None:
    return None if isinstance(place, Url) else unexported(place)


def _not_onnx(error: protobuf.MalformedError) -> ModelFileError:
    return ModelFileError(f"not an ONNX file, or one that is cut off or damaged ({error}); {_REMEDY}")


def _metadata_entry(message: memoryview) -> tuple[bytes, memoryview]:
    texts: dict[int, memoryview] = {}
    for entry in protobuf.fields(message):
        # Readers differ in which of two keys or values they take.
        if entry.number in texts or entry.wire_type != protobuf.LENGTH_DELIMITED:
            raise protobuf.MalformedError("an entry of the metadata is not one key with one value")
        texts[entry.number] = entry.payload
    nothing = message[:0]
    return bytes(texts.get(_KEY, nothing)[:_LONGEST_KEY]), texts.get(_VALUE, nothing)


def _metadata_field(key: bytes, value: bytes) -> bytes:
    entry = protobuf.length_delimited(_KEY, key) + protobuf.length_delimited(_VALUE, value)
    return protobuf.length_delimited(_METADATA, entry)


def _manifest_document(metadata: list[tuple[bytes, memoryview]]) -> bytes:
    documents = [value for key, value in metadata if key == MANIFEST_KEY]
    digests = [value for key, value in metadata if key == MANIFEST_SHA256_KEY]
    if not documents:
        raise ModelFileError("an ONNX file without an osscl manifest; export it with osscl-export")
    if len(documents) > 1 or len(digests) != 1:
        raise ModelFileError(
            f"the file holds {len(documents)} manifests and {len(digests)} hashes of them, "
            f"expected one of each: tampered with or damaged; {_REMEDY}"
        )
    check_length(len(documents[0]))
    document = bytes(documents[0])
    if len(digests[0]) != _DIGEST_LENGTH or _sha256([document]).encode() != bytes(digests[0]):
        raise ModelFileError(f"manifest hash differs: tampered with or damaged; {_REMEDY}")
    return document


def _sha256(parts: Iterable[bytes | memoryview]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()
