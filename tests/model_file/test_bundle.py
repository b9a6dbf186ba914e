"""The model file: what is written is an ONNX file for everyone, and what is not whole and true is refused."""

import hashlib
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from osscl.errors import ModelFileError, OutputError
from osscl.model_file import external_data, onnx_messages
from osscl.model_file.bundle import MAX_FILE_BYTES, graph_sha256, read_bundle, write_bundle
from osscl.model_file.manifest_json import decode_manifest, encode_manifest
from support.audio_files import open_the_way_to, ordinary_user
from support.model_files import CLASSES, tiny_graph, tiny_manifest

GRAPH = tiny_graph().SerializeToString()
MANIFEST = tiny_manifest(GRAPH)
DOCUMENT = encode_manifest(MANIFEST)
REMEDY = "copy it again or export it again with osscl-export"


def beginning(tag: int, length: int) -> bytes:
    """Tag of one byte and length of a length-delimited field."""
    digits = []
    while length > 127:
        digits.append(length % 128 + 128)
        length //= 128
    return bytes([tag, *digits, length])


def tagged(tag: int, payload: bytes) -> bytes:
    """Length-delimited field with a tag of one byte."""
    return beginning(tag, len(payload)) + payload


def entry(key: str, value: bytes) -> bytes:
    """Metadata entry: field 14 that holds fields 1 and 2."""
    return tagged(0x72, tagged(0x0A, key.encode()) + tagged(0x12, value))


def manifest_entries(document: bytes) -> bytes:
    digest = hashlib.sha256(document).hexdigest().encode()
    return entry("osscl.manifest", document) + entry("osscl.manifest_sha256", digest)


VALID = GRAPH + manifest_entries(DOCUMENT)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    write_bundle(path, GRAPH, MANIFEST)
    bundle = read_bundle(path)
    assert path.read_bytes() == VALID
    assert bundle.path == path
    assert bundle.model == VALID
    assert bundle.manifest == MANIFEST
    assert bundle.graph_sha256 == MANIFEST.graph_sha256 == hashlib.sha256(GRAPH).hexdigest()
    assert bundle.file_sha256 == hashlib.sha256(VALID).hexdigest()
    assert "\\x" not in repr(bundle)


