"""What the format page says is read and refused, is read and refused."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import msgspec
import pytest

from osscl.errors import ModelFileError
from osscl.model_file import protobuf
from osscl.model_file.bundle import Bundle, read_bundle
from osscl.model_file.manifest import Manifest
from osscl.model_file.manifest_json import decode_manifest
from osscl.model_file.onnx_messages import MESSAGES_WITH_TENSORS
from support.format_page import section, table


@pytest.fixture(scope="module")
def demo() -> Bundle:
    return read_bundle("demo")


# Container


def with_metadata(model: bytes, entry: bytes) -> bytes:
    return model + protobuf.length_delimited(14, entry)


def read(model: bytes, folder: Path) -> Bundle:
    path = folder / "model.onnx"
    path.write_bytes(model)
    return read_bundle(path)


KEY, VALUE = protobuf.length_delimited(1, b"of others"), protobuf.length_delimited(2, b"x")
Change: TypeAlias = Callable[[bytes], bytes]
READ: dict[str, Change] = {
    "a varint that is longer than it need be": lambda m: with_metadata(m, b"\x8a\x80\x00" + b"\x01a"),
    "without key or value": lambda m: with_metadata(with_metadata(with_metadata(m, KEY), VALUE), b""),
    "further fields in an entry": lambda m: with_metadata(m, KEY + VALUE + protobuf.length_delimited(3, b"")),
}
REFUSED: dict[str, Change] = {
    "holds a field twice": lambda m: with_metadata(m, KEY + VALUE + VALUE),
    "not length-delimited": lambda m: with_metadata(m, KEY + protobuf.varint(2, 1)),
    "more than 10 bytes": lambda m: m + b"\xf8\x07" + b"\x80" * 10 + b"\x00",
    "more than 64 bits": lambda m: m + b"\xf8\x07" + b"\xff" * 9 + b"\x02",
    "field number 0": lambda m: m + b"\x00\x00",
    "wire types 3, 4, 6 and 7": lambda m: m + b"\xfb\x07",
    "a length beyond the end": lambda m: m + b"\xfa\x07\x01",
    "no field 7": lambda m: protobuf.varint(1, 10),
    "or two of it": lambda m: m + protobuf.length_delimited(7, b""),
    "field 7 or 14 not length-delimited": lambda m: m + protobuf.varint(14, 1),
}


@pytest.mark.parametrize("said", READ)
def test_what_is_read_all_the_same(said: str, demo: Bundle, tmp_path: Path) -> None:
    assert said in section("What a reader refuses").partition("Not refused:")[2]
    assert read(READ[said](demo.model), tmp_path).graph_sha256 == demo.graph_sha256


@pytest.mark.parametrize("said", REFUSED)
def test_what_is_refused(said: str, demo: Bundle, tmp_path: Path) -> None:
    assert said in section("What a reader refuses").partition("Not refused:")[0]
    with pytest.raises(ModelFileError, match="not an ONNX file"):
        read(REFUSED[said](demo.model), tmp_path)


def test_what_changes_the_hash_alone(demo: Bundle, tmp_path: Path) -> None:
    assert "top-level fields" in section("What a reader refuses").partition("Not refused:")[2]
    with pytest.raises(ModelFileError, match="graph hash differs"):  # and not its form
        read(demo.model + protobuf.varint(999, 1), tmp_path)


def test_where_tensors_are_found() -> None:
    stated: dict[str, dict[int, str]] = {}
    for kind, fields in table("Tensors in other files", "message"):
        stated[kind] = {}
        for numbers, target in re.findall(r"((?:\d+ `\w+`(?: and )?)+) → `(\w+)", fields):
            stated[kind] |= {int(number): target for number in re.findall(r"\d+", numbers)}
    assert stated == MESSAGES_WITH_TENSORS
    assert "`external_data` (field 13)" in section("Tensors in other files")


# Manifest


def manifest_text(demo: Bundle) -> str:
    entries = [top.payload for top in protobuf.fields(memoryview(demo.model)) if top.number == 14]
    texts = [{part.number: bytes(part.payload) for part in protobuf.fields(entry)} for entry in entries]
    return next(entry[2].decode() for entry in texts if entry[1] == b"osscl.manifest")


def schema_1(text: str) -> str:
    manifest = json.loads(text) | {"schema_version": 1}
    del manifest["decisions"]
    return json.dumps(manifest, separators=(",", ":"))


Edit: TypeAlias = Callable[[str], str]
ACCEPTED_DOCUMENTS: dict[str, Edit] = {
    "An integer where a number is stated is fine": lambda t: t.replace('"scale":30.0', '"scale":30'),
    "reads as 0": lambda t: t.replace('"f_min_hz":0.0', '"f_min_hz":1e-999'),
    "Text may be empty": lambda t: t.replace('"licence":"Apache-2.0"', '"licence":""'),
    "white space": lambda t: f" {t}\n",
}
REFUSED_DOCUMENTS: dict[str, Edit] = {
    "`160000.0`": lambda t: t.replace('"n_samples":160000', '"n_samples":160000.0'),
    "`1.6e5`": lambda t: t.replace('"n_samples":160000', '"n_samples":1.6e5'),
    "`true`": lambda t: t.replace('"count":4', '"count":true'),
    "`1e999`": lambda t: t.replace('"scale":30.0', '"scale":1e999'),
    "`NaN`": lambda t: t.replace('"scale":30.0', '"scale":NaN'),
    "comments": lambda t: f"// osscl\n{t}",
    "a comma at the end": lambda t: f"{t[:-1]},}}",
    "lone surrogate": lambda t: t.replace('"Apache-2.0"', r'"\ud800"'),
    "but for class names": lambda t: t.replace('"blower/id_00"', '""'),
    "No key stands twice": lambda t: f'{{"licence":"x",{t[1:]}',
    "nested thousands deep": lambda t: t.replace('"Apache-2.0"', "[" * 9000 + "]" * 9000),
}


@pytest.mark.parametrize("said", ACCEPTED_DOCUMENTS)
def test_documents_that_are_fine(said: str, demo: Bundle) -> None:
    assert said in section("Numbers and text")
    text = manifest_text(demo)
    changed = ACCEPTED_DOCUMENTS[said](text)
    assert changed != text
    decode_manifest(changed.encode())


@pytest.mark.parametrize("said", REFUSED_DOCUMENTS)
def test_documents_that_are_refused(said: str, demo: Bundle) -> None:
    assert said in section("Numbers and text")
    text = manifest_text(demo)
    changed = REFUSED_DOCUMENTS[said](text)
    assert changed != text
    decode_manifest(text.encode())
    with pytest.raises(ModelFileError):
        decode_manifest(changed.encode())


def test_schema_1_has_no_accuracy_and_is_fp32(demo: Bundle) -> None:
    text = schema_1(manifest_text(demo))
    with pytest.raises(ModelFileError, match="accuracy"):
        decode_manifest(text.encode())
    whole = text.replace('"accuracy":null,', "")
    assert decode_manifest(whole.encode()).precision == "fp32"
    for precision in ("bf16", "int8", "fp16"):
        with pytest.raises(ModelFileError, match="precision"):
            decode_manifest(whole.replace('"precision":"fp32"', f'"precision":"{precision}"').encode())


def test_the_table_has_every_field(demo: Bundle) -> None:
    manifest = json.loads(manifest_text(demo))
    stated = {name for row in table("Manifest", "field") for name in row[0].replace("`", "").split(", ")}
    for name, value in manifest.items():
        if any(each.startswith(f"{name}.") for each in stated):
            assert {f"{name}.{inner}" for inner in value} <= stated
        else:
            assert name in stated
    every = {field.name for field in msgspec.structs.fields(Manifest)}  # an older file lacks later ones
    assert {name.partition(".")[0] for name in stated} == every