def test_onnx_and_onnxruntime_load_what_is_written(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    write_bundle(path, GRAPH, MANIFEST)
    loaded = onnx.load(path)
    onnx.checker.check_model(loaded, full_check=True)
    session = onnxruntime.InferenceSession(read_bundle(path).model, providers=["CPUExecutionProvider"])
    for metadata in (
        {pair.key: pair.value for pair in loaded.metadata_props},
        session.get_modelmeta().custom_metadata_map,
    ):
        assert decode_manifest(metadata["osscl.manifest"].encode()) == MANIFEST
        assert metadata["osscl.manifest_sha256"] == hashlib.sha256(DOCUMENT).hexdigest()
    rng = np.random.default_rng(0)
    feeds = {
        "waveform": rng.standard_normal((2, 160_000), dtype=np.float32),
        "log_mel": rng.standard_normal((2, 128, 313), dtype=np.float32),
    }
    embedding, cosine = session.run(None, feeds)
    assert embedding.shape == (2, 128)
    assert cosine.shape == (2, len(CLASSES))


def test_writing_replaces_all_metadata_and_keeps_the_graph(tmp_path: Path) -> None:
    model = tiny_graph()
    helper.set_model_props(model, {"author": "someone", "osscl.manifest": "{}"})
    # Metadata may stand anywhere between the other fields.
    shuffled = entry("first", b"1") + model.SerializeToString()
    path = tmp_path / "model.onnx"
    write_bundle(path, shuffled, MANIFEST)
    assert path.read_bytes() == VALID
    recalibrated = tiny_manifest(GRAPH, training_data="other")
    write_bundle(path, read_bundle(path).model, recalibrated)
    assert read_bundle(path).manifest == recalibrated
    assert read_bundle(path).graph_sha256 == MANIFEST.graph_sha256


def test_metadata_of_others_is_let_be(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(VALID + entry("author", b"someone") + tagged(0x72, b""))
    assert read_bundle(path).manifest == MANIFEST


def altered(position: int, bits: int) -> bytes:
    changed = bytearray(VALID)
    changed[position] ^= bits
    return bytes(changed)


def graph_with_external_weights() -> bytes:
    model = tiny_graph()
    weights = model.graph.initializer[0]
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="../../etc/passwd")
    return bytes(model.SerializeToString())


def graph_with_external_weights_deep_inside() -> bytes:
    """The tensor is an attribute of a node in the branch of an If."""
    model = tiny_graph()
    tensor = TensorProto(data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="weights.bin")
    constant = helper.make_node("Constant", [], ["value"], value=tensor)
    branch = helper.make_graph(
        [constant], "branch", [], [helper.make_tensor_value_info("value", TensorProto.FLOAT, [1])]
    )
    model.graph.node.append(
        helper.make_node("If", ["condition"], ["unused"], then_branch=branch, else_branch=branch)
    )
    return bytes(model.SerializeToString())


def with_own_manifest(graph: bytes) -> bytes:
    """File whose manifest and hashes are right for another graph."""
    return graph + manifest_entries(encode_manifest(tiny_manifest(graph)))


GRAPH_BYTES_AT = VALID.index(b"LpNormalization")
MANIFEST_AT = VALID.index(b'{"schema_version"')
BROKEN = {
    "empty": (b"", "the file is empty"),
    "text": (b"Dear reader, this is no model.\n" * 100, "not an ONNX file"),
    "JSON": (DOCUMENT, "not an ONNX file"),
    "PNG": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0\0\0\x01\0\x08\x02\0\0\0", "not an ONNX file"),
    "zip, as PyTorch writes": (b"PK\x03\x04\0\0\x08\x08\0\0" + bytes(100), "not an ONNX file"),
    "RIFF": (b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0", "a recording; .* the model is named before the recordings"),
    "zeros": (bytes(1000), r"field number 0 at byte 0 does not exist"),
    "ones": (b"\xff" * 1000, r"the number at byte 0 is longer than 10 bytes"),
    "random": (random.Random(1).randbytes(10_000), "not an ONNX file"),
    "protobuf without a graph": (tagged(0x12, b"pytorch") + manifest_entries(DOCUMENT), "it holds no graph"),
    "graph that is a number": (b"\x38\x01" + VALID, "field 7 is not a message"),
    "metadata that is a number": (VALID + b"\x70\x01", "field 14 is not a message"),
    "group (wire type 3)": (VALID + b"\x0b\x0c", "wire type 3 at byte"),
    "end of group (wire type 4)": (VALID + b"\x0c", "wire type 4 at byte"),
    "wire type 6": (VALID + b"\x0e", "wire type 6 at byte"),
    "wire type 7": (VALID + b"\x0f", "wire type 7 at byte"),
    "field number 0": (VALID + b"\x02\x00", "field number 0 at byte"),
    "field number beyond 29 bits": (VALID + b"\x82\x80\x80\x80\x10\x00", "field number 536870912 at byte"),
    "tag cut off": (VALID + b"\xf2", "the number at byte .* is cut off"),
    "tag without end": (VALID + b"\xf2" * 11, "is longer than 10 bytes"),
    "number beyond 64 bits": (VALID + b"\x08" + b"\xff" * 9 + b"\x02", "has more than 64 bits"),
    "length cut off": (VALID + b"\x72\xff", "the number at byte .* is cut off"),
    "length one too long": (VALID + b"\x12\x02x", r"field 2 at byte .* needs 2 bytes, 1 are left"),
    "length of 2**63": (VALID + b"\x12" + b"\x80" * 9 + b"\x01x", "needs 9223372036854775808 bytes, 1 are"),
    "fixed 32 bits cut off": (VALID + b"\x0d\0\0\0", "needs 4 bytes, 3 are left"),
    "fixed 64 bits cut off": (VALID + b"\x09\0\0\0", "needs 8 bytes, 3 are left"),
    "cut off in the graph": (VALID[: len(GRAPH) // 2], "not an ONNX file, or one that is cut off or damaged"),
    "cut off in the manifest": (VALID[: MANIFEST_AT + 50], "cut off or damaged"),
    "cut off before the manifest": (GRAPH, "without an osscl manifest; export it with osscl-export"),
    "cut off after the manifest": (GRAPH + entry("osscl.manifest", DOCUMENT), "1 manifests and 0 hashes"),
    "two manifests": (VALID + entry("osscl.manifest", DOCUMENT), "2 manifests and 1 hashes"),
    "two manifest hashes": (VALID + VALID[VALID.index(b"osscl.manifest_sha256") - 4 :], "1 manifests and 2"),
    "manifest twice in one entry": (
        GRAPH + tagged(0x72, tagged(0x0A, b"osscl.manifest") + 2 * tagged(0x12, DOCUMENT)),
        "not one key with one value",
    ),
    "key that is a number": (GRAPH + tagged(0x72, b"\x08\x01"), "not one key with one value"),
    "broken metadata entry": (VALID + tagged(0x72, b"\x0a\x7f"), "needs 127 bytes, 0 are left"),
    "manifest changed": (altered(MANIFEST_AT + 3, 1), "manifest hash differs: tampered with or damaged"),
    "manifest hash changed": (altered(-1, 1), "manifest hash differs: tampered with or damaged"),
    "manifest hash in capitals": (VALID[:-64] + VALID[-64:].upper(), "manifest hash differs"),
    "graph changed": (altered(GRAPH_BYTES_AT, 1), "graph hash differs: tampered with or damaged"),
    "field added to the graph": (VALID + tagged(0x32, b"a doc string"), "graph hash differs"),
    "second graph": (VALID + tagged(0x3A, b""), "it holds 2 graphs"),
    "manifest of a newer schema": (
        GRAPH + manifest_entries(DOCUMENT.replace(b'{"schema_version":6', b'{"schema_version":7')),
        r"made by a newer osscl \(schema 7, this one reads 6\): update osscl",
    ),
    "front-end hash differs": (
        GRAPH + manifest_entries(DOCUMENT.replace(MANIFEST.front_end.sha256.encode(), b"0" * 64)),
        "front-end hash differs",
    ),
    "manifest is no JSON": (GRAPH + manifest_entries(b"\xff\xfe"), "the manifest cannot be used"),
    "manifest of 16 MiB and a byte": (
        GRAPH + manifest_entries(b" " * (16 * 2**20 + 1)),
        "it has 16777217 bytes, 16777216 are allowed",
    ),
    "external weights": (with_own_manifest(graph_with_external_weights()), "weights lie in other files"),
    "external weights deep inside": (
        with_own_manifest(graph_with_external_weights_deep_inside()),
        "weights lie in other files",
    ),
    "graph of noise with true hashes": (with_own_manifest(tagged(0x3A, b"\xff" * 20)), "not an ONNX file"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused(name: str, tmp_path: Path) -> None:
    content, message = BROKEN[name]
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=message) as caught:
        read_bundle(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert len(str(caught.value)) < len(str(path)) + 300


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"there is no model file .*missing\.onnx$"):
        read_bundle(tmp_path / "missing.onnx")
    with pytest.raises(ModelFileError, match="a folder; expected a model file that osscl enroll or"):
        read_bundle(tmp_path)
    os.mkfifo(tmp_path / "pipe.onnx")
    with pytest.raises(ModelFileError, match="a device; expected a model file"):
        read_bundle(tmp_path / "pipe.onnx")
    with pytest.raises(ModelFileError, match="no file can have this name"):
        read_bundle("model\0.onnx")
    with pytest.raises(ModelFileError, match=r"there is no model file .*m\\xff\.onnx"):
        read_bundle(tmp_path / os.fsdecode(b"m\xff.onnx"))


def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(VALID)
    path.chmod(0)
    open_the_way_to(tmp_path)
    with ordinary_user(), pytest.raises(ModelFileError, match="cannot be read: Permission denied"):
        read_bundle(path)


def test_a_file_of_2_gib_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.onnx"
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)  # sparse
    with pytest.raises(ModelFileError, match="has 2147483648 bytes; a model file has 2147483647 at most"):
        read_bundle(path)


def sparse_entry(key: str, length: int) -> bytes:
    """Beginning of a metadata entry whose value has so many bytes, which end the file."""
    inner = tagged(0x0A, key.encode()) + beginning(0x12, length)
    return beginning(0x72, len(inner) + length) + inner


EMPTY_GRAPH = tagged(0x3A, b"")
MANY = 2_000_000_000
# what stands at the beginning of a file whose rest is zeros, of which neither disk nor memory need hold any
SPARSE = {
    "nothing": (b"", "field number 0 at byte 0 does not exist"),
    "a graph": (beginning(0x3A, MANY), "an ONNX file without an osscl manifest"),
    "a graph that has no end": (beginning(0x3A, 2**32), f"needs 4294967296 bytes, {MANY} are left"),
    "metadata of others": (EMPTY_GRAPH + sparse_entry("author", MANY), "without an osscl manifest"),
    "a manifest": (EMPTY_GRAPH + sparse_entry("osscl.manifest", MANY), "1 manifests and 0 hashes"),
    "a manifest with a hash": (
        EMPTY_GRAPH + entry("osscl.manifest_sha256", bytes(64)) + sparse_entry("osscl.manifest", MANY),
        f"it has {MANY} bytes, 16777216 are allowed",
    ),
    "a hash of the manifest": (
        EMPTY_GRAPH + entry("osscl.manifest", DOCUMENT) + sparse_entry("osscl.manifest_sha256", MANY),
        "manifest hash differs",
    ),
}


@pytest.mark.parametrize("name", SPARSE)
def test_gigabytes_are_refused_without_being_read(name: str, tmp_path: Path) -> None:
    head, message = SPARSE[name]
    path = tmp_path / "sparse.onnx"
    path.write_bytes(head)
    with path.open("r+b") as file:
        file.truncate(len(head) + MANY)
    code = (
        "import resource, sys\n"
        "from osscl.errors import ModelFileError\n"
        "from osscl.model_file.bundle import read_bundle\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: read_bundle(sys.argv[1])\n"
        "except ModelFileError as error: print(error)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, timeout=300)
    said, kibibytes = done.stdout.splitlines()
    assert message in said
    assert int(kibibytes) < 64 * 1024


def test_no_changed_byte_goes_unseen(folder: Path) -> None:
    path = folder / "changed.onnx"
    rng = random.Random(7)
    for position in range(len(VALID)):
        path.write_bytes(altered(position, rng.randrange(1, 256)))
        with pytest.raises(ModelFileError):
            read_bundle(path)


def test_no_shortened_file_goes_unseen(folder: Path) -> None:
    path = folder / "shortened.onnx"
    for length in range(len(VALID)):
        path.write_bytes(VALID[:length])
        with pytest.raises(ModelFileError):
            read_bundle(path)


PIECES = st.binary(max_size=12) | st.sampled_from(
    [b"\x72", b"\x3a", b"\xff" * 10, VALID[len(GRAPH) :], GRAPH]
)


@settings(max_examples=300, deadline=None)
@given(start=st.integers(0, len(VALID)), length=st.integers(0, 200), piece=PIECES)
def test_random_edits_raise_nothing_else(folder: Path, start: int, length: int, piece: bytes) -> None:
    path = folder / "edited.onnx"
    path.write_bytes(VALID[:start] + piece + VALID[start + length :])
    try:
        bundle = read_bundle(path)
    except ModelFileError:
        return
    # Whatever still passes has the same graph and manifest: the edit was in, or added, metadata of others.
    assert bundle.graph_sha256 == MANIFEST.graph_sha256
    assert bundle.manifest == MANIFEST


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=200))
def test_random_bytes_raise_nothing_else(content: bytes) -> None:
    with pytest.raises(ModelFileError):
        graph_sha256(content)


def test_the_messages_that_may_hold_tensors_are_those_of_onnx() -> None:
    def holds_tensors(descriptor: object, seen: frozenset[str] = frozenset()) -> bool:
        """Whether a TensorProto lies anywhere inside, by ONNX's own description."""
        name = descriptor.name  # type: ignore[attr-defined]
        if name == "TensorProto":
            return True
        return name not in seen and any(
            holds_tensors(field.message_type, seen | {name})
            for field in descriptor.fields  # type: ignore[attr-defined]
            if field.message_type
        )

    expected: dict[str, dict[int, str]] = {}
    unseen = [onnx.ModelProto.DESCRIPTOR]
    while unseen:
        descriptor = unseen.pop()
        if descriptor.name in expected or descriptor.name == "TensorProto":
            continue
        inner = [field for field in descriptor.fields if field.message_type]
        inner = [field for field in inner if holds_tensors(field.message_type)]
        expected[descriptor.name] = {field.number: field.message_type.name for field in inner}
        unseen += [field.message_type for field in inner]
    assert expected == onnx_messages.MESSAGES_WITH_TENSORS
    numbers = {field.name: field.number for field in onnx.TensorProto.DESCRIPTOR.fields}
    assert numbers["external_data"] == external_data._EXTERNAL_DATA


def test_deeply_nested_graphs_are_walked_without_recursion(tmp_path: Path) -> None:
    nodes = b""
    for _ in range(3000):  # graph > node > attribute > graph
        nodes = tagged(0x0A, tagged(0x2A, tagged(0x32, nodes)))
    rest = tiny_graph()
    graph = rest.graph.SerializeToString() + nodes
    rest.ClearField("graph")
    path = tmp_path / "model.onnx"
    path.write_bytes(with_own_manifest(rest.SerializeToString() + tagged(0x3A, graph)))
    with pytest.raises(ModelFileError, match=r"a node holds a graph of its own \(If, Loop, Scan\)"):
        read_bundle(path)


def test_writing_refuses_what_reading_would(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    cases: list[tuple[bytes, str]] = [
        (b"no model", "not an ONNX file"),
        (graph_with_external_weights(), "weights lie in other files"),
        (GRAPH + tagged(0x32, b"a doc string"), "the manifest describes another graph"),
    ]
    for model, message in cases:
        with pytest.raises(ModelFileError, match=message):
            write_bundle(path, model, MANIFEST)
    with pytest.raises(ModelFileError, match="has another shape"):
        write_bundle(path, GRAPH, tiny_manifest(GRAPH, cosine=np.zeros((2, 41), dtype=np.float32)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        (lambda folder: folder / "missing" / "model.onnx", "No such file or directory"),
        (lambda folder: folder / "file" / "model.onnx", "Not a directory"),
        (lambda folder: folder / "folder", "Is a directory"),
        (lambda folder: folder / ("x" * 300), "File name too long"),
        (lambda folder: Path("/proc/model.onnx"), "cannot be written"),
    ],
)
def test_a_place_that_cannot_be_written_is_told(
    place: Callable[[Path], Path], reason: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"kept")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match=reason):
        write_bundle(place(tmp_path), GRAPH, MANIFEST)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"model\.onnx: .* cannot be written: No space left on device"):
        write_bundle(path, GRAPH, MANIFEST)
    assert [file.name for file in tmp_path.iterdir()] == ["model.onnx"]
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_permissions_are_as_the_umask_says(umask: int, mode: int, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    before = os.umask(umask)
    try:
        write_bundle(path, GRAPH, MANIFEST)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == mode
